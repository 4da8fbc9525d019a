//! Turns packages into what rpmlint(1) says of them: nothing but what is known here with its reason.

mod kernel;
mod own;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::tools::{find, tail};

/// What stays, each with its reason.
type Known = [(&'static str, &'static str)];

/// A line of rpmlint's about a package.
struct Finding<'l> {
    kind: &'l str,
    line: &'l str,
}

/// The kinds of findings about some packages, none of which is unknown.
fn findings(rpms: &[PathBuf], config: Option<&Path>, known: &Known) -> Result<BTreeSet<String>> {
    let text = rpmlint(rpms, config)?;
    let checked = format!("{} packages and 0 specfiles checked", rpms.len());
    ensure!(
        text.contains(&checked),
        "no {checked:?} in\n{}",
        tail(&text, 25)
    );
    let findings: Vec<Finding<'_>> = text.lines().filter_map(finding).collect();
    let known: BTreeSet<&str> = known.iter().map(|(kind, _)| *kind).collect();
    let wrong: Vec<&str> = findings
        .iter()
        .filter(|finding| !known.contains(finding.kind))
        .map(|finding| finding.line)
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} unknown:\n{}",
        wrong.len(),
        tail(&wrong.join("\n"), 25)
    );
    let kinds = findings.iter().map(|finding| finding.kind.to_owned());
    Ok(kinds.collect())
}

/// Fails if something known is said of no package.
fn gone(found: &BTreeSet<String>, known: &Known) -> Result<()> {
    let gone = known.iter().find(|(kind, _)| !found.contains(*kind));
    ensure!(
        gone.is_none(),
        "known, but not said of any package: {gone:?}"
    );
    Ok(())
}

/// What rpmlint prints; it fails if there are errors, and says so.
fn rpmlint(rpms: &[PathBuf], config: Option<&Path>) -> Result<String> {
    let program =
        find("rpmlint").context("missing: rpmlint; install with: apt-get install -y rpmlint")?;
    let mut command = Command::new(program);
    command.env("LC_ALL", "C.UTF-8");
    if let Some(config) = config {
        command.arg("-c").arg(config);
    }
    let output = command.args(rpms).output().context("rpmlint")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.is_empty(), "rpmlint: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

/// `name.arch: W: kind details`.
fn finding(line: &str) -> Option<Finding<'_>> {
    let (_, rest) = line.split_once(": ")?;
    let (level, rest) = rest.split_once(": ")?;
    if !["E", "W"].contains(&level) {
        return None;
    }
    let kind = rest.split(' ').next()?;
    Some(Finding { kind, line })
}
