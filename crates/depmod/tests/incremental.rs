//! However a tree changes, a run that knows the last one makes the indexes of a run that does not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod module;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use depmod::{Compat, Found, Indexes, Output, Place, Settings, Tree, Update, Updated};
use flate2::Compression;
use flate2::write::GzEncoder;
use modtree::Store;
use proptest::prelude::*;
use tempfile::TempDir;

/// Names and directories of which some are searched first, some not.
const PATHS: [&str; 12] = [
    "kernel/a.ko",
    "kernel/b.ko",
    "kernel/c-d.ko.gz",
    "kernel/x/a.ko",
    "kernel/x/c_d.ko",
    "updates/a.ko",
    "updates/b.ko",
    "updates/x/b.ko",
    "extra/b.ko.gz",
    "extra/e.ko",
    "top.ko",
    "other",
];

#[derive(Clone, Debug)]
enum Change {
    /// A new file with a clamped time, perhaps with the inode of one just removed.
    Replace {
        path: usize,
        module: usize,
    },
    /// The same inode, size and, if clamped, time of modification.
    Overwrite {
        path: usize,
        module: usize,
        clamp: bool,
    },
    Damage {
        path: usize,
    },
    Remove {
        path: usize,
    },
    Rename {
        from: usize,
        to: usize,
    },
    HardLink {
        from: usize,
        to: usize,
    },
    Link {
        from: usize,
        to: usize,
    },
    Touch {
        path: usize,
    },
    Order {
        lines: Vec<usize>,
    },
    Exclude {
        path: usize,
    },
    Builtin {
        module: usize,
    },
    SpoilStore {
        at: usize,
    },
    SpoilIndex {
        index: usize,
        remove: bool,
    },
    CopyTree,
}

fn change() -> impl Strategy<Value = Change> {
    let path = || 0..PATHS.len();
    let module = || 0..8_usize;
    prop_oneof![
        4 => (path(), module()).prop_map(|(path, module)| Change::Replace { path, module }),
        4 => (0..4_usize, module(), prop::bool::weighted(0.8))
            .prop_map(|(path, module, clamp)| Change::Overwrite { path, module, clamp }),
        1 => path().prop_map(|path| Change::Damage { path }),
        2 => path().prop_map(|path| Change::Remove { path }),
        2 => (path(), path()).prop_map(|(from, to)| Change::Rename { from, to }),
        1 => (path(), path()).prop_map(|(from, to)| Change::HardLink { from, to }),
        1 => (path(), path()).prop_map(|(from, to)| Change::Link { from, to }),
        1 => path().prop_map(|path| Change::Touch { path }),
        1 => prop::collection::vec(path(), 0..5).prop_map(|lines| Change::Order { lines }),
        1 => path().prop_map(|path| Change::Exclude { path }),
        1 => module().prop_map(|module| Change::Builtin { module }),
        1 => any::<usize>().prop_map(|at| Change::SpoilStore { at }),
        1 => (0..NAMES.len(), any::<bool>())
            .prop_map(|(index, remove)| Change::SpoilIndex { index, remove }),
        1 => Just(Change::CopyTree),
    ]
}

