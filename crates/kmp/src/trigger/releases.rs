//! Finds kernelreleases in the paths of packages, and in directories.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Where modules lie.
pub(super) const MODULE_DIRECTORIES: [&str; 2] = ["/lib/modules", "/usr/lib/modules"];

/// The parts of paths, one a line, below a directory; other paths are left out.
pub(super) fn below<'p>(paths: &'p [u8], directory: &'p Path) -> impl Iterator<Item = &'p [u8]> {
    let directory = directory.as_os_str().as_bytes();
    let lines = paths.split(|&byte| byte == b'\n');
    lines.filter_map(|path| path.strip_prefix(directory)?.strip_prefix(b"/"))
}

/// The releases whose directories below a watched directory have some of these paths.
pub(super) fn of_paths(paths: &[u8], watched: &Path) -> BTreeSet<String> {
    let names = below(paths, watched).filter_map(|below| below.split(|&byte| byte == b'/').next());
    names.filter_map(release).collect()
}

/// The releases that have an entry in a directory.
pub(super) fn in_directory(directory: &Path) -> Result<BTreeSet<String>> {
    let names = fs::read_dir(directory).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()
    });
    match names {
        Ok(names) => Ok(names
            .iter()
            .map(|name| OsStr::as_bytes(name))
            .filter_map(release)
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error).with_context(|| directory.display().to_string()),
    }
}

/// A name that depmod takes for a release and that is only a file name.
fn release(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let good = depmod::is_release(name) && modtree::is_plain_path(name) && !name.contains('/');
    good.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_first_components_that_look_like_one() {
        let paths = "/lib/modules/6.1.0-50-amd64/kernel/a.ko\n/lib/modules/6.1.0-50-amd64\n\
                     /lib/modules/5.10-x/updates\n/lib/modules/../../etc\n/lib/modules/kabi/x\n\
                     /lib/modules-load.d/6.2/x\n/usr/lib/modules/6.3/x\n/lib/modules/6.4 x/y\n/lib/modules\n";
        let found = of_paths(paths.as_bytes(), Path::new("/lib/modules"));
        assert_eq!(Vec::from_iter(found), ["5.10-x", "6.1.0-50-amd64"]);
    }
}
