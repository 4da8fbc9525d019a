//! Checks that an ELF file is a module, as the kernel's loader does first
//! (linux/kernel/module/main.c, `elf_validity_cache_copy`), or a linked kernel.
//!
//! [`Strict`](crate::strictness::Strict) checks the section headers of both. Two checks of the loader
//! are left out. The architecture does not matter, because modules of all architectures are read. The
//! symbol table may be missing, because a stripped module still has its other facts.

use object::elf::{ET_DYN, ET_EXEC, SHT_SYMTAB};

use crate::appended;
use crate::elf::Elf;
use crate::error::{Problem, Result};

/// # Errors
/// The file is not relocatable, has a section twice that the loader wants once, or has bytes behind
/// it that are no signature.
pub(crate) fn check_module(elf: &Elf<'_>) -> Result<()> {
    if !elf.is_relocatable {
        return Err(Problem::NotRelocatable { kind: elf.kind.0 });
    }
    check_once(elf)?;
    appended::check(elf.bytes, elf.end())
}

/// # Errors
/// The file is not linked.
pub(crate) fn check_kernel(elf: &Elf<'_>) -> Result<()> {
    match elf.kind {
        ET_EXEC | ET_DYN => Ok(()),
        _ => Err(Problem::BadKernel("an ELF file that is not linked")),
    }
}

/// Refuses a second section of those that the loader wants once.
fn check_once(elf: &Elf<'_>) -> Result<()> {
    let mut seen = [false; 3];
    for section in &elf.sections {
        let place = match (section.name, section.kind) {
            (_, SHT_SYMTAB) => 0,
            (b".modinfo", _) => 1,
            (b".gnu.linkonce.this_module", _) => 2,
            _ => continue,
        };
        let seen = seen.get_mut(place);
        if seen.is_some_and(|seen| std::mem::replace(seen, true)) {
            return Err(section.bad("there is another of the kind"));
        }
    }
    Ok(())
}
