//! modules.symbols: each symbol that a module exports, with the module.

use super::input::IndexInput;
use crate::module::ModuleNumber;

pub(super) fn text(input: &IndexInput<'_>) -> Vec<u8> {
    let length =
        |&(symbol, module): &(&[u8], ModuleNumber)| symbol.len() + input.name(module).len() + 16;
    let mut out = Vec::with_capacity(64 + input.symbols().iter().map(length).sum::<usize>());
    out.extend(b"# Aliases for symbols, used by symbol_request().\n");
    for &(symbol, module) in input.symbols() {
        for part in [b"alias symbol:", symbol, b" ", input.name(module), b"\n"] {
            out.extend_from_slice(part);
        }
    }
    out
}
