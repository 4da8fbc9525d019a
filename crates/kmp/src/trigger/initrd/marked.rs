//! Finds the modules that are marked for initrds, and the files they need.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kmodule::{kmod_name, normalized};
use modtree::INITRD_LIST;

use crate::trigger::fixed_names::read;

/// Where lists for all kernels are, those of packages and those of the administrator. Of two files
/// with one name the later counts.
const LISTS: [&str; 2] = ["usr/lib/kmpkit/initrd.d", "etc/kmpkit/initrd.d"];

/// The names of marked modules, with underscores. A list that cannot be read, which may be another
/// package's mistake, is logged and keeps no initrd from being made.
pub(super) fn marked(root: &Path, directory: &Path) -> BTreeSet<Vec<u8>> {
    let mut lists: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for below in LISTS.map(|below| root.join(below)) {
        match lists_in(&below) {
            Ok(found) => lists.extend(found),
            Err(error) => log::error!("{}: {error}", below.display()),
        }
    }
    let mut marked = BTreeSet::new();
    for path in lists.into_values().chain([directory.join(INITRD_LIST)]) {
        match read(&path) {
            Ok(text) => marked.extend(module_list(&path, &text.unwrap_or_default())),
            Err(_) if is_masked(&path) => {}
            Err(error) => log::error!("{}: {error}", path.display()),
        }
    }
    marked
}

/// Whether an administrator has put nothing in the place of a list of a package.
fn is_masked(list: &Path) -> bool {
    fs::read_link(list).is_ok_and(|target| target == Path::new("/dev/null"))
}

/// Lists by their file names.
fn lists_in(directory: &Path) -> io::Result<Vec<(OsString, PathBuf)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let lists = entries
        .into_iter()
        .map(|entry| (entry.file_name(), entry.path()))
        .filter(|(_, path)| path.extension() == Some(OsStr::new("list")));
    Ok(lists.collect())
}

/// The modules that a list names, one a line. A wrong line, which may be another package's mistake,
/// is logged and keeps no initrd from being made.
pub(in crate::trigger) fn module_list(path: &Path, text: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+~,".contains(byte);
        match line.iter().all(good) {
            true => names.push(normalized(line).into_owned()),
            false => log::error!(
                "{}: line {}: {:?} is not the name of a module",
                path.display(),
                number + 1,
                String::from_utf8_lossy(line)
            ),
        }
    }
    names
}

/// The paths of marked modules and of all modules they need, as modules.dep has them.
pub(in crate::trigger) fn wanted_files<'d>(
    dep: &'d [u8],
    marked: &BTreeSet<Vec<u8>>,
) -> BTreeSet<&'d [u8]> {
    let mut wanted = BTreeSet::new();
    for line in dep.split(|&byte| byte == b'\n') {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let module = parts.next().unwrap_or_default();
        if marked.contains(&*name(module)) {
            wanted.insert(module);
            let needs = parts.next().unwrap_or_default();
            let needs = needs.split(|&byte| byte == b' ');
            wanted.extend(needs.filter(|path| !path.is_empty()));
        }
    }
    wanted
}

/// The name of the module at a path.
fn name(path: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    kmod_name(path.rsplit(|&byte| byte == b'/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_marked_module_and_all_it_needs() {
        let dep =
            b"kernel/a-b.ko.xz: kernel/c.ko kernel/d.ko\nkernel/c.ko:\n/x/e.ko: kernel/c.ko\n\
                    kernel/f.ko: kernel/a-b.ko.xz\n";
        let of = |names: &[&str]| {
            let marked = names.iter().map(|name| name.as_bytes().to_vec()).collect();
            let wanted = wanted_files(dep, &marked).into_iter();
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
        assert_eq!(module_list(Path::new("l"), text), wanted);
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
            ("usr/lib/kmpkit/initrd.d/masked.list", "masked"),
            ("m/kmpkit-initrd.list", "own"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let etc = root.join("etc/kmpkit/initrd.d");
        symlink("/dev/null", etc.join("masked.list")).unwrap();
        // What is no list stops no other.
        symlink("b.list", etc.join("link.list")).unwrap();
        fs::create_dir(etc.join("directory.list")).unwrap();
        let found = marked(root, &root.join("m"));
        let found: Vec<_> = found
            .iter()
            .map(|name| String::from_utf8_lossy(name))
            .collect();
        assert_eq!(found, ["a", "other", "own"]);
    }
}
