//! Finds a directory in a root without leaving the root through a link.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

/// How many links a path may have (linux/include/linux/namei.h, `MAXSYMLINKS`).
const LINKS: usize = 40;

/// Where a path below a root leads if links are followed as a system sees them whose root it is. `None`
/// if the path as it is leads there, too.
///
/// # Errors
/// There are too many links.
pub(super) fn confined(root: &Path, below: &Path) -> io::Result<Option<PathBuf>> {
    let mut links = 0;
    let mut leaves = false;
    let mut inside = PathBuf::new();
    let mut rest = parts(below);
    while let Some(part) = rest.pop() {
        if part == ".." {
            leaves |= !inside.pop();
            continue;
        }
        let path = inside.join(&part);
        match fs::read_link(root.join(&path)) {
            Ok(target) => {
                links += 1;
                if links > LINKS {
                    return Err(Errno::LOOP.into());
                }
                if target.is_absolute() {
                    leaves = true;
                    inside.clear();
                }
                rest.extend(parts(&target));
            }
            // No link, or not there.
            Err(_) => inside = path,
        }
    }
    Ok(leaves.then(|| root.join(inside)))
}

/// The parts of a path, the last first.
fn parts(path: &Path) -> Vec<OsString> {
    let part = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(part).rev().collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_lead_where_the_system_sees_them_lead() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir_all(root.join("usr/lib/modules/6.1")).unwrap();
        for (target, link) in [
            ("usr/lib", "lib"),
            ("/usr/lib", "abs"),
            ("../../../../../../../usr/lib", "up"),
            ("circle", "circle"),
            ("/abs/modules", "twice"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let lead = |path: &str| confined(root, Path::new(path));
        let there = Some(root.join("usr/lib/modules/6.1"));
        for plain in ["lib/modules/6.1", "usr/lib/modules/6.1", "none/modules/6.1"] {
            assert_eq!(lead(plain).unwrap(), None, "{plain}");
        }
        for path in [
            "abs/modules/6.1",
            "up/modules/6.1",
            "twice/6.1",
            "../lib/modules/6.1",
        ] {
            assert_eq!(lead(path).unwrap(), there, "{path}");
        }
        assert!(lead("circle/6.1").is_err());
    }
}
