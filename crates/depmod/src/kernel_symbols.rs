//! A Module.symvers or System.map in, the kernel's own symbols out.

use std::fs;

use crate::error::Error;
use crate::settings::{KernelSymbols, Settings};
use kmod_conf::c_text::{lines, words};

const LINE: usize = 10240;

/// A symbol of the kernel with its CRC, 0 where the file tells none.
pub(crate) type KernelSymbol = (Vec<u8>, u64);

/// The symbols the kernel itself exports, if anybody asks; the last of one name counts.
///
/// # Errors
/// The file that was named cannot be read.
pub(crate) fn load(settings: &Settings) -> Result<Vec<KernelSymbol>, Error> {
    let (path, parse): (_, fn(&[u8], &Settings) -> _) = match &settings.kernel_symbols {
        KernelSymbols::Unknown => return Ok(Vec::new()),
        KernelSymbols::Symvers(path) => (path, symvers),
        KernelSymbols::SystemMap(path) => (path, system_map),
    };
    let text = fs::read(path).map_err(|source| Error::KernelSymbols {
        path: path.clone(),
        source,
    })?;
    let mut symbols: Vec<KernelSymbol> = parse(&text, settings);
    // What the loader and the linker supply: kmod/tools/depmod.c, `depmod_add_fake_syms`.
    for name in [&b"__this_module"[..], b"_GLOBAL_OFFSET_TABLE_", b"TOC."] {
        symbols.push((name.to_vec(), 0));
    }
    Ok(symbols)
}

/// `<crc> TAB <symbol> TAB vmlinux TAB …`.
fn symvers(text: &[u8], settings: &Settings) -> Vec<KernelSymbol> {
    let mut symbols = Vec::new();
    for line in lines(text, LINE) {
        let mut words = words(line);
        let (Some(crc), Some(name), Some(b"vmlinux")) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let text = String::from_utf8_lossy(crc);
        let digits = text.trim_start_matches("0x");
        match u64::from_str_radix(digits, 16) {
            Ok(crc) => symbols.push((without_prefix(name, settings.symbol_prefix).to_vec(), crc)),
            Err(_) => log::error!("Invalid symbol version {text}"),
        }
    }
    symbols
}

/// `<address> <type> __ksymtab_<symbol>`.
fn system_map(text: &[u8], settings: &Settings) -> Vec<KernelSymbol> {
    let mut symbols = Vec::new();
    for line in lines(text, LINE) {
        let Some(name) = line.splitn(3, |&byte| byte == b' ').nth(2) else {
            log::error!("invalid line: {}", String::from_utf8_lossy(line));
            continue;
        };
        let name = without_prefix(name, settings.symbol_prefix);
        if let Some(name) = name.strip_prefix(b"__ksymtab_") {
            symbols.push((name.strip_suffix(b"\n").unwrap_or(name).to_vec(), 0));
        }
    }
    symbols
}

/// A symbol without the character its architecture puts before all of C's.
pub(crate) fn without_prefix(name: &[u8], prefix: Option<u8>) -> &[u8] {
    match (name.split_first(), prefix) {
        (Some((&first, rest)), Some(prefix)) if first == prefix => rest,
        _ => name,
    }
}
