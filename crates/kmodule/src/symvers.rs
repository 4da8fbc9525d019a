//! Reads symvers files: the exports of a kernel and its modules.
//!
//! One line an export, with fields separated by tabs: CRC, symbol, module, export type and, since
//! 5.4, namespace (linux/Documentation/kbuild/modules.rst). Distributions install it plain or
//! compressed.

use std::path::Path;

use hashbrown::HashMap;

use crate::crc::{Crc, crc_of};
use crate::error::{Error, Problem, Result};
use crate::image::Image;
use crate::limits::Limits;

/// Bytes of a usual line.
const LINE: usize = 64;

/// The text of a symvers file, decompressed and checked line by line.
pub struct Symvers {
    text: Vec<u8>,
}

/// One line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymversEntry<'s> {
    /// `None` where the build could not compute one, and in every line where the kernel has no
    /// modversions: modpost writes 0.
    pub crc: Option<Crc>,
    /// The exported symbol.
    pub name: &'s [u8],
    /// Path of the module without `.ko`, or `vmlinux`.
    pub module: &'s [u8],
    /// The namespace that a module must import to use it.
    pub namespace: Option<&'s [u8]>,
    /// Only modules with a GPL-compatible licence may use it.
    pub gpl_only: bool,
}

impl Symvers {
    /// Reads a symvers file, whatever its compression.
    ///
    /// # Errors
    /// The file cannot be read, its compression is broken, or a line has not the fields it must
    /// have.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        Self::of(Image::open_within(path, Limits::TEXT)?)
    }

    /// Takes the bytes of a symvers file instead of reading them; errors name `path`.
    ///
    /// # Errors
    /// As for [`Symvers::open`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> std::result::Result<Self, Error> {
        Self::of(Image::from_bytes_within(path, bytes, Limits::TEXT)?)
    }

    fn of(image: Image) -> std::result::Result<Self, Error> {
        let path = image.path().to_owned();
        let text = image.into_whole();
        text.and_then(Self::parse)
            .map_err(|problem| Error::new(&path, problem))
    }

    /// Takes the text of a symvers file.
    ///
    /// # Errors
    /// It is empty or cut, a line has not the fields it must have, or a symbol has two CRCs, which
    /// modpost never writes (linux/scripts/mod/modpost.c, `sym_add_exported`).
    pub fn parse(text: Vec<u8>) -> Result<Self> {
        if text.trim_ascii().is_empty() {
            return Err(Problem::Empty);
        }
        check_lines(text.strip_suffix(b"\n").unwrap_or(&text))?;
        match text.ends_with(b"\n") {
            true => Ok(Self { text }),
            false => Err(Problem::BadSymvers {
                line: text.split(|&byte| byte == b'\n').count(),
                reason: "the file is cut short here",
            }),
        }
    }

    /// Its lines in file order.
    pub fn entries(&self) -> impl Iterator<Item = SymversEntry<'_>> {
        split(&self.text, b'\n').filter_map(|line| entry(line).ok())
    }

    /// The lines of the kernel image, builtin code included.
    pub fn kernel_entries(&self) -> impl Iterator<Item = SymversEntry<'_>> {
        self.entries().filter(|entry| entry.module == b"vmlinux")
    }

    /// Whether the kernel was built with modversions.
    pub fn has_modversions(&self) -> bool {
        self.entries().any(|entry| entry.crc.is_some())
    }
}

/// Checks that each line has the fields it must have, and each symbol one CRC.
fn check_lines(lines: &[u8]) -> Result<()> {
    let mut crcs = HashMap::with_capacity(lines.len() / LINE);
    for (line, text) in (1..).zip(split(lines, b'\n')) {
        let bad = |reason| Problem::BadSymvers { line, reason };
        let entry = entry(text).map_err(bad)?;
        if *crcs.entry(entry.name).or_insert(entry.crc) != entry.crc {
            return Err(bad("another line gives the symbol another CRC"));
        }
    }
    Ok(())
}

/// What lies between the separators.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr::memchr_iter(separator, text).chain([text.len()]);
    ends.filter_map(move |end| {
        let part = text.get(start..end);
        start = end + 1;
        part
    })
}

fn entry(line: &[u8]) -> std::result::Result<SymversEntry<'_>, &'static str> {
    let mut fields = split(line, b'\t');
    let crc = fields
        .next()
        .and_then(|field| field.strip_prefix(b"0x"))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        // The parser of numbers would take a sign.
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .and_then(|digits| Crc::from_str_radix(digits, 16).ok())
        .ok_or("the first field is no CRC")?;
    let mut named = || fields.next().filter(|field| !field.is_empty());
    let name = named().ok_or("no symbol")?;
    let module = named().ok_or("no module")?;
    let export = fields.next().ok_or("no export type")?;
    let namespace = fields.next().filter(|namespace| !namespace.is_empty());
    Ok(SymversEntry {
        crc: crc_of(crc),
        name,
        module,
        namespace,
        // EXPORT_SYMBOL_GPL, and before 5.12 EXPORT_UNUSED_SYMBOL_GPL. EXPORT_SYMBOL_GPL_FUTURE
        // only warned.
        gpl_only: export.ends_with(b"_GPL"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_age_parse() {
        let text = b"0x00badc0d\ta\tvmlinux\tEXPORT_SYMBOL\n\
            0x1\tb\tdrivers/x/y\tEXPORT_SYMBOL_GPL\tNS\n\
            0x00000000\tc\tvmlinux\tEXPORT_SYMBOL_GPL_FUTURE\t\n";
        let symvers = Symvers::parse(text.to_vec()).unwrap();
        let entries: Vec<_> = symvers
            .entries()
            .map(|e| (e.name, e.crc, e.namespace, e.gpl_only))
            .collect();
        assert_eq!(
            entries,
            [
                (&b"a"[..], Some(0xbadc0d), None, false),
                (b"b", Some(1), Some(&b"NS"[..]), true),
                (b"c", None, None, false),
            ]
        );
        assert_eq!(symvers.kernel_entries().count(), 2);
        assert!(symvers.has_modversions());
    }

    #[test]
    fn damage_is_told_by_line() {
        for (text, line, reason) in [
            (
                &b"0x1\ta\tvmlinux\tE\nnonsense\n"[..],
                2,
                "the first field is no CRC",
            ),
            (b"0x+1\ta\tvmlinux\tE\n", 1, "the first field is no CRC"),
            (
                b"0x1\ta\tvmlinux\tE\n0x1\ta\tvmlinux\tE\n0x2\ta\tb\tE\n",
                3,
                "another line gives the symbol another CRC",
            ),
            (b"0x1\ta\tvmli", 1, "no export type"),
            (b"0x1\t\tvmlinux\tE\n", 1, "no symbol"),
            (
                b"0x1\ta\tvmlinux\tE\n0x1\tb\tvmlinux\tEXP",
                2,
                "the file is cut short here",
            ),
        ] {
            match Symvers::parse(text.to_vec()) {
                Err(Problem::BadSymvers { line: l, reason: r }) => {
                    assert_eq!((l, r), (line, reason))
                }
                _ => panic!("accepted {text:?}"),
            }
        }
        assert!(matches!(
            Symvers::parse(b"\n".to_vec()),
            Err(Problem::Empty)
        ));
    }
}
