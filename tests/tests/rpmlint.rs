//! Turns the packages of a whole kernel by the default policy into what rpmlint(1) says of them: no
//! errors, and no warnings but those that are known here with their reasons.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::stage::project;
use kmpkit_tests::tools::{find, tail};
use kmpkit_tests::{Kernel, cache_dir, modular, worlds};

/// Warnings that stay, each with its reason.
const KNOWN: [(&str, &str); 7] = [
    (
        "ghost-files-without-postin",
        "depmod writes the indexes of modules, run by a trigger of the distribution or by hand",
    ),
    ("postin-without-ghost-file-creation", "the same"),
    (
        "invalid-license",
        "Debian's rpmlint has an empty list of licences; GPL-2.0-only is SPDX",
    ),
    (
        "no-documentation",
        "the kernel's documentation is not part of the built tree",
    ),
    (
        "requires-on-release",
        "a pattern, as the metapackage, is for the image of its own build",
    ),
    (
        "summary-not-capitalized",
        "a module's own description is left as its author has it",
    ),
    (
        "unstripped-binary-or-object",
        "the kernel resolves a module's symbols when it loads it",
    ),
];

/// A line of rpmlint's about a package.
struct Finding<'l> {
    error: bool,
    kind: &'l str,
    line: &'l str,
}

/// The image, packages of modules, patterns and the metapackage.
#[test]
fn packages_of_a_small_tree() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let parts = [
        "kernel/drivers/usb/core",
        "kernel/drivers/usb/common",
        "kernel/fs/nls",
    ];
    let part = modular::part(&kernel, &directory.path().join("tree"), &parts)?;
    let built = modular::packages(&Rpm::host()?, &part, &directory.path().join("top"), &[])?;
    for begin in [
        "kernel-amd64-image-",
        "kernel-amd64-6",
        "patterns-kernel-usb-",
        "usb",
    ] {
        let names = built
            .rpms
            .iter()
            .filter_map(|path| path.file_name()?.to_str());
        let count = names.filter(|name| name.starts_with(begin)).count();
        ensure!(count > 0, "no {begin} among {:?}", built.rpms);
    }
    findings(&built.rpms).map(drop)
}

/// All packages, so that each known warning is there.
#[test]
#[ignore = "test-all"]
fn packages_of_a_whole_kernel() -> Result<()> {
    let mut rpms = Vec::new();
    walk(&worlds::top("bookworm")?.join("RPMS"), &mut rpms)?;
    rpms.retain(|path| path.extension().is_some_and(|end| end == "rpm"));
    let found = findings(&rpms)?;
    let gone = KNOWN.iter().find(|(kind, _)| !found.contains(*kind));
    ensure!(
        gone.is_none(),
        "known, but not said of any package: {gone:?}"
    );
    Ok(())
}

/// The kinds of warnings about some packages, none of which is unknown.
fn findings(rpms: &[PathBuf]) -> Result<BTreeSet<String>> {
    let text = rpmlint(rpms)?;
    let checked = format!("{} packages and 0 specfiles checked", rpms.len());
    ensure!(
        text.contains(&checked),
        "no {checked:?} in\n{}",
        tail(&text, 25)
    );
    let findings: Vec<Finding<'_>> = text.lines().filter_map(finding).collect();
    let known: BTreeSet<&str> = KNOWN.iter().map(|(kind, _)| *kind).collect();
    let wrong: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.error || !known.contains(finding.kind))
        .map(|finding| finding.line)
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} errors or unknown warnings:\n{}",
        wrong.len(),
        tail(&wrong.join("\n"), 25)
    );
    let kinds = findings.iter().map(|finding| finding.kind.to_owned());
    Ok(kinds.collect())
}

/// What rpmlint prints; it fails if there are errors, and says so.
fn rpmlint(rpms: &[PathBuf]) -> Result<String> {
    let program =
        find("rpmlint").context("missing: rpmlint; install with: apt-get install -y rpmlint")?;
    let config: &Path = &project().join("tests/tests/rpmlint.toml");
    let output = std::process::Command::new(program)
        .env("LC_ALL", "C.UTF-8")
        .arg("-c")
        .arg(config)
        .args(rpms)
        .output()
        .context("rpmlint")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.is_empty(), "rpmlint: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

/// `name.arch: W: kind details`.
fn finding(line: &str) -> Option<Finding<'_>> {
    let (_, rest) = line.split_once(": ")?;
    let (level, rest) = rest.split_once(": ")?;
    let error = match level {
        "E" => true,
        "W" => false,
        _ => return None,
    };
    let kind = rest.split(' ').next()?;
    Some(Finding { error, kind, line })
}
