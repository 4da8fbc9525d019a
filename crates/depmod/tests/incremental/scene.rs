//! A tree that changes in every way, and the runs that make its indexes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use depmod::{Compat, FoundModules, Indexes, Output, ReadModules, Settings, Update, Updated};
use facts::{FactsHome, STORE_NAME};
use flate2::Compression;
use flate2::write::GzEncoder;
use kmod_index::IndexFile;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::module;

/// Names and directories of which some are searched first, some not.
pub const PATHS: [&str; 12] = [
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
pub enum Change {
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

pub fn change() -> impl Strategy<Value = Change> {
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
        1 => (0..IndexFile::ALL.len(), any::<bool>())
            .prop_map(|(index, remove)| Change::SpoilIndex { index, remove }),
        1 => Just(Change::CopyTree),
    ]
}

/// A tree that changes, and where it is now.
pub struct Scene {
    homes: Vec<TempDir>,
}

impl Scene {
    pub fn new() -> Self {
        let scene = Self {
            homes: vec![tempfile::tempdir().unwrap()],
        };
        fs::create_dir_all(scene.directory()).unwrap();
        fs::write(scene.config(), "search updates extra built-in\n").unwrap();
        scene
    }

    pub fn home(&self) -> &Path {
        self.homes.last().unwrap().path()
    }

    pub fn directory(&self) -> PathBuf {
        self.home().join("tree")
    }

    /// Where facts are kept, which is copied with the tree.
    pub fn facts(&self) -> FactsHome {
        FactsHome::of_system(self.home())
    }

    pub fn place(&self) -> PathBuf {
        self.facts().place_of(&self.directory()).unwrap()
    }

    pub fn config(&self) -> PathBuf {
        self.home().join("depmod.conf")
    }

    pub fn path(&self, path: usize) -> PathBuf {
        let path = self.directory().join(PATHS[path]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// What cannot be done, such as removing what is not there, is not done.
    pub fn apply(&mut self, change: &Change) {
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
                let store = self.place().join(STORE_NAME);
                if let Ok(mut bytes) = fs::read(&store) {
                    let at = at % bytes.len();
                    bytes[at] ^= 0xff;
                    fs::write(store, bytes).unwrap();
                }
            }
            Change::SpoilIndex { index, remove } => {
                let index = self.directory().join(IndexFile::ALL[index].name());
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

    pub fn settings(&self) -> Settings {
        Settings {
            compat: Compat::Kmod34,
            release: "6.1.0".to_owned(),
            directory: self.directory(),
            config: Some(vec![self.config()]),
            ..Settings::default()
        }
    }

    /// All indexes, or the error, of a run that knows nothing of another.
    pub fn full(&self) -> Result<Vec<Output>, String> {
        let made = || {
            let modules = ReadModules::read(FoundModules::all(&self.settings())?);
            Indexes::of(&modules, &mut |_| {})?.outputs()
        };
        made().map_err(|error| error.to_string())
    }

    /// The indexes, or the error, of a run that knows the last one, and how many modules it read;
    /// `None` if it saw at once that nothing had changed.
    pub fn incremental(&self) -> (Result<Vec<Output>, String>, Option<usize>) {
        match self.told(None) {
            Ok((outputs, Updated::Unchanged)) => (Ok(outputs), None),
            Ok((outputs, Updated::Made { read })) => (Ok(outputs), Some(read)),
            Err(error) => (Err(error), None),
        }
    }

    /// As [`Scene::incremental`], by a run that is given a list of changes.
    pub fn told(&self, changed: Option<Vec<PathBuf>>) -> Result<(Vec<Output>, Updated), String> {
        let settings = Settings {
            changed,
            ..self.settings()
        };
        let update = Update {
            settings: &settings,
            output: &self.directory(),
            home: Some(&self.facts()),
            full: false,
            tell: false,
        };
        let updated = update.run(&mut |_| {}).map_err(|error| error.to_string())?;
        Ok((self.published(), updated))
    }

    /// What tells whether a path has changed, for all below the directory but indexes.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, [i64; 6]> {
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

    pub fn published(&self) -> Vec<Output> {
        let read = |file: IndexFile| Output {
            file,
            bytes: fs::read(self.directory().join(file.name())).unwrap(),
        };
        IndexFile::ALL.map(read).to_vec()
    }
}

/// Writes a module, packed if the path says so; those of one path are all of one size.
pub fn write(path: &Path, number: usize) -> io::Result<()> {
    let bytes = module::build(number);
    if path.extension().is_some_and(|end| end == "gz") {
        let mut packed = GzEncoder::new(File::create(path)?, Compression::none());
        packed.write_all(&bytes)?;
        return packed.finish()?.flush();
    }
    fs::write(path, bytes)
}

pub fn set_time(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// What builds set all times to.
pub fn clamped() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Longer than the clock of files needs to tell two moments apart.
pub fn pause() {
    std::thread::sleep(Duration::from_millis(30));
}
