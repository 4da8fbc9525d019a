//! A symvers file in, the exports it lists out.
//!
//! One line an export, tab-separated: CRC, symbol, module, export type and,
//! since 5.4, namespace (linux/Documentation/kbuild/modules.rst). Distributions
//! install it plain or compressed.

use std::path::Path;

use crate::Crc;
use crate::bytes::Image;
use crate::error::{Error, Problem, Result};

/// The text of a symvers file, decompressed and checked line by line.
pub struct Symvers {
    text: Vec<u8>,
}

/// One line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymversEntry<'s> {
    /// The CRC; 0 in every line where the kernel has no modversions.
    pub crc: Crc,
    /// The exported symbol.
    pub name: &'s [u8],
    /// Path of the module without `.ko`, or `vmlinux`.
    pub module: &'s [u8],
}

impl Symvers {
    /// Reads a symvers file, whatever its compression.
    ///
    /// # Errors
    /// It cannot be read, its compression is broken, or a line has not the
    /// fields it must have.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        Image::read_whole(path)
            .and_then(Self::parse)
            .map_err(|problem| Error::new(path, problem))
    }

    fn parse(text: Vec<u8>) -> Result<Self> {
        if text.trim_ascii().is_empty() {
            return Err(Problem::Empty);
        }
        let lines = text.strip_suffix(b"\n").unwrap_or(&text);
        for (line, text) in (1..).zip(lines.split(|&byte| byte == b'\n')) {
            entry(text).map_err(|reason| Problem::BadSymvers { line, reason })?;
        }
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

    /// Whether the kernel was built with modversions: without, modpost writes a
    /// CRC of 0 in every line.
    pub fn has_modversions(&self) -> bool {
        self.entries().any(|entry| entry.crc != 0)
    }
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
        .and_then(|digits| Crc::from_str_radix(digits, 16).ok())
        .ok_or("the first field is no CRC")?;
    let name = fields
        .next()
        .filter(|name| !name.is_empty())
        .ok_or("no symbol")?;
    let module = fields
        .next()
        .filter(|module| !module.is_empty())
        .ok_or("no module")?;
    fields.next().ok_or("no export type")?;
    Ok(SymversEntry { crc, name, module })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_age_parse() {
        let text =
            b"0x00badc0d\ta\tvmlinux\tEXPORT_SYMBOL\n0x1\tb\tdrivers/x/y\tEXPORT_SYMBOL_GPL\tNS\n";
        let symvers = Symvers::parse(text.to_vec()).unwrap();
        let kernel: Vec<_> = symvers.kernel_entries().map(|e| (e.name, e.crc)).collect();
        assert_eq!(kernel, [(&b"a"[..], 0xbadc0d)]);
        assert_eq!(symvers.entries().count(), 2);
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
