//! A path in, byte ranges out: read with `pread` from a plain file, borrowed
//! from memory where the file had to be decompressed.
//!
//! Ranges are read rather than mapped because mapping costs page faults that
//! do not scale over threads (see DESIGN.md).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use object::read::ReadRef;

use crate::compression::{Compression, Extent, LIMIT};
use crate::error::{Error, Problem, Result};

/// Owns the ranges read from files; facts borrow from it.
///
/// Reset it between files to reuse the memory.
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

/// An opened module or kernel image: plain on disk, or decompressed in memory.
pub struct Image {
    path: PathBuf,
    data: Data,
}

enum Data {
    File { file: File, len: u64 },
    Memory(Vec<u8>),
}

impl Image {
    /// Opens `path`, decompressing it if its first bytes say so.
    ///
    /// # Errors
    /// The file cannot be read, is no regular file, is empty, or its
    /// compression is broken.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        let data = Data::open(path).map_err(|problem| Error::new(path, problem))?;
        Ok(Self {
            path: path.to_owned(),
            data,
        })
    }

    /// All bytes of the file at `path`, decompressed.
    ///
    /// # Errors
    /// As for [`Image::open`].
    pub(crate) fn read_whole(path: &Path) -> Result<Vec<u8>> {
        match Data::open(path)? {
            Data::Memory(plain) => Ok(plain),
            Data::File { file, len } => {
                let mut plain = vec![0; len as usize];
                file.read_exact_at(&mut plain, 0)?;
                Ok(plain)
            }
        }
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes<'d>(&'d self, arena: &'d Arena) -> Bytes<'d> {
        match &self.data {
            Data::File { file, len } => Bytes::File {
                file,
                len: *len,
                arena,
            },
            Data::Memory(plain) => Bytes::Memory(plain),
        }
    }
}

impl Data {
    fn open(path: &Path) -> Result<Self> {
        // Asked before opening, which would wait for the writer of a FIFO.
        let meta = std::fs::metadata(path)?;
        if !meta.is_file() {
            return Err(Problem::NotAFile);
        }
        let file = File::open(path)?;
        let len = match meta.len() {
            0 => return Err(Problem::Empty),
            len if len > LIMIT => return Err(Problem::TooLarge { limit: LIMIT }),
            len => len,
        };
        let mut head = [0; 6];
        let head = head.get_mut(..len.min(6) as usize).unwrap_or_default();
        file.read_exact_at(head, 0)?;
        let Some(format) = Compression::detect(head) else {
            return Ok(Self::File { file, len });
        };
        let mut packed = vec![0; len as usize];
        file.read_exact_at(&mut packed, 0)?;
        format.decompress(&packed, Extent::Whole).map(Self::Memory)
    }
}

/// The bytes of an [`Image`], a range at a time.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'d> {
    File {
        file: &'d File,
        len: u64,
        arena: &'d Arena,
    },
    Memory(&'d [u8]),
}

impl<'d> Bytes<'d> {
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
            Self::File { file, arena, .. } => {
                let buffer = arena.0.alloc_slice_fill_default(size as usize);
                file.read_exact_at(buffer, offset)?;
                Ok(buffer)
            }
        }
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
