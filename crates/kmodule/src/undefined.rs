//! Lists the symbols that a module uses and does not define.
//!
//! The symbol table has them in every module, whether or not its kernel has modversions. These
//! are what the loader resolves (linux/kernel/module/main.c, `simplify_symbols`).

use object::elf::{EM_SPARC, EM_SPARCV9, STT_SPARC_REGISTER};

use crate::elf::{Elf, dedotted};
use crate::error::{Problem, Result};
use crate::symbols::{Place, Symbol, symbols};

/// A symbol a module uses and does not define.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undefined<'d> {
    /// Without the dot the ppc64 ABI puts before function names.
    pub name: &'d [u8],
    /// The module loads without it, too.
    pub weak: bool,
}

/// All of them in the order of the symbol table.
pub(crate) fn undefined<'d>(elf: &Elf<'d>) -> Result<Vec<Undefined<'d>>> {
    let symbols = symbols(elf)?.ok_or(Problem::NoSection(".symtab"))?;
    let mut undefined = Vec::new();
    // The null symbol is undefined too.
    for symbol in symbols.iter().skip(1) {
        let symbol = symbol?;
        if symbol.place != Place::Undefined || is_register(elf, &symbol) {
            continue;
        }
        let name = symbols.name(&symbol)?;
        if !name.is_empty() {
            undefined.push(Undefined {
                name: dedotted(name),
                weak: symbol.weak,
            });
        }
    }
    Ok(undefined)
}

/// On sparc a `.register` directive leaves an undefined symbol nobody defines
/// (linux/scripts/mod/modpost.c, `handle_symbol`).
fn is_register(elf: &Elf<'_>, symbol: &Symbol) -> bool {
    symbol.kind == STT_SPARC_REGISTER && matches!(elf.machine, EM_SPARC | EM_SPARCV9)
}
