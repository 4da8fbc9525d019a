//! Turns files into a cpio archive in the `newc` form the kernel unpacks as its initramfs
//! (Documentation/driver-api/early-userspace/buffer-format.rst in the kernel source).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const CHARACTER: u32 = 0o020_000;

/// An archive being written; parent directories come by themselves.
pub struct Cpio<W> {
    out: W,
    inode: u32,
    names: BTreeSet<String>,
}

impl<W: Write> Cpio<W> {
    /// An empty archive.
    pub fn new(out: W) -> Cpio<W> {
        Cpio {
            out,
            inode: 0,
            names: BTreeSet::new(),
        }
    }

    /// A directory and its parents.
    pub fn dir(&mut self, name: &str) -> Result<()> {
        if name.is_empty() || !self.names.insert(name.to_owned()) {
            return Ok(());
        }
        self.parents(name)?;
        self.header(name, DIRECTORY | 0o755, 0, (0, 0))
    }

    /// A regular file with the given bytes.
    pub fn bytes(&mut self, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        self.entry(
            name,
            REGULAR | mode,
            u64::try_from(bytes.len())?,
            (0, 0),
            &mut &*bytes,
        )
    }

    /// A regular file with the bytes of another.
    pub fn file(&mut self, name: &str, mode: u32, source: &Path) -> Result<()> {
        let mut file = File::open(source).with_context(|| format!("open {}", source.display()))?;
        let len = file
            .metadata()
            .with_context(|| format!("stat {}", source.display()))?
            .len();
        self.entry(name, REGULAR | mode, len, (0, 0), &mut file)
            .with_context(|| format!("pack {}", source.display()))
    }

    /// A symbolic link.
    pub fn symlink(&mut self, name: &str, target: &str) -> Result<()> {
        self.entry(
            name,
            SYMLINK | 0o777,
            u64::try_from(target.len())?,
            (0, 0),
            &mut target.as_bytes(),
        )
    }

    /// A character device.
    pub fn device(&mut self, name: &str, major: u32, minor: u32) -> Result<()> {
        self.entry(name, CHARACTER | 0o600, 0, (major, minor), &mut io::empty())
    }

    /// Everything below a directory whose path, relative to it, `keep` accepts.
    pub fn tree(&mut self, name: &str, source: &Path, keep: &dyn Fn(&str) -> bool) -> Result<()> {
        self.dir(name)?;
        let read = || format!("read {}", source.display());
        let mut entries: Vec<_> = fs::read_dir(source)
            .with_context(read)?
            .collect::<Result<_, _>>()
            .with_context(read)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let file_name = entry.file_name();
            let file_name = file_name
                .to_str()
                .with_context(|| format!("{}: not UTF-8", entry.path().display()))?;
            if !keep(file_name) {
                continue;
            }
            let inner = format!("{name}/{file_name}");
            let kind = entry
                .file_type()
                .with_context(|| format!("stat {}", entry.path().display()))?;
            if kind.is_dir() {
                self.tree(&inner, &entry.path(), &|_| true)?;
            } else if kind.is_symlink() {
                let target = fs::read_link(entry.path())
                    .with_context(|| format!("readlink {}", entry.path().display()))?;
                self.symlink(&inner, &target.to_string_lossy())?;
            } else if kind.is_file() {
                self.file(&inner, 0o644, &entry.path())?;
            }
        }
        Ok(())
    }

    /// Ends the archive.
    pub fn finish(mut self) -> Result<W> {
        self.header("TRAILER!!!", 0, 0, (0, 0))?;
        self.out.flush().context("write the archive")?;
        Ok(self.out)
    }

    fn parents(&mut self, name: &str) -> Result<()> {
        name.rsplit_once('/')
            .map_or(Ok(()), |(parent, _)| self.dir(parent))
    }

    fn entry(
        &mut self,
        name: &str,
        mode: u32,
        len: u64,
        device: (u32, u32),
        data: &mut dyn io::Read,
    ) -> Result<()> {
        if !self.names.insert(name.to_owned()) {
            bail!("{name}: twice in the archive");
        }
        self.parents(name)?;
        self.header(name, mode, u32::try_from(len)?, device)?;
        let copied = io::copy(data, &mut self.out).context("write the archive")?;
        if copied != len {
            bail!("{name}: {copied} bytes instead of {len}");
        }
        self.pad(len)
    }

    fn header(&mut self, name: &str, mode: u32, len: u32, device: (u32, u32)) -> Result<()> {
        self.inode += 1;
        let name_len = u32::try_from(name.len() + 1)?;
        let fields = [
            self.inode, mode, 0, 0, 1, 0, len, 0, 0, device.0, device.1, name_len, 0,
        ]
        .map(|f| format!("{f:08x}"));
        write!(self.out, "070701{}{name}\0", fields.concat()).context("write the archive")?;
        self.pad(110 + u64::from(name_len))
    }

    fn pad(&mut self, len: u64) -> Result<()> {
        let zeros = usize::try_from((4 - len % 4) % 4)?;
        self.out
            .write_all([0u8; 3].get(..zeros).unwrap_or_default())
            .context("write the archive")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_of_one_file() -> Result<()> {
        let mut cpio = Cpio::new(Vec::new());
        cpio.bytes("d/f", 0o644, b"hello")?;
        let out = cpio.finish()?;
        let text = String::from_utf8_lossy(&out);
        assert!(text.starts_with("070701"), "magic");
        let (dir, file) = (text.find("d\0"), text.find("d/f\0"));
        assert!(
            dir < file && dir.is_some(),
            "the directory comes before its file"
        );
        assert!(
            text.contains("d/f\0\0\0hello\0\0\x00070701"),
            "both parts are padded to four bytes: {text:?}"
        );
        assert_eq!(out.len() % 4, 0);
        Ok(())
    }
}
