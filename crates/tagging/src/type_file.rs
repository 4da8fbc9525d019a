//! Writes the file of a tag cache that has all tags of one dependency type.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use policy::TagKind;

use crate::Error;

/// All tags of one type, in rpm's multifile format: `;<path>`, then the tags of that file, each on
/// a line.
pub(crate) struct TypeFile {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    len: usize,
}

impl TypeFile {
    /// Makes the file, whose name is that of the type in small letters.
    pub(crate) fn new(kind: TagKind, directory: &Path) -> Result<Self, Error> {
        let name = kind.as_str().to_ascii_lowercase();
        let path = directory.join(&name);
        let file = File::create(&path).map_err(Error::io(&path))?;
        Ok(Self {
            name,
            path,
            file: BufWriter::with_capacity(64 << 10, file),
            len: 0,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Appends the tags of the file at `path` and returns where they begin.
    pub(crate) fn append(&mut self, path: &Path, tags: &[u8]) -> Result<usize, Error> {
        let head = [b";", path.as_os_str().as_bytes(), b"\n"].concat();
        let mut write = || {
            self.file.write_all(&head)?;
            self.file.write_all(tags)
        };
        write().map_err(Error::io(&self.path))?;
        let offset = self.len + head.len();
        self.len = offset + tags.len();
        Ok(offset)
    }

    pub(crate) fn finish(self) -> Result<(), Error> {
        let flushed = self.file.into_inner();
        flushed.map_err(|error| Error::io(&self.path)(error.into_error()))?;
        Ok(())
    }
}
