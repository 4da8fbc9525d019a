//! modules.symbols: each symbol that a module exports, with the module.

use super::View;

pub(super) fn text(view: &View<'_>) -> Vec<u8> {
    let mut out = b"# Aliases for symbols, used by symbol_request().\n".to_vec();
    for &(symbol, module) in &view.symbols {
        for part in [b"alias symbol:", symbol, b" ", view.name(module), b"\n"] {
            out.extend(part);
        }
    }
    out
}
