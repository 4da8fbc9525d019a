//! However a tree changes, a run that knows the last one makes the indexes of a run that does not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod module;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use depmod::Updated;
use kmod_index::IndexFile;
use proptest::prelude::*;

use crate::scene::{Change, Scene, change, pause};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_those_of_a_full_run(
        steps in prop::collection::vec((prop::collection::vec(change(), 1..4), any::<bool>()), 1..12)
    ) {
        let mut scene = Scene::new();
        for path in [0, 1, 2, 9] {
            scene.apply(&Change::Replace { path, module: path });
        }
        pause();
        for (changes, rest) in steps {
            for change in &changes {
                scene.apply(change);
            }
            if rest {
                pause();
            }
            let (incremental, _) = scene.incremental();
            prop_assert_eq!(incremental, scene.full(), "after {:?}", changes);
        }
    }
}

/// What came, went or is another file, as package managers name it.
fn difference(
    before: &BTreeMap<PathBuf, [i64; 6]>,
    after: &BTreeMap<PathBuf, [i64; 6]>,
) -> Vec<PathBuf> {
    let paths = before.keys().chain(after.keys());
    let mut changed: Vec<_> = paths
        .filter(|path| before.get(*path) != after.get(*path))
        .cloned()
        .collect();
    changed.sort();
    changed.dedup();
    changed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Runs that are told all changes, in between one that is told none, and some that fail.
    #[test]
    fn bytes_of_a_run_that_is_told_are_those_of_a_full_run(
        steps in prop::collection::vec((prop::collection::vec(change(), 1..4), 0..8_u8), 1..14)
    ) {
        let mut scene = Scene::new();
        for path in [0, 1, 2, 9] {
            scene.apply(&Change::Replace { path, module: path });
        }
        pause();
        let mut before = BTreeMap::new();
        for (changes, how) in steps {
            for change in &changes {
                scene.apply(change);
                // A file system's clock is too coarse to tell two changes apart.
                pause();
            }
            let after = scene.snapshot();
            let changed = difference(&before, &after);
            before = after;
            let told = match how {
                // A directory for all that is in it.
                0 => Some(vec![scene.directory()]),
                // Below the directory.
                1 => Some(changed.iter().map(|path| path.strip_prefix(scene.directory()).unwrap_or(path).to_owned()).collect()),
                2 => None,
                _ => Some(changed),
            };
            let updated = scene.told(told);
            prop_assert_eq!(updated.map(|(outputs, _)| outputs), scene.full(), "after {:?}", changes);
        }
    }
}

#[test]
fn what_is_told_is_all_that_is_looked_at() {
    let mut scene = Scene::new();
    for path in [0, 1, 2, 9] {
        scene.apply(&Change::Replace { path, module: path });
    }
    pause();
    let read = |scene: &Scene, changed: &[&str]| {
        let changed = changed.iter().map(PathBuf::from).collect();
        scene.told(Some(changed)).unwrap().1
    };
    assert_eq!(read(&scene, &[]), Updated::Made { read: 4 });
    assert_eq!(read(&scene, &[]), Updated::Unchanged);
    // What nobody tells of is not seen.
    scene.apply(&Change::Overwrite {
        path: 1,
        module: 5,
        clamp: false,
    });
    scene.apply(&Change::Remove { path: 9 });
    pause();
    assert_eq!(read(&scene, &["kernel/a.ko"]), Updated::Unchanged);
    assert_eq!(read(&scene, &["kernel/b.ko"]), Updated::Made { read: 1 });
    assert_eq!(read(&scene, &["extra"]), Updated::Made { read: 0 });
    // A directory whose contents are named, too, stands for itself.
    scene.apply(&Change::Overwrite {
        path: 1,
        module: 6,
        clamp: false,
    });
    pause();
    assert_eq!(read(&scene, &["kernel", "kernel/a.ko"]), Updated::Unchanged);
    assert_eq!(read(&scene, &["kernel"]), Updated::Made { read: 1 });
    // Other releases, and the same tree by another path.
    assert_eq!(read(&scene, &["/elsewhere/x.ko"]), Updated::Unchanged);
    let link = scene.home().join("link");
    symlink(scene.home(), &link).unwrap();
    scene.apply(&Change::Remove { path: 1 });
    let by_link = link.join("tree/kernel/b.ko");
    let updated = read(&scene, &[by_link.to_str().unwrap()]);
    assert_eq!(updated, Updated::Made { read: 0 });
}

