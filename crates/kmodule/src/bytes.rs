//! Gives the byte ranges of a file that are asked for. They are read with `pread` from a plain file,
//! and borrowed from memory if the file was compressed.
//!
//! Ranges are read, not mapped: mapping costs page faults that do not scale over threads (see
//! DESIGN.md). A read of a warm file costs about as much as copying a page. What is certain to be
//! needed together is therefore read at once: the head when the file is opened, and the section
//! headers with the names before and the signature behind them.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;

use bumpalo::Bump;
use object::read::ReadRef;

use crate::error::{Problem, Result};

/// Owns the ranges that were read from a file. Facts borrow from it.
///
/// [`Arena::reset`] makes its memory free for the next file.
#[derive(Default)]
pub struct Arena(Bump);

impl Arena {
    /// An arena that has allocated nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all ranges and keeps the memory for the next file.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

/// The bytes of an [`Image`](crate::Image), a range at a time.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'d> {
    File {
        file: &'d File,
        len: u64,
        head: &'d [u8],
        arena: &'d Arena,
        limit: u64,
    },
    Memory(&'d [u8]),
}

impl<'d> Bytes<'d> {
    /// The bytes of a plain file. Its head has been read already. All ranges together take no more
    /// than `limit` bytes of the arena.
    pub(crate) fn of_file(
        file: &'d File,
        len: u64,
        head: &'d [u8],
        arena: &'d Arena,
        limit: u64,
    ) -> Self {
        arena
            .0
            .set_allocation_limit(Some(usize::try_from(limit).unwrap_or(usize::MAX)));
        Self::File {
            file,
            len,
            head,
            arena,
            limit,
        }
    }

    pub(crate) fn size(self) -> u64 {
        match self {
            Self::File { len, .. } => len,
            Self::Memory(plain) => plain.len() as u64,
        }
    }

    /// The `size` bytes at `offset`.
    ///
    /// # Errors
    /// They are not all inside the file, or reading them fails.
    pub(crate) fn range(self, offset: u64, size: u64) -> Result<&'d [u8]> {
        let outside = || Problem::CutShort {
            section: format!("at byte {offset}"),
            end: offset.saturating_add(size),
            len: self.size(),
        };
        let end = offset.checked_add(size).ok_or_else(outside)?;
        if end > self.size() {
            return Err(outside());
        }
        match self {
            Self::Memory(plain) => plain.get(offset as usize..end as usize).ok_or_else(outside),
            Self::File {
                file,
                head,
                arena,
                limit,
                ..
            } => {
                if let Some(bytes) = head.get(offset as usize..end as usize) {
                    return Ok(bytes);
                }
                let too_much = |_| Problem::TooMuch { limit };
                // A buffer that is read into needs no zeros: they would be 46 MB for 4,022 modules.
                let uninit = |_| MaybeUninit::<u8>::uninit();
                let buffer = arena.0.try_alloc_slice_fill_with(size as usize, uninit);
                let buffer = buffer.map_err(too_much)?;
                if let Ok((bytes, [])) = rustix::io::pread(file, buffer, offset) {
                    return Ok(bytes);
                }
                // A read that was interrupted, or an error.
                let buffer = arena.0.try_alloc_slice_fill_default(size as usize);
                let buffer = buffer.map_err(too_much)?;
                file.read_exact_at(buffer, offset)?;
                Ok(buffer)
            }
        }
    }

    /// Reads the bytes from `start` to `end` now, as far as they are inside the file.
    ///
    /// # Errors
    /// Reading them fails.
    pub(crate) fn ahead(self, start: u64, end: u64) -> Result<Ahead<'d>> {
        let end = end.min(self.size());
        let start = start.min(end);
        Ok(Ahead {
            bytes: self,
            start,
            data: self.range(start, end - start)?,
        })
    }
}

impl<'d> ReadRef<'d> for Bytes<'d> {
    fn len(self) -> std::result::Result<u64, ()> {
        Ok(self.size())
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> std::result::Result<&'d [u8], ()> {
        self.range(offset, size).map_err(|_| ())
    }

    /// String tables are read whole and searched in memory instead.
    fn read_bytes_at_until(
        self,
        _: std::ops::Range<u64>,
        _: u8,
    ) -> std::result::Result<&'d [u8], ()> {
        Err(())
    }
}

/// [`Bytes`] with one range that has been read already.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'d> {
    bytes: Bytes<'d>,
    start: u64,
    data: &'d [u8],
}

impl<'d> Ahead<'d> {
    pub(crate) fn size(self) -> u64 {
        self.bytes.size()
    }

    /// As [`Bytes::range`].
    pub(crate) fn range(self, offset: u64, size: u64) -> Result<&'d [u8]> {
        let there = || {
            let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
            self.data
                .get(from..from.checked_add(usize::try_from(size).ok()?)?)
        };
        there().map_or_else(|| self.bytes.range(offset, size), Ok)
    }
}

impl<'d> ReadRef<'d> for Ahead<'d> {
    fn len(self) -> std::result::Result<u64, ()> {
        Ok(self.bytes.size())
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> std::result::Result<&'d [u8], ()> {
        self.range(offset, size).map_err(|_| ())
    }

    fn read_bytes_at_until(
        self,
        range: std::ops::Range<u64>,
        delimiter: u8,
    ) -> std::result::Result<&'d [u8], ()> {
        self.bytes.read_bytes_at_until(range, delimiter)
    }
}
