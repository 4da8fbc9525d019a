//! A directory in, the entries of it that can matter out, in the order the file system lists them.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use crate::stamp::Stamp;

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A link or something odd: what it leads to may change without the directory.
    Other,
}

/// One directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its device and inode.
    pub identity: (u64, u64),
    /// While it is the same, so are the entries; `None` where they may have changed in the moment they
    /// were read.
    pub stamp: Option<Stamp>,
    /// Names and what they are.
    pub entries: Vec<(Vec<u8>, Kind)>,
}

impl Listing {
    /// Lists a directory, without the plain files that `wanted` does not want.
    ///
    /// # Errors
    /// It cannot be opened; where reading breaks off, it ends.
    pub fn read(directory: &[u8], wanted: impl Fn(&[u8]) -> bool) -> io::Result<Self> {
        let now = SystemTime::now();
        let stamp = Self::stamp_of(directory).ok();
        let mut entries = Vec::new();
        let mut is_whole = true;
        for entry in fs::read_dir(OsStr::from_bytes(directory))? {
            let Ok(entry) = entry else {
                is_whole = false;
                break;
            };
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_file() => Kind::File,
                Ok(kind) if kind.is_dir() => Kind::Directory,
                _ => Kind::Other,
            };
            let name = entry.file_name().as_bytes().to_vec();
            if kind != Kind::File || wanted(&name) {
                entries.push((name, kind));
            }
        }
        let identity = stamp.map(|stamp| (stamp.device, stamp.inode));
        Ok(Self {
            identity: identity.unwrap_or_default(),
            stamp: stamp.filter(|stamp| is_whole && stamp.is_settled(now)),
            entries,
        })
    }

    /// Whether the directory is as it was when it was read, by what the file system says of it.
    pub fn is_current(&self, directory: &[u8]) -> bool {
        let now = || Self::stamp_of(directory).ok();
        self.stamp.is_some() && self.stamp == now()
    }

    /// Whether this is the same directory with the same entries, whatever its times.
    pub(crate) fn shows_the_same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (self.identity == other.identity && self.entries == other.entries)
    }

    /// Device and inode of a directory.
    ///
    /// # Errors
    /// It is not there.
    pub fn identity_of(directory: &[u8]) -> io::Result<(u64, u64)> {
        let meta = fs::metadata(OsStr::from_bytes(directory))?;
        Ok((meta.dev(), meta.ino()))
    }

    fn stamp_of(directory: &[u8]) -> io::Result<Stamp> {
        let meta = fs::metadata(OsStr::from_bytes(directory))?;
        Ok(Stamp::new(&meta))
    }
}
