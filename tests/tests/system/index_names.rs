//! The rpm macros name the files depmod writes, which they cannot take from the tables in the
//! crates. Here both are compared.

use anyhow::{Context, Result, ensure};
use kmod_index::{IndexFile, KernelList};
use kmpkit_tests::directories::project;

/// Whether a name is one that the shell makes of a pattern with at most one star, at its end.
fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

#[test]
fn macros_remove_what_depmod_wrote_and_nothing_else() -> Result<()> {
    let macros = std::fs::read_to_string(project().join("macros.d/macros.kmpkit"))?;
    let line = macros
        .lines()
        .find(|line| line.contains("rm -f build source"));
    let line = line.context("no line that removes indexes")?;
    let patterns = line.split_whitespace().skip_while(|word| *word != "source");
    let patterns: Vec<_> = patterns
        .skip(1)
        .map(|word| word.trim_end_matches('\\'))
        .collect();
    for name in IndexFile::NAMES {
        let removed = patterns.iter().any(|pattern| is_match(pattern, name));
        ensure!(removed, "{name} is not removed by {line}");
    }
    for pattern in &patterns {
        let is_needed = IndexFile::NAMES.iter().any(|name| is_match(pattern, name));
        ensure!(is_needed, "{pattern} is no file that depmod writes");
        for list in KernelList::ALL {
            let name = list.name();
            ensure!(
                !is_match(pattern, name),
                "{pattern} removes the kernel's {name}"
            );
        }
    }
    Ok(())
}
