//! Reads and writes files with fixed names as root: no link is followed, and nothing but a regular file
//! is read or replaced half.
//!
//! Others may be allowed to write where modules lie. A link there must not lead root to a file that it
//! truncates, and no pipe may keep a transaction waiting.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

/// The contents of a regular file; `None` if there is no file.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(io::Error::other("is a link, which is not followed")),
        Err(error) => return Err(error.into()),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Puts a file in the place of whatever has its name, which is not opened.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}-"))
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(path.parent().unwrap_or(Path::new("/")))?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn only_regular_files_are_read() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::write(path("file"), "text").unwrap();
        symlink("file", path("link")).unwrap();
        fs::create_dir(path("directory")).unwrap();
        mknodat(CWD, path("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(read(&path("file")).unwrap().unwrap(), b"text");
        assert!(read(&path("missing")).unwrap().is_none());
        for name in ["link", "directory", "pipe"] {
            assert!(read(&path(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_link_is_replaced_and_not_what_it_leads_to() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::write(path("victim"), "kept").unwrap();
        symlink("victim", path("link")).unwrap();
        replace(&path("link"), b"new").unwrap();
        assert_eq!(fs::read(path("victim")).unwrap(), b"kept");
        assert!(path("link").symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read(path("link")).unwrap(), b"new");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }
}
