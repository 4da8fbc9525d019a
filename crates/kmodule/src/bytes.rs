//! A path in, byte ranges out: read with `pread` from a plain file, borrowed
//! from memory where the file had to be decompressed.
//!
//! Ranges are read rather than mapped because mapping costs page faults that
//! do not scale over threads (see DESIGN.md). Each read of a warm file costs
//! about as much as copying a page, so those that are certain to be asked for
//! together are made as one: the head when the file is opened, the section
//! names with the headers behind them.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use object::read::ReadRef;

use crate::compression::{Compression, LIMIT};
use crate::error::{Error, Problem, Result};
use crate::unpack::Unpacker;

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

/// The first bytes of a file: what tells its format, and the header of an ELF file.
const HEAD: usize = 64;

/// An opened module or kernel image: plain on disk, or decompressed in memory.
pub struct Image {
    path: PathBuf,
    metadata: Metadata,
    data: Data,
}

enum Data {
    File { file: File, head: Vec<u8> },
    Memory(Vec<u8>),
}

impl Image {
    /// Opens `path`, decompressing it if its first bytes say so.
    ///
    /// # Errors
    /// The file cannot be read, is no regular file, is empty, or its
    /// compression is broken.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        Self::open_with(path, &mut Unpacker::default()).map_err(|problem| Error::new(path, problem))
    }

    /// As [`Image::open`]; decompresses with `unpacker`, which takes back what
    /// [`Image::into_memory`] gives.
    ///
    /// # Errors
    /// As for [`Image::open`].
    pub(crate) fn open_with(path: &Path, unpacker: &mut Unpacker) -> Result<Self> {
        Self::of(path, open(path, 0)?, unpacker)
    }

    /// As [`Image::open_with`], but a symbolic link is not followed and gives
    /// `None`.
    ///
    /// # Errors
    /// As for [`Image::open`].
    pub(crate) fn open_unless_link(path: &Path, unpacker: &mut Unpacker) -> Result<Option<Self>> {
        match open(path, libc::O_NOFOLLOW) {
            Ok(file) => Self::of(path, file, unpacker).map(Some),
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn of(path: &Path, file: File, unpacker: &mut Unpacker) -> Result<Self> {
        let metadata = file.metadata()?;
        let len = match metadata.len() {
            _ if !metadata.is_file() => return Err(Problem::NotAFile),
            0 => return Err(Problem::Empty),
            len if len > LIMIT => return Err(Problem::TooLarge { limit: LIMIT }),
            len => len,
        };
        let mut head = vec![0; HEAD.min(len as usize)];
        file.read_exact_at(&mut head, 0)?;
        let data = match Compression::detect(&head) {
            None => Data::File { file, head },
            Some(format) => Data::Memory(unpacker.unpack(format, file)?),
        };
        Ok(Self {
            path: path.to_owned(),
            metadata,
            data,
        })
    }

    /// All bytes of the file at `path`, decompressed.
    ///
    /// # Errors
    /// As for [`Image::open`].
    pub(crate) fn read_whole(path: &Path) -> Result<Vec<u8>> {
        let image = Self::of(path, open(path, 0)?, &mut Unpacker::default())?;
        match image.data {
            Data::Memory(plain) => Ok(plain),
            Data::File { file, .. } => {
                let mut plain = vec![0; image.metadata.len() as usize];
                file.read_exact_at(&mut plain, 0)?;
                Ok(plain)
            }
        }
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file system said of the file when it was opened.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The memory it was decompressed into.
    pub(crate) fn into_memory(self) -> Vec<u8> {
        match self.data {
            Data::Memory(plain) => plain,
            Data::File { .. } => Vec::new(),
        }
    }

    pub(crate) fn bytes<'d>(&'d self, arena: &'d Arena) -> Bytes<'d> {
        match &self.data {
            Data::File { file, head } => Bytes::File {
                file,
                len: self.metadata.len(),
                head,
                arena,
            },
            Data::Memory(plain) => Bytes::Memory(plain),
        }
    }
}

/// Opens a file without waiting for the writer of a FIFO.
fn open(path: &Path, flags: i32) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | flags)
        .open(path)
}

/// The bytes of an [`Image`], a range at a time.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'d> {
    File {
        file: &'d File,
        len: u64,
        head: &'d [u8],
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
            Self::File {
                file, head, arena, ..
            } => {
                if let Some(bytes) = head.get(offset as usize..end as usize) {
                    return Ok(bytes);
                }
                let buffer = arena.0.alloc_slice_fill_default(size as usize);
                file.read_exact_at(buffer, offset)?;
                Ok(buffer)
            }
        }
    }

    /// The same bytes, with those from `start` to `end` read already, as far as
    /// they are inside the file.
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

/// [`Bytes`], one range of which has been read ahead.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'d> {
    bytes: Bytes<'d>,
    start: u64,
    data: &'d [u8],
}

impl<'d> Ahead<'d> {
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
