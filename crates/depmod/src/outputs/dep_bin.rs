//! modules.dep.bin: the lines of modules.dep by module name.

use kmod_index::{Entry, WriteError};

use super::View;
use super::dep::lines;

pub(super) fn index(view: &View<'_>) -> Result<Vec<u8>, WriteError> {
    let lines = lines(view);
    let entries: Vec<_> = view
        .files
        .iter()
        .zip(lines.iter())
        .zip(0..)
        .map(|((file, line), priority)| Entry {
            key: file.name(),
            value: line,
            priority,
        })
        .collect();
    view.index(&entries)
}