/// A copy that loses is no reason to make indexes, but may win when the configuration changes.
#[test]
fn a_copy_that_does_not_count_is_remembered() {
    let mut scene = Scene::new();
    for path in [0, 6] {
        scene.apply(&Change::Replace { path, module: path });
    }
    pause();
    scene.told(None).unwrap();
    scene.apply(&Change::Replace { path: 1, module: 0 });
    pause();
    let copy = vec![PathBuf::from("kernel/b.ko")];
    assert_eq!(scene.told(Some(copy)).unwrap().0, scene.full().unwrap());
    // Built-in directories are searched first now.
    scene.apply(&Change::Exclude { path: 2 });
    let outputs = scene.told(Some(Vec::new())).unwrap().0;
    assert_eq!(outputs, scene.full().unwrap());
    assert!(outputs[0].bytes.starts_with(b"kernel/b.ko:"));
}

/// Nothing in a store may lead astray: what is damaged is read again.
#[test]
fn damaged_stores() {
    let mut scene = Scene::new();
    for path in [0, 1, 2, 9] {
        scene.apply(&Change::Replace { path, module: path });
    }
    pause();
    scene.told(None).unwrap();
    let store = scene.place().join("depmod");
    let whole = fs::read(&store).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 41) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        for bytes in [&bytes[..], &whole[..at]] {
            fs::write(&store, bytes).unwrap();
            let index = scene.directory().join("modules.alias");
            fs::write(index, "nothing").unwrap();
            let (outputs, updated) = scene.told(Some(Vec::new())).unwrap();
            assert_eq!(outputs, scene.full().unwrap(), "byte {at}");
            assert_eq!(updated, Updated::Made { read: 4 }, "byte {at}");
        }
    }
    // That of an older version.
    let mut bytes = whole.clone();
    bytes[8] = 3;
    fs::write(&store, bytes).unwrap();
    assert_eq!(scene.incremental().1, Some(4));
    assert_eq!(scene.incremental().1, None);
}

/// What a run was told is lost when it is killed or fails, and the next is not told again.
#[test]
fn a_list_that_was_lost_is_not_missed() {
    let mut scene = Scene::new();
    for path in [0, 1] {
        scene.apply(&Change::Replace { path, module: path });
    }
    pause();
    scene.told(None).unwrap();
    scene.apply(&Change::Remove { path: 1 });
    let note = scene.place().join("running");
    fs::write(&note, "").unwrap();
    assert_eq!(
        scene.told(Some(Vec::new())).unwrap().0,
        scene.full().unwrap()
    );
    assert!(!note.exists());
    // Modules 6 and 7 need each other.
    scene.apply(&Change::Replace { path: 1, module: 6 });
    scene.apply(&Change::Replace { path: 9, module: 7 });
    pause();
    let both = ["kernel/b.ko", "extra/e.ko"].map(PathBuf::from).to_vec();
    assert!(scene.told(Some(both)).is_err());
    scene.apply(&Change::Remove { path: 9 });
    let one = vec![PathBuf::from("extra/e.ko")];
    assert_eq!(scene.told(Some(one)).unwrap().0, scene.full().unwrap());
}

/// Where the tree goes back to what it was and the facts do not, as in a snapshot without /var, a list
/// is none of what has changed since.
#[test]
fn a_list_is_worth_nothing_if_the_indexes_are_others() {
    let mut scene = Scene::new();
    for path in [0, 1] {
        scene.apply(&Change::Replace { path, module: path });
    }
    pause();
    scene.told(None).unwrap();
    let dep = scene.directory().join("modules.dep");
    let old = fs::read(&dep).unwrap();
    scene.apply(&Change::Remove { path: 1 });
    let removed = vec![PathBuf::from("kernel/b.ko")];
    assert_eq!(scene.told(Some(removed)).unwrap().0, scene.full().unwrap());
    scene.apply(&Change::Replace { path: 1, module: 1 });
    fs::write(dep, old).unwrap();
    assert_eq!(
        scene.told(Some(Vec::new())).unwrap().0,
        scene.full().unwrap()
    );
}

