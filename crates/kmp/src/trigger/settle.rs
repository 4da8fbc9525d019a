//! Brings what triggers are about up to date: indexes first, then initrds, one release after another.
//!
//! A release keeps its mark, or gets one, unless all of it is right. So the next transaction makes up
//! for what failed, whichever kernel it is about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use facts::FactsHome;

use super::initrd::Initrds;
use super::outcome::Outcome;
use super::releases::MODULE_DIRECTORIES;
use super::spool::Spool;
use super::update::update;

/// Updates the releases that changed below each directory with modules and the marked ones, each
/// once; then the initrds. Facts are kept in `home`. Says whether nothing failed. What fails for one release is logged and stops
/// no other.
pub(super) fn settle(
    root: &Path,
    changed: impl Fn(&Path) -> Result<BTreeSet<String>>,
    initrds: &Initrds,
    home: Option<&FactsHome>,
) -> bool {
    let mut good = true;
    // Where /usr is merged, a kernel has a name below either directory.
    let mut seen = BTreeSet::new();
    for watched in MODULE_DIRECTORIES.map(Path::new) {
        let modules = Modules::new(root, watched);
        let mut releases = logged(modules.spool.releases(), &mut good).unwrap_or_default();
        releases.extend(logged(changed(watched), &mut good).unwrap_or_default());
        let mut indexed = Vec::new();
        for release in releases {
            let directory = modules.directory.join(&release);
            if !seen.insert(directory.canonicalize().unwrap_or(directory)) {
                good &= modules.settled(&release, Outcome::Right);
                continue;
            }
            // A trigger that is killed leaves the mark.
            logged(modules.spool.add(&release), &mut good);
            match update(root, &modules.directory, &release, home) {
                Ok(Some(release)) => indexed.push(release),
                Ok(None) => good &= modules.settled(&release, Outcome::Right),
                Err(error) => {
                    log::error!("{}/{release}: {error:#}", watched.display());
                    good &= modules.settled(&release, Outcome::Failed);
                }
            }
        }
        for (release, outcome) in initrds.update(watched, indexed) {
            good &= modules.settled(&release, outcome);
        }
    }
    good
}

/// A directory with modules of releases, and the marks of these.
struct Modules {
    directory: PathBuf,
    spool: Spool,
}

impl Modules {
    fn new(root: &Path, watched: &Path) -> Self {
        Self {
            directory: root.join(watched.strip_prefix("/").unwrap_or(watched)),
            spool: Spool::new(root, watched),
        }
    }

    /// Removes the mark of a release if all of it is right; says whether nothing failed.
    fn settled(&self, release: &str, outcome: Outcome) -> bool {
        let mut good = outcome != Outcome::Failed;
        if outcome == Outcome::Right {
            logged(self.spool.remove(release), &mut good);
        }
        good
    }
}

/// What there is if nothing failed. A failure is logged, and is no longer good.
pub(super) fn logged<T>(result: Result<T>, good: &mut bool) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            log::error!("{error:#}");
            *good = false;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use anyhow::bail;

    use super::*;

    const MARKS: &str = "var/lib/kmpkit/touched/lib/modules";

    /// A root with a kernel of which no indexes can be made, and one with nothing wrong.
    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in ["6.1-bad/modules.dep/in-the-way", "6.2-good/vmlinuz"] {
            let path = root.path().join("lib/modules").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    fn settled(root: &Path, releases: &[&str]) -> bool {
        let initrds = Initrds::new(root, None);
        let changed = |watched: &Path| {
            let releases = releases.iter().map(|release| (*release).to_owned());
            Ok(match watched == Path::new("/lib/modules") {
                true => releases.collect(),
                false => BTreeSet::new(),
            })
        };
        settle(root, changed, &initrds, None)
    }

    fn has(root: &Path, path: &str) -> bool {
        root.join(path).exists()
    }

    #[test]
    fn what_failed_stays_marked_until_it_is_right() {
        let root = root();
        let root = root.path();
        assert!(!settled(root, &["6.1-bad", "6.2-good"]));
        assert!(has(root, "lib/modules/6.2-good/modules.dep.bin"));
        let marks: Vec<_> = fs::read_dir(root.join(MARKS)).unwrap().collect();
        assert_eq!(marks.len(), 1);
        assert!(has(root, &format!("{MARKS}/6.1-bad")));
        assert!(!settled(root, &[]), "it is tried again");
        fs::remove_dir_all(root.join("lib/modules/6.1-bad/modules.dep")).unwrap();
        fs::write(root.join("lib/modules/6.1-bad/vmlinuz"), "").unwrap();
        assert!(settled(root, &[]));
        assert!(has(root, "lib/modules/6.1-bad/modules.dep.bin"));
        assert!(!has(root, "var/lib/kmpkit"));
    }

    #[test]
    fn a_wrong_file_among_the_marks_stops_nobody_else() {
        let root = root();
        let root = root.path();
        fs::create_dir_all(root.join(MARKS).join("6.1-bad/full")).unwrap();
        fs::remove_dir_all(root.join("lib/modules/6.1-bad")).unwrap();
        assert!(!settled(root, &["6.2-good"]));
        assert!(has(root, "lib/modules/6.2-good/modules.dep.bin"));
        assert!(!has(root, &format!("{MARKS}/6.2-good")));

        fs::remove_dir_all(root.join(MARKS)).unwrap();
        fs::remove_file(root.join("lib/modules/6.2-good/modules.dep.bin")).unwrap();
        fs::write(root.join(MARKS), "").unwrap();
        assert!(!settled(root, &["6.2-good"]));
        assert!(has(root, "lib/modules/6.2-good/modules.dep.bin"));
    }

    #[test]
    fn a_driver_waits_for_its_kernel() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let directory = root.join("lib/modules/6.4-later");
        fs::create_dir_all(directory.join("updates")).unwrap();
        fs::write(directory.join("updates/a.ko"), "").unwrap();
        assert!(settled(root, &["6.4-later"]));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::write(directory.join("modules.order"), "").unwrap();
        assert!(settled(root, &["6.4-later"]));
        assert!(directory.join("modules.dep.bin").exists());
        fs::remove_file(directory.join("modules.order")).unwrap();
        assert!(settled(root, &["6.4-later"]));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        assert!(!has(root, "var/lib/kmpkit"));
    }

    #[test]
    fn a_directory_that_cannot_be_read_stops_not_the_other() {
        let root = root();
        let root = root.path();
        let usr = root.join("usr/lib/modules/6.3-usr");
        fs::create_dir_all(&usr).unwrap();
        fs::write(usr.join("vmlinuz"), "").unwrap();
        let changed = |watched: &Path| match watched == Path::new("/lib/modules") {
            true => bail!("unreadable"),
            false => Ok(BTreeSet::from(["6.3-usr".to_owned()])),
        };
        assert!(!settle(root, changed, &Initrds::new(root, None), None));
        assert!(usr.join("modules.dep.bin").exists());
    }
}
