//! modules.dep.bin: the lines of modules.dep by module name.

use kmod_index::{Entry, WriteError};

use super::View;

pub(super) fn index(view: &View<'_>) -> Result<Vec<u8>, WriteError> {
    let entries: Vec<_> = view
        .files
        .iter()
        .zip(view.lines().iter())
        .zip(0..)
        .map(|((file, line), priority)| Entry {
            key: file.name(),
            value: line.strip_suffix(b"\n").unwrap_or(line),
            priority,
        })
        .collect();
    view.index(&entries)
}
