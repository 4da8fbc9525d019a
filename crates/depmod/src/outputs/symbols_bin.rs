//! modules.symbols.bin: module names by `symbol:` and the symbol they export.

use kmod_index::{Entry, WriteError};

use super::View;
use super::texts::Texts;

pub(super) fn index(view: &View<'_>) -> Result<Vec<u8>, WriteError> {
    let mut keys = Texts::default();
    for (symbol, _) in &view.symbols {
        keys.push(&[b"symbol:", symbol]);
    }
    let entries: Vec<_> = keys
        .iter()
        .zip(&view.symbols)
        .map(|(key, &(_, module))| Entry {
            key,
            value: view.name(module),
            priority: module as u32,
        })
        .collect();
    view.index(&entries)
}
