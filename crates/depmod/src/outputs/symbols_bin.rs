//! modules.symbols.bin: module names by `symbol:` and the symbol they export.

use kmod_index::{Entry, WriteError};

use super::View;
use super::texts::Texts;

pub(super) fn index(view: &View<'_>) -> Result<Vec<u8>, WriteError> {
    let prefix = b"symbol:";
    let length = |(symbol, _): &(&[u8], _)| prefix.len() + symbol.len();
    let bytes = view.symbols().iter().map(length).sum();
    let mut keys = Texts::with_capacity(view.symbols().len(), bytes);
    for (symbol, _) in view.symbols() {
        keys.push(&[prefix, symbol]);
    }
    let entries: Vec<_> = keys
        .iter()
        .zip(view.symbols())
        .map(|(key, &(_, module))| Entry {
            key,
            value: view.name(module),
            priority: module as u32,
        })
        .collect();
    view.index(&entries)
}
