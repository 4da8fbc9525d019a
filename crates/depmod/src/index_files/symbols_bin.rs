//! modules.symbols.bin: module names by `symbol:` and the symbol they export.

use kmod_index::{IndexFile, WriteError};

use super::input::IndexInput;
use super::module_texts::ModuleTexts;

pub(super) fn index(input: &IndexInput<'_>) -> Result<Vec<u8>, WriteError> {
    let prefix = b"symbol:";
    let length = |(symbol, _): &(&[u8], _)| prefix.len() + symbol.len();
    let bytes = input.symbols().iter().map(length).sum();
    let mut keys = ModuleTexts::with_capacity(input.symbols().len(), bytes);
    for &(symbol, module) in input.symbols() {
        keys.push(module, &[prefix, symbol]);
    }
    let entries = keys.iter().map(|(module, key)| input.entry(key, module));
    input.index(IndexFile::SymbolsBin, &entries.collect::<Vec<_>>())
}
