//! The symbols the kernel complains of are those kmpkit names.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use kmpkit_tests::insmod::Outcome;
use loader::Reason;

use super::scope::Told;

/// What stands before a symbol in a line of the kernel, and what ends it.
const LINES: [(&str, &[char]); 6] = [
    (": Unknown symbol ", &[' ']),
    (": disagrees about version of symbol ", &[' ']),
    (": no symbol version for ", &[' ']),
    (": module uses symbol (", &[')']),
    (": exports duplicate symbol ", &[' ']),
    (": module using GPL-only symbols uses symbols ", &[' ']),
];

/// The reasons the kernel comes upon: it stops at the first that is not about an import.
pub(super) fn met(reasons: &[Told]) -> &[Told] {
    let is_import = |told: &Told| {
        let is_layout = told.symbol.as_deref() == Some("module_layout");
        told.symbol.is_some()
            && !is_layout
            && !matches!(told.reason, Reason::DuplicateExport { .. })
    };
    let end = match reasons.first() {
        Some(first) if is_import(first) => reasons.iter().position(|told| !is_import(told)),
        _ => Some(1),
    };
    reasons
        .get(..end.unwrap_or(reasons.len()))
        .unwrap_or(reasons)
}

/// Fails unless both name the same symbols.
pub(super) fn same(reasons: &[Told], outcome: &Outcome) -> Result<()> {
    let ours: BTreeSet<&str> = reasons
        .iter()
        .filter_map(|told| told.symbol.as_deref())
        .collect();
    let kernels: BTreeSet<&str> = outcome.log.iter().filter_map(|line| symbol(line)).collect();
    ensure!(ours == kernels, "kernel names {kernels:?}, kmpkit {ours:?}");
    Ok(())
}

fn symbol(line: &str) -> Option<&str> {
    LINES.iter().find_map(|(before, ends)| {
        let (_, rest) = line.split_once(before)?;
        rest.split(*ends).next()
    })
}
