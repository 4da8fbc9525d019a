//! Lists a directory: the entries that can matter, in the order of the file system.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::stamp::FileStamp;

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A link or something odd: what it leads to may change while the directory does not.
    Other,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name.
    pub name: Vec<u8>,
    /// What it is the name of.
    pub kind: EntryKind,
}

/// What tells a directory from all others that are mounted now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryIdentity {
    /// Its device.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
}

/// The entries of one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryListing {
    /// Which directory it is.
    pub identity: DirectoryIdentity,
    /// While the directory has this stamp, it has these entries. `None` if they may have changed in
    /// the moment they were read.
    pub stamp: Option<FileStamp>,
    /// Its entries.
    pub entries: Vec<DirectoryEntry>,
}

/// A directory that modules were looked for in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDirectory {
    /// Its path below the release's directory, which is empty for that one itself; the whole path of
    /// a directory elsewhere.
    pub path: Vec<u8>,
    /// What is in it.
    pub listing: Arc<DirectoryListing>,
}

impl DirectoryIdentity {
    /// The identity of the directory a path leads to.
    ///
    /// # Errors
    /// There is none.
    pub fn of(directory: &[u8]) -> io::Result<Self> {
        Ok(Self::from(&stamp_of(directory)?))
    }
}

impl From<&FileStamp> for DirectoryIdentity {
    fn from(stamp: &FileStamp) -> Self {
        Self {
            device: stamp.device,
            inode: stamp.inode,
        }
    }
}

impl DirectoryListing {
    /// Lists a directory, without the plain files whose names `wanted` refuses. Where reading it
    /// fails midway, the listing ends there.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn read(directory: &[u8], wanted: impl Fn(&[u8]) -> bool) -> io::Result<Self> {
        let now = SystemTime::now();
        let stamp = stamp_of(directory).ok();
        let mut entries = Vec::new();
        let mut is_whole = true;
        for entry in fs::read_dir(OsStr::from_bytes(directory))? {
            let Ok(entry) = entry else {
                is_whole = false;
                break;
            };
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_file() => EntryKind::File,
                Ok(kind) if kind.is_dir() => EntryKind::Directory,
                _ => EntryKind::Other,
            };
            let name = entry.file_name().as_bytes().to_vec();
            if kind != EntryKind::File || wanted(&name) {
                entries.push(DirectoryEntry { name, kind });
            }
        }
        let identity = stamp.as_ref().map(DirectoryIdentity::from);
        Ok(Self {
            identity: identity.unwrap_or_default(),
            stamp: stamp.filter(|stamp| is_whole && stamp.is_settled(now)),
            entries,
        })
    }

    /// Whether the directory still has the stamp it had when it was listed.
    pub fn is_current(&self, directory: &[u8]) -> bool {
        let now = || stamp_of(directory).ok();
        self.stamp.is_some() && self.stamp == now()
    }

    /// Whether this is the same directory with the same entries, whatever its times are.
    pub(crate) fn has_same_entries(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (self.identity == other.identity && self.entries == other.entries)
    }
}

fn stamp_of(directory: &[u8]) -> io::Result<FileStamp> {
    FileStamp::of(Path::new(OsStr::from_bytes(directory)))
}
