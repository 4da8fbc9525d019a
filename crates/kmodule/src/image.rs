//! Opens a module, kernel image or text file by its path, or takes its bytes.
//!
//! A compressed file is decompressed as a whole, because section headers and symbol table lie at its
//! end. Of a plain file only the ranges that are asked for are read.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::bytes::{Arena, Bytes};
use crate::compression::Compression;
use crate::decompress::reserve;
use crate::error::{Error, Problem, Result};
use crate::limits::Limits;
use crate::unpack::Unpacker;
use crate::unpack_as_kmod::is_known;

/// How many bytes are read when a file is opened: enough for the magic of every format and the header
/// of an ELF file.
const HEAD: usize = 64;

/// An opened file: plain on disk, or decompressed in memory.
pub struct Image {
    path: PathBuf,
    metadata: Option<Metadata>,
    file_size: u64,
    limits: Limits,
    data: Data,
}

enum Data {
    File { file: File, len: u64, head: Vec<u8> },
    Memory(Vec<u8>),
}

impl Image {
    /// Opens the module at `path`, and decompresses it if its first bytes announce a compression.
    ///
    /// # Errors
    /// The file cannot be read, is no regular file, is empty or too large, or its
    /// compression is broken.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        Self::open_within(path, Limits::MODULE)
    }

    /// As [`Image::open`], for any kind of file.
    ///
    /// # Errors
    /// As for [`Image::open`].
    pub fn open_within(path: &Path, limits: Limits) -> std::result::Result<Self, Error> {
        Self::open_with(path, limits, &mut Unpacker::default())
            .map_err(|problem| Error::new(path, problem))
    }

    /// Takes the bytes of a module instead of reading them. Errors name `path`.
    ///
    /// # Errors
    /// There are none or too many, or their compression is broken.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> std::result::Result<Self, Error> {
        Self::from_bytes_within(path, bytes, Limits::MODULE)
    }

    /// As [`Image::from_bytes`], for any kind of file.
    ///
    /// # Errors
    /// As for [`Image::from_bytes`].
    pub fn from_bytes_within(
        path: &Path,
        bytes: &[u8],
        limits: Limits,
    ) -> std::result::Result<Self, Error> {
        let data = memory(bytes, limits).map_err(|problem| Error::new(path, problem))?;
        Ok(Self {
            path: path.to_owned(),
            metadata: None,
            file_size: bytes.len() as u64,
            limits,
            data: Data::Memory(data),
        })
    }

    /// As [`Image::open_within`], with the memory of `unpacker`. It takes back what
    /// [`Image::into_memory`] gives.
    ///
    /// # Errors
    /// As for [`Image::open`].
    pub(crate) fn open_with(path: &Path, limits: Limits, unpacker: &mut Unpacker) -> Result<Self> {
        Self::of(path, open(path, 0)?, limits, |format, file, len| {
            unpacker
                .unpack_file(format, file, len, limits.memory)
                .map(Some)
        })
    }

    /// As [`Image::open_with`], decompressed as libkmod does.
    ///
    /// # Errors
    /// As for [`Image::open`], where libkmod has one.
    pub(crate) fn open_as_kmod(
        path: &Path,
        limits: Limits,
        unpacker: &mut Unpacker,
    ) -> Result<Self> {
        Self::of(path, open(path, 0)?, limits, |format, file, len| {
            let known = is_known(format).then_some(format);
            let unpack = |format| unpacker.unpack_file_as_kmod(format, file, len, limits.memory);
            known.map(unpack).transpose()
        })
    }

    /// As [`Image::open_with`], but a symbolic link is not followed and gives
    /// `None`.
    ///
    /// # Errors
    /// As for [`Image::open`].
    pub(crate) fn open_unless_link(
        path: &Path,
        limits: Limits,
        unpacker: &mut Unpacker,
    ) -> Result<Option<Self>> {
        match open(path, libc::O_NOFOLLOW) {
            Ok(file) => Self::of(path, file, limits, |format, file, len| {
                unpacker
                    .unpack_file(format, file, len, limits.memory)
                    .map(Some)
            })
            .map(Some),
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What `unpack` makes of a compressed file; a plain one if that is nothing.
    fn of(
        path: &Path,
        file: File,
        limits: Limits,
        unpack: impl FnOnce(Compression, &File, u64) -> Result<Option<Vec<u8>>>,
    ) -> Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Problem::NotAFile);
        }
        let len = metadata.len();
        check_len(len, limits.file)?;
        let mut head = vec![0; HEAD.min(len as usize)];
        file.read_exact_at(&mut head, 0)?;
        let unpacked = match Compression::detect(&head) {
            None => None,
            Some(format) => unpack(format, &file, len)?,
        };
        let data = match unpacked {
            None => Data::File { file, len, head },
            Some(plain) => Data::Memory(plain),
        };
        Ok(Self {
            path: path.to_owned(),
            metadata: Some(metadata),
            file_size: len,
            limits,
            data,
        })
    }

    /// All bytes, decompressed.
    ///
    /// # Errors
    /// There are too many, or they cannot be read.
    pub(crate) fn into_whole(self) -> Result<Vec<u8>> {
        match self.data {
            Data::Memory(plain) => Ok(plain),
            Data::File { file, len, .. } => {
                check_len(len, self.limits.memory)?;
                let mut plain = Vec::new();
                reserve(&mut plain, len as usize)?;
                plain.resize(len as usize, 0);
                file.read_exact_at(&mut plain, 0)?;
                Ok(plain)
            }
        }
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The metadata of the file when it was opened; `None` if bytes were given.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    /// The length of the file on disk.
    pub fn file_size(&self) -> u64 {
        self.file_size
    }

    /// The memory it was decompressed into, empty for a plain file.
    pub(crate) fn into_memory(self) -> Vec<u8> {
        match self.data {
            Data::Memory(plain) => plain,
            Data::File { .. } => Vec::new(),
        }
    }

    pub(crate) fn bytes<'d>(&'d self, arena: &'d Arena) -> Bytes<'d> {
        match &self.data {
            Data::File { file, len, head } => {
                Bytes::of_file(file, *len, head, arena, self.limits.memory)
            }
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

/// The bytes, decompressed.
fn memory(bytes: &[u8], limits: Limits) -> Result<Vec<u8>> {
    check_len(bytes.len() as u64, limits.file)?;
    match Compression::detect(bytes) {
        Some(format) => Unpacker::default().unpack(format, bytes, limits.memory),
        None => Ok(bytes.to_vec()),
    }
}

fn check_len(len: u64, limit: u64) -> Result<()> {
    match len {
        0 => Err(Problem::Empty),
        len if len > limit => Err(Problem::TooLarge { limit }),
        _ => Ok(()),
    }
}
