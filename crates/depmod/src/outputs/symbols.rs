//! modules.symbols: each symbol that a module exports, with the module.

use super::View;

pub(super) fn text(view: &View<'_>) -> Vec<u8> {
    let length = |&(symbol, module): &(&[u8], usize)| symbol.len() + view.name(module).len() + 16;
    let mut out = Vec::with_capacity(64 + view.symbols().iter().map(length).sum::<usize>());
    out.extend(b"# Aliases for symbols, used by symbol_request().\n");
    for &(symbol, module) in view.symbols() {
        for part in [b"alias symbol:", symbol, b" ", view.name(module), b"\n"] {
            out.extend_from_slice(part);
        }
    }
    out
}