/// A tree that changes, and where it is now.
struct Scene {
    homes: Vec<TempDir>,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            homes: vec![tempfile::tempdir().unwrap()],
        };
        fs::create_dir_all(scene.directory()).unwrap();
        fs::write(scene.config(), "search updates extra built-in\n").unwrap();
        scene
    }

    fn home(&self) -> &Path {
        self.homes.last().unwrap().path()
    }

    fn directory(&self) -> PathBuf {
        self.home().join("tree")
    }

    fn config(&self) -> PathBuf {
        self.home().join("depmod.conf")
    }

    fn path(&self, path: usize) -> PathBuf {
        let path = self.directory().join(PATHS[path]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// What cannot be done, such as removing what is not there, is not done.
    fn apply(&mut self, change: &Change) {
        match *change {
            Change::Replace { path, module } => {
                let path = self.path(path);
                let _ = fs::remove_file(&path);
                if write(&path, module).is_ok() {
                    set_time(&path, clamped());
                }
            }
            Change::Overwrite {
                path,
                module,
                clamp,
            } => {
                let path = self.path(path);
                if write(&path, module).is_ok() && clamp {
                    set_time(&path, clamped());
                }
            }
            Change::Damage { path } => {
                let _ = fs::write(self.path(path), "no module");
            }
            Change::Remove { path } => {
                let _ = fs::remove_file(self.path(path));
            }
            Change::Rename { from, to } => {
                let _ = fs::rename(self.path(from), self.path(to));
            }
            Change::HardLink { from, to } => {
                let _ = fs::hard_link(self.path(from), self.path(to));
            }
            Change::Link { from, to } => {
                let _ = symlink(self.path(from), self.path(to));
            }
            Change::Touch { path } => {
                let path = self.path(path);
                if path.is_file() {
                    set_time(&path, SystemTime::now());
                }
            }
            Change::Order { ref lines } => {
                let lines = lines
                    .iter()
                    .map(|&path| format!("{}\n", PATHS[path].trim_end_matches(".gz")));
                fs::write(
                    self.directory().join("modules.order"),
                    lines.collect::<String>(),
                )
                .unwrap();
            }
            Change::Exclude { path } => {
                let name = PATHS[path].rsplit('/').next().unwrap();
                fs::write(
                    self.config(),
                    format!("search built-in updates\nexclude {name}\n"),
                )
                .unwrap();
            }
            Change::Builtin { module } => {
                let line = format!("kernel/builtin{module}.ko\n");
                fs::write(self.directory().join("modules.builtin"), line).unwrap();
            }
            Change::SpoilStore { at } => {
                let store = self.directory().join("modules.kmpkit-facts");
                if let Ok(mut bytes) = fs::read(&store) {
                    let at = at % bytes.len();
                    bytes[at] ^= 0xff;
                    fs::write(store, bytes).unwrap();
                }
            }
            Change::SpoilIndex { index, remove } => {
                let index = self.directory().join(NAMES[index]);
                let _ = match remove {
                    true => fs::remove_file(index),
                    false => fs::write(index, "nothing"),
                };
            }
            Change::CopyTree => {
                let home = tempfile::tempdir().unwrap();
                let status = std::process::Command::new("cp")
                    .args(["-a", "-T"])
                    .args([self.home(), home.path()])
                    .status();
                assert!(status.unwrap().success());
                self.homes.push(home);
            }
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            compat: Compat::Kmod34,
            release: "6.1.0".to_owned(),
            directory: self.directory(),
            config: Some(vec![self.config()]),
            ..Settings::default()
        }
    }

    /// All indexes, or the complaint, of a run that knows nothing.
    fn full(&self) -> Result<Vec<Output>, String> {
        let found = Found::all(&self.settings()).map_err(|error| error.to_string())?;
        outputs(&Tree::read(found, Store::default()))
    }

    /// Those of a run that knows the last, published, and how many modules it read; nothing where
    /// it saw at once that nothing had changed.
    fn incremental(&self) -> (Result<Vec<Output>, String>, Option<usize>) {
        let directory = self.directory();
        let place = Place::lock(&directory).unwrap();
        let store = place.store();
        let found = Found::since(&self.settings(), &store).unwrap();
        if found.is_unchanged(&store, &directory) {
            place.confirm();
            return (Ok(self.published()), None);
        }
        let tree = Tree::read(found, store);
        let outputs = outputs(&tree);
        if let Ok(outputs) = &outputs {
            place
                .publish(outputs, Compat::Kmod34, || tree.store(outputs))
                .unwrap();
            assert_eq!(&self.published(), outputs);
        }
        (outputs, Some(tree.read_anew()))
    }

    /// As [`Scene::incremental`], by a run that is told of changes.
    fn told(&self, changed: Option<Vec<PathBuf>>) -> Result<(Vec<Output>, Updated), String> {
        let settings = Settings {
            changed,
            ..self.settings()
        };
        let update = Update {
            settings: &settings,
            output: &self.directory(),
            full: false,
            tell: false,
        };
        let updated = update.run(&mut |_| {}).map_err(|error| error.to_string())?;
        Ok((self.published(), updated))
    }

    /// What tells whether a path has changed, for all below the directory but indexes.
    fn snapshot(&self) -> BTreeMap<PathBuf, [i64; 6]> {
        let mut all = BTreeMap::new();
        let mut rest = vec![self.directory()];
        while let Some(directory) = rest.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                if meta.is_dir() {
                    rest.push(path);
                    continue;
                }
                let (inode, size) = (meta.ino() as i64, meta.size() as i64);
                let times = [
                    meta.mtime(),
                    meta.mtime_nsec(),
                    meta.ctime(),
                    meta.ctime_nsec(),
                ];
                let [a, b, c, d] = times;
                all.insert(path, [inode, size, a, b, c, d]);
            }
        }
        all
    }

    fn published(&self) -> Vec<Output> {
        let read = |name| Output {
            name,
            bytes: fs::read(self.directory().join(name)).unwrap(),
        };
        NAMES.map(read).to_vec()
    }
}

/// In the order kmod writes them.
const NAMES: [&str; 11] = [
    "modules.dep",
    "modules.dep.bin",
    "modules.alias",
    "modules.alias.bin",
    "modules.softdep",
    "modules.weakdep",
    "modules.symbols",
    "modules.symbols.bin",
    "modules.builtin.bin",
    "modules.builtin.alias.bin",
    "modules.devname",
];

fn outputs(tree: &Tree) -> Result<Vec<Output>, String> {
    let indexes = Indexes::of(tree, &mut |_| {}).map_err(|error| error.to_string())?;
    indexes.outputs().map_err(|error| error.to_string())
}

/// Writes a module, packed if the path says so; those of one path are all of one size.
fn write(path: &Path, number: usize) -> io::Result<()> {
    let bytes = module::build(number);
    if path.extension().is_some_and(|end| end == "gz") {
        let mut packed = GzEncoder::new(File::create(path)?, Compression::none());
        packed.write_all(&bytes)?;
        return packed.finish()?.flush();
    }
    fs::write(path, bytes)
}

fn set_time(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// What builds set all times to.
fn clamped() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Longer than the clock of files needs to tell two moments apart.
fn pause() {
    std::thread::sleep(Duration::from_millis(30));
}

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
    let store = scene.directory().join("modules.kmpkit-facts");
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
    let note = ".modules.kmpkit-facts.kmp-depmod-run";
    fs::write(scene.directory().join(note), "").unwrap();
    assert_eq!(
        scene.told(Some(Vec::new())).unwrap().0,
        scene.full().unwrap()
    );
    assert!(!scene.directory().join(note).exists());
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
