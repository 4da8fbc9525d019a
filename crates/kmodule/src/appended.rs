//! Finds the signatures behind a module, and checks that nothing else is there.
//!
//! A signature is followed by `struct module_signature` and a mark
//! (linux/include/linux/module_signature.h, in newer kernels below include/uapi). The loader takes one
//! signature from the end of the file and ignores other bytes behind the ELF file. If these are no
//! signature, the file was cut or changed.

use crate::bytes::Ahead;
use crate::error::{Problem, Result};

const MARK: &[u8] = b"~Module signature appended~\n";

/// What `struct module_signature` takes.
const TRAILER: usize = 12;

/// `struct module_signature`, and where it is.
pub(crate) struct Trailer {
    pub(crate) algorithm: u8,
    pub(crate) hash: u8,
    pub(crate) kind: u8,
    /// How long the names of signer and key are before the signature, since 4.3 always 0.
    pub(crate) signer: u8,
    pub(crate) key: u8,
    /// How long the signature is.
    pub(crate) size: u32,
    /// Where the signature ends.
    pub(crate) at: u64,
}

impl Trailer {
    /// The one that ends at `end`; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn before(bytes: Ahead<'_>, end: u64) -> Result<Option<Self>> {
        let len = (TRAILER + MARK.len()) as u64;
        let Some(at) = end.checked_sub(len) else {
            return Ok(None);
        };
        Ok(match bytes.range(at, len)?.split_first_chunk::<TRAILER>() {
            Some((&[algorithm, hash, kind, signer, key, _, _, _, a, b, c, d], MARK)) => {
                Some(Self {
                    algorithm,
                    hash,
                    kind,
                    signer,
                    key,
                    size: u32::from_be_bytes([a, b, c, d]),
                    at,
                })
            }
            _ => None,
        })
    }

    /// Where the signature begins, or the names before it; `None` if that is before the file.
    fn start(&self) -> Option<u64> {
        let len = u64::from(self.size) + u64::from(self.signer) + u64::from(self.key);
        self.at.checked_sub(len)
    }
}

/// Checks that all bytes from `elf_end` on are signatures. A module may have been signed several
/// times; each signature covers those before it.
///
/// # Errors
/// They are anything else, or a signature is not whole.
pub(crate) fn check(bytes: Ahead<'_>, elf_end: u64) -> Result<()> {
    let mut end = bytes.size();
    while end > elf_end {
        let trailer = Trailer::before(bytes, end)?;
        end = trailer
            .and_then(|trailer| trailer.start())
            .filter(|start| *start >= elf_end)
            .ok_or(Problem::NoSignature { at: elf_end })?;
    }
    Ok(())
}