/// What kmod's depmod leaves in a directory, and nothing else, whether facts are kept or not.
#[test]
fn nothing_but_indexes_is_left_beside_modules() {
    let mut scene = Scene::new();
    scene.apply(&Change::Replace { path: 0, module: 0 });
    pause();
    scene.told(None).unwrap();
    let names = |directory: PathBuf| {
        let names = fs::read_dir(directory).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<_>>()
    };
    let mut wanted: BTreeSet<_> = IndexFile::NAMES.map(String::from).into();
    wanted.insert("kernel".to_owned());
    assert_eq!(names(scene.directory()), wanted);
    assert_eq!(names(scene.place()), BTreeSet::from(["depmod".to_owned()]));
}

#[test]
fn only_what_changed_is_read() {
    let mut scene = Scene::new();
    for path in [0, 1, 2, 9] {
        scene.apply(&Change::Replace { path, module: path });
    }
    pause();
    assert_eq!(scene.incremental().1, Some(4));
    assert_eq!(scene.incremental().1, None);
    scene.apply(&Change::Overwrite {
        path: 1,
        module: 5,
        clamp: true,
    });
    pause();
    assert_eq!(scene.incremental().1, Some(1));
    assert_eq!(scene.incremental().1, None);
    scene.apply(&Change::Remove { path: 2 });
    assert_eq!(scene.incremental().1, Some(0));
    assert_eq!(scene.incremental().1, None);
    // What changes while it may be read is read once more.
    scene.apply(&Change::Overwrite {
        path: 1,
        module: 6,
        clamp: false,
    });
    assert_eq!(scene.incremental().1, Some(1));
    pause();
    assert_eq!(scene.incremental().1, Some(1));
    assert_eq!(scene.incremental().1, None);
    scene.apply(&Change::SpoilStore { at: 77 });
    assert_eq!(scene.incremental().1, Some(3));
    for change in [
        Change::Builtin { module: 1 },
        Change::Order { lines: vec![1, 0] },
    ] {
        scene.apply(&change);
        pause();
        assert_eq!(scene.incremental().1, Some(0));
        assert_eq!(scene.incremental().1, None);
    }
    // A module that came too late to be kept, and is gone.
    scene.apply(&Change::Replace {
        path: 10,
        module: 3,
    });
    assert_eq!(scene.incremental().1, Some(1));
    scene.apply(&Change::Remove { path: 10 });
    assert_eq!(scene.incremental().0, scene.full());
    // Indexes that somebody else wrote, or took away.
    for change in [true, false] {
        let index = scene.directory().join("modules.alias");
        match change {
            true => fs::write(index, "nothing").unwrap(),
            false => fs::remove_file(index).unwrap(),
        }
        assert_eq!(scene.incremental().1, Some(0));
        assert_eq!(scene.incremental().1, None);
    }
}

/// Of files that differ in what every copy changes, the packed ones are not unpacked again if they
/// have the same bytes.
#[test]
fn copies_are_known_by_their_content() {
    let mut scene = Scene::new();
    for path in [0, 2, 8] {
        scene.apply(&Change::Replace { path, module: path });
    }
    pause();
    let read = |scene: &Scene| {
        let (outputs, updated) = scene.told(None).unwrap();
        assert_eq!(Ok(outputs), scene.full());
        updated
    };
    assert_eq!(read(&scene), Updated::Made { read: 3 });
    scene.apply(&Change::CopyTree);
    pause();
    assert_eq!(read(&scene), Updated::Made { read: 1 });
    assert_eq!(read(&scene), Updated::Unchanged);
    // As long and as old, but another.
    scene.apply(&Change::CopyTree);
    scene.apply(&Change::Overwrite {
        path: 2,
        module: 5,
        clamp: true,
    });
    pause();
    assert_eq!(read(&scene), Updated::Made { read: 2 });
}
