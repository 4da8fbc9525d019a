//! Lists of marked modules and a kernel's modules.dep in, whether an initrd of them is due out.
//!
//! What has changed is not taken from rpm either: a record beside the indexes says which files the
//! last initrd was made of, by what the file system said of them. So what a killed transaction, a
//! tool that failed or a kernel that came after its modules left undone is done by the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use facts::INITRD_RECORD_NAME;
use kmod_index::IndexFile;
use modtree::INITRD_LIST;

use super::kernel::Kernel;
use super::stamp::stamp;

/// Lists of packages other than the kernel's and of the administrator, for all kernels; of two files of one name the
/// later counts.
const LISTS: [&str; 2] = ["usr/lib/kmpkit/initrd.d", "etc/kmpkit/initrd.d"];

/// A kernel whose marked modules are not those its initrd was made of.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) kernel: Kernel,
    /// What is recorded when there is an initrd of them.
    picture: String,
}

impl Due {
    /// `None` where nothing has changed.
    ///
    /// # Errors
    /// A list, modules.dep or the record cannot be read.
    pub(super) fn of(root: &Path, kernel: Kernel) -> Result<Option<Self>> {
        let marked = marked(root, &kernel.directory)?;
        let picture = match marked.is_empty() {
            true => String::new(),
            false => {
                let dep = read(&kernel.directory.join(IndexFile::Dep.name()))?;
                picture(&kernel.directory, &wanted(&dep, &marked))
            }
        };
        let record = read(&kernel.directory.join(INITRD_RECORD_NAME))?;
        let is_due = picture.as_bytes() != record;
        Ok(is_due.then_some(Self { kernel, picture }))
    }

    /// Records that there is an initrd of these modules now. Half a record is another one: then an
    /// initrd is made once more.
    ///
    /// # Errors
    /// The record cannot be written.
    pub(super) fn done(&self) -> Result<()> {
        let path = self.kernel.directory.join(INITRD_RECORD_NAME);
        let done = match self.picture.is_empty() {
            true => fs::remove_file(&path),
            false => fs::write(&path, &self.picture),
        };
        done.with_context(|| path.display().to_string())
    }
}

/// The names of marked modules, with underscores.
fn marked(root: &Path, directory: &Path) -> Result<BTreeSet<Vec<u8>>> {
    let mut lists: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for below in LISTS {
        lists.extend(lists_in(&root.join(below))?);
    }
    let mut marked = BTreeSet::new();
    for path in lists.into_values().chain([directory.join(INITRD_LIST)]) {
        marked.extend(names(&path, &read(&path)?));
    }
    Ok(marked)
}

/// Lists by their file names.
fn lists_in(directory: &Path) -> Result<Vec<(OsString, PathBuf)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let entries = entries.with_context(|| directory.display().to_string())?;
    let lists = entries
        .into_iter()
        .map(|entry| (entry.file_name(), entry.path()))
        .filter(|(_, path)| path.extension() == Some(OsStr::new("list")));
    Ok(lists.collect())
}

/// The modules a list names, one a line. Another package's mistake is told and keeps nobody from
/// an initrd.
fn names(path: &Path, text: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+~,".contains(byte);
        match line.iter().all(good) {
            true => names.push(with_underscores(line)),
            false => log::error!(
                "{}: line {}: {:?} is no name of a module",
                path.display(),
                number + 1,
                String::from_utf8_lossy(line)
            ),
        }
    }
    names
}

/// The paths of marked modules and of all that they need, as modules.dep has them.
fn wanted<'d>(dep: &'d [u8], marked: &BTreeSet<Vec<u8>>) -> BTreeSet<&'d [u8]> {
    let mut wanted = BTreeSet::new();
    for line in dep.split(|&byte| byte == b'\n') {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let module = parts.next().unwrap_or_default();
        if marked.contains(&name(module)) {
            wanted.insert(module);
            let needs = parts.next().unwrap_or_default();
            let needs = needs.split(|&byte| byte == b' ');
            wanted.extend(needs.filter(|path| !path.is_empty()));
        }
    }
    wanted
}

/// The name of the module at a path.
fn name(path: &[u8]) -> Vec<u8> {
    let file = path.rsplit(|&byte| byte == b'/').next();
    let name = file.and_then(|file| file.split(|&byte| byte == b'.').next());
    with_underscores(name.unwrap_or_default())
}

fn with_underscores(name: &[u8]) -> Vec<u8> {
    let underscore = |&byte: &u8| if byte == b'-' { b'_' } else { byte };
    name.iter().map(underscore).collect()
}

/// Stamps of files, a line for each.
fn picture(directory: &Path, paths: &BTreeSet<&[u8]>) -> String {
    let mut picture = String::new();
    for path in paths {
        let path = Path::new(OsStr::from_bytes(path));
        let stamp = stamp(&directory.join(path));
        // A String takes everything.
        let _ = writeln!(picture, "{} {stamp}", path.display());
    }
    picture
}

/// The contents of a file; of none, nothing.
fn read(path: &Path) -> Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.with_context(|| path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_module_and_all_it_needs() {
        let dep =
            b"kernel/a-b.ko.xz: kernel/c.ko kernel/d.ko\nkernel/c.ko:\n/x/e.ko: kernel/c.ko\n\
                    kernel/f.ko: kernel/a-b.ko.xz\n";
        let of = |names: &[&str]| {
            let marked = names.iter().map(|name| name.as_bytes().to_vec()).collect();
            let wanted = wanted(dep, &marked).into_iter();
            wanted.map(String::from_utf8_lossy).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&["a_b"]),
            ["kernel/a-b.ko.xz", "kernel/c.ko", "kernel/d.ko"]
        );
        assert_eq!(of(&["e", "c"]), ["/x/e.ko", "kernel/c.ko"]);
        assert!(of(&["b"]).is_empty());
    }

    #[test]
    fn a_list_has_names_comments_and_empty_lines() {
        let text = b"# a comment\nxhci-pci\n\n  nvme \nkernel/a.ko\nb.ko\nlast";
        let wanted: Vec<_> = ["xhci_pci", "nvme", "last"]
            .map(|name| name.as_bytes().to_vec())
            .into();
        assert_eq!(names(Path::new("l"), text), wanted);
    }

    #[test]
    fn lists_of_the_administrator_replace_those_of_packages() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for (path, text) in [
            ("usr/lib/kmpkit/initrd.d/a.list", "a"),
            ("usr/lib/kmpkit/initrd.d/b.list", "b"),
            ("usr/lib/kmpkit/initrd.d/c.conf", "c"),
            ("etc/kmpkit/initrd.d/b.list", "other"),
            ("m/kmpkit-initrd.list", "own"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = marked(root, &root.join("m")).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|name| String::from_utf8_lossy(name))
            .collect();
        assert_eq!(found, ["a", "other", "own"]);
    }
}
