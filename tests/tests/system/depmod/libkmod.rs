//! What modprobe finds by our indexes.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::depmod::ours;
use kmpkit_tests::kmod::{Kmod, answer};
use kmpkit_tests::modules_tree::ModulesTree;
use kmpkit_tests::{Kernel, cache_dir, run};

/// What modprobe says of every module and every alias.
fn answers(kmod: &Kmod, tree: &ModulesTree) -> Result<Vec<String>> {
    let dep = std::fs::read_to_string(tree.path("modules.dep")?)?;
    let name = |line: &str| -> Option<String> {
        let path = line.split_once(':')?.0;
        let file = Path::new(path).file_name()?.to_str()?;
        Some(file.split_once(".ko")?.0.to_owned())
    };
    let modules: Vec<_> = dep.lines().filter_map(name).collect();
    let alias = std::fs::read_to_string(tree.path("modules.alias")?)?;
    let symbols = std::fs::read_to_string(tree.path("modules.symbols")?)?;
    let aliases: Vec<_> = [&alias, &symbols]
        .into_iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            Some(
                line.strip_prefix("alias ")?
                    .rsplit_once(' ')?
                    .0
                    .replace(['*', '['], "0"),
            )
        })
        .collect();
    let ask = |option: &str, words: &[String]| -> Result<Vec<String>> {
        let ask = |words: &[String]| {
            let mut command = kmod.tool("modprobe", tree.root())?;
            command.arg("-a").arg(option).arg("-d").arg(tree.root());
            command.arg("-S").arg(&tree.release).args(words);
            let output = answer(&mut command)?;
            let (out, err) = (output.stdout, output.stderr);
            Ok(format!(
                "{}{}",
                String::from_utf8_lossy(&out),
                String::from_utf8_lossy(&err)
            ))
        };
        words.chunks(1000).map(ask).collect()
    };
    let mut all = ask("--show-depends", &modules)?;
    all.extend(ask("-R", &aliases)?);
    Ok(all)
}

fn check(suite: &str) -> Result<()> {
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let tree = ModulesTree::whole(&kernel)?;
    for kmod in Kmod::all()? {
        let mut depmod = kmod.tool("depmod", tree.root())?;
        run(depmod.arg("-b").arg(tree.root()).arg(&tree.release))?;
        let theirs = answers(&kmod, &tree)?;
        for name in kmpkit_tests::depmod::FILES {
            let path = tree.path(name)?;
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        run(ours()?
            .args(["--compat", kmod.version, "-b"])
            .arg(tree.root())
            .arg(&tree.release))?;
        let ours = answers(&kmod, &tree)?;
        let lines: usize = ours.iter().map(|text| text.lines().count()).sum();
        println!("{suite}, {kmod}: {lines} lines of answers");
        ensure!(lines > 20_000, "{kmod}: only {lines} lines");
        let differs = ours.iter().zip(&theirs).find(|(a, b)| a != b);
        if let Some((a, b)) = differs {
            kmpkit_tests::index_differ::same("modprobe", a.as_bytes(), b.as_bytes())
                .with_context(|| kmod.to_string())?;
        }
        ensure!(ours.len() == theirs.len());
    }
    Ok(())
}

#[test]
fn bookworm() -> Result<()> {
    check("bookworm")
}

#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    check("trixie")
}
