//! Reads the kernel's own symbols from a Module.symvers or a System.map.

use std::fs;
use std::path::Path;

use kmod_conf::c_text::{lines, words};
use kmodule::Crc;

use crate::complaints::Complaints;
use crate::error::Error;
use crate::settings::{KernelSymbolsFile, Settings};

/// The longest line kmod reads at once.
const LINE: usize = 10240;

/// A symbol that the kernel itself exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelSymbol {
    /// Its name.
    pub name: Vec<u8>,
    /// Its CRC, if the file has one.
    pub crc: Option<Crc>,
}

/// The symbols that the kernel itself exports, if a report needs them. Of several with one name the
/// last counts.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn load(settings: &Settings) -> Result<Vec<KernelSymbol>, Error> {
    let prefix = settings.symbol_prefix;
    let read = |path: &Path| {
        fs::read(path).map_err(|source| Error::KernelSymbols {
            path: path.to_owned(),
            source,
        })
    };
    let mut symbols = match &settings.kernel_symbols {
        KernelSymbolsFile::None => return Ok(Vec::new()),
        KernelSymbolsFile::Symvers(path) => symbols_of_symvers(&read(path)?, prefix, path),
        KernelSymbolsFile::SystemMap(path) => symbols_of_system_map(&read(path)?, prefix, path),
    };
    // What the loader and the linker supply: kmod/tools/depmod.c, `depmod_add_fake_syms`.
    for name in [&b"__this_module"[..], b"_GLOBAL_OFFSET_TABLE_", b"TOC."] {
        let name = name.to_vec();
        symbols.push(KernelSymbol { name, crc: None });
    }
    Ok(symbols)
}

/// Reads the text of a Module.symvers, lines of `<crc> TAB <symbol> TAB vmlinux TAB …`; `path` is
/// for messages.
#[doc(hidden)]
pub fn symbols_of_symvers(text: &[u8], prefix: Option<u8>, path: &Path) -> Vec<KernelSymbol> {
    let mut symbols = Vec::new();
    let mut complaints = Complaints::about(path);
    for (line, number) in lines(text, LINE).zip(1..) {
        let mut words = words(line);
        let (Some(crc), Some(name), Some(b"vmlinux")) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let text = String::from_utf8_lossy(crc);
        let digits = text.trim_start_matches("0x");
        match u64::from_str_radix(digits, 16) {
            Ok(crc) => symbols.push(KernelSymbol {
                name: without_prefix(name, prefix).to_vec(),
                // Without modversions every CRC is zero.
                crc: Crc::try_from(crc).ok().filter(|&crc| crc != 0),
            }),
            Err(_) => complaints.error(number, format_args!("Invalid symbol version {text}")),
        }
    }
    symbols
}

/// Reads the text of a System.map, lines of `<address> <type> __ksymtab_<symbol>`; `path` is for
/// messages.
#[doc(hidden)]
pub fn symbols_of_system_map(text: &[u8], prefix: Option<u8>, path: &Path) -> Vec<KernelSymbol> {
    let mut symbols = Vec::new();
    let mut complaints = Complaints::about(path);
    for (line, number) in lines(text, LINE).zip(1..) {
        let Some(name) = line.splitn(3, |&byte| byte == b' ').nth(2) else {
            let line = String::from_utf8_lossy(line);
            complaints.error(number, format_args!("invalid line: {}", line.trim_end()));
            continue;
        };
        let name = without_prefix(name, prefix);
        if let Some(name) = name.strip_prefix(b"__ksymtab_") {
            let name = name.strip_suffix(b"\n").unwrap_or(name).to_vec();
            symbols.push(KernelSymbol { name, crc: None });
        }
    }
    symbols
}

/// A symbol without the character that its architecture puts before all symbols of C.
pub(crate) fn without_prefix(name: &[u8], prefix: Option<u8>) -> &[u8] {
    match (name.split_first(), prefix) {
        (Some((&first, rest)), Some(prefix)) if first == prefix => rest,
        _ => name,
    }
}
