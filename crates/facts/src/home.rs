//! Decides where what is known of a release's directory lies between runs.
//!
//! It lies outside that directory. So whoever removes a kernel finds there what kmod's depmod leaves
//! and nothing else, and neither packages nor images get files that differ from build to build.
//!
//! A home has a directory for each release's directory, named by its path: `usr%2Flib%2Fmodules%2F6.1`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The home of a system, below its root. Nothing in it is needed: what is missing is found out again.
const SYSTEM: &str = "var/lib/kmpkit/facts";

/// The longest name a file can have (linux/include/uapi/linux/limits.h).
const NAME_MAX: usize = 255;

/// The directory with all that is known of releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsHome {
    path: PathBuf,
    /// What the paths of releases' directories begin in.
    root: PathBuf,
}

impl FactsHome {
    /// The home that a system has for its own releases.
    pub fn of_system(root: &Path) -> Self {
        Self {
            path: root.join(SYSTEM),
            root: root.to_owned(),
        }
    }

    /// A home that somebody chose, for releases of any root.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            root: "/".into(),
        }
    }

    /// Where what is known of a release's directory lies. All paths of the directory lead to the same
    /// place. `None` if it is not there, lies outside the root, or its path is too long for a name.
    pub fn place_of(&self, release: &Path) -> Option<PathBuf> {
        let release = release.canonicalize().ok()?;
        let below = release.strip_prefix(self.root.canonicalize().ok()?).ok()?;
        let name = escaped(below.as_os_str());
        let fits = !name.is_empty() && name.len() <= NAME_MAX;
        fits.then(|| self.path.join(name))
    }

    /// Removes what is known of releases whose directories are gone. Whoever removed them need not
    /// know of us.
    pub fn remove_gone(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let release = unescaped(&entry.file_name());
            let is_gone = |release: PathBuf| {
                let there = self.root.join(release).symlink_metadata();
                there.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
            };
            // A name without a slash is none of ours.
            if release.is_some_and(is_gone) {
                self.remove(&entry.path());
            }
        }
    }

    /// Removes all that is known, and the directories that held it.
    pub fn remove_all(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            self.remove(&entry.path());
        }
    }

    /// Removes what is known of one release, and a system's home with the last one.
    pub fn remove(&self, place: &Path) {
        if let Err(error) = fs::remove_dir_all(place) {
            log::debug!("{}: {error}", place.display());
        }
        let own = self
            .path
            .strip_prefix(&self.root)
            .is_ok_and(|below| below == Path::new(SYSTEM));
        let parents = place.ancestors().skip(1).take(if own { 2 } else { 0 });
        for parent in parents {
            // Others still have something there.
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
    }
}

/// A path as the name of a file.
fn escaped(path: &OsStr) -> OsString {
    let mut name = Vec::new();
    for &byte in path.as_bytes() {
        match byte {
            b'/' => name.extend(b"%2F"),
            b'%' => name.extend(b"%25"),
            _ => name.push(byte),
        }
    }
    OsString::from_vec(name)
}

/// The path that has this name; `None` if no path with a directory in it has.
fn unescaped(name: &OsStr) -> Option<PathBuf> {
    let mut parts = name.as_bytes().split(|&byte| byte == b'%');
    let mut path = parts.next()?.to_vec();
    for part in parts {
        let rest = match part {
            [b'2', b'F', rest @ ..] => {
                path.push(b'/');
                rest
            }
            [b'2', b'5', rest @ ..] => {
                path.push(b'%');
                rest
            }
            _ => return None,
        };
        path.extend_from_slice(rest);
    }
    let path = PathBuf::from(OsString::from_vec(path));
    path.parent()?.parent()?;
    Some(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn names_lead_back_to_paths() {
        for path in ["lib/modules/6.1", "usr/lib/modules/6.1%2F-x", "a/b"] {
            let name = escaped(OsStr::new(path));
            assert!(!name.as_bytes().contains(&b'/'));
            assert_eq!(unescaped(&name), Some(PathBuf::from(path)));
        }
        for name in ["modules", "x%2", "x%2Gy", ""] {
            assert_eq!(unescaped(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn two_paths_of_a_directory_have_one_place_and_two_roots_have_two() {
        let [one, two] = [(); 2].map(|()| {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join("usr/lib/modules/6.1")).unwrap();
            symlink("usr/lib", root.path().join("lib")).unwrap();
            root
        });
        let place = |root: &Path, path: &str| FactsHome::of_system(root).place_of(&root.join(path));
        let of_usr = place(one.path(), "usr/lib/modules/6.1").unwrap();
        assert_eq!(place(one.path(), "lib/modules/6.1").unwrap(), of_usr);
        let of_two = place(two.path(), "usr/lib/modules/6.1").unwrap();
        assert!(of_usr != of_two && of_usr.file_name() == of_two.file_name());
        assert_eq!(place(one.path(), "lib/modules/6.2"), None);
    }

    #[test]
    fn what_is_known_of_a_release_goes_with_its_directory() {
        let root = tempfile::tempdir().unwrap();
        let home = FactsHome::of_system(root.path());
        let [gone, here] = ["6.1", "6.2"].map(|release| {
            let directory = root.path().join("lib/modules").join(release);
            fs::create_dir_all(&directory).unwrap();
            let place = home.place_of(&directory).unwrap();
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("depmod"), "").unwrap();
            (directory, place)
        });
        fs::remove_dir(gone.0).unwrap();
        home.remove_gone();
        assert!(!gone.1.exists() && here.1.exists());
        fs::remove_dir(here.0).unwrap();
        home.remove_gone();
        assert!(!root.path().join("var/lib/kmpkit").exists());
        assert!(root.path().join("var/lib").exists());
    }
}
