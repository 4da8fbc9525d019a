//! However files change, facts for the kernel's loader that come through a store are those that are
//! read anew, and of files that do not change nothing is read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use facts::{LoaderFacts, LoaderFile, LoaderStore};
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Ksymtab, Versions};
use kmpkit_fixtures::pack::{Packing, pack};
use kmpkit_fixtures::signature::signed;
use object::Endianness;
use proptest::prelude::*;
use tempfile::TempDir;

const NAMES: [&str; 5] = ["a.ko", "b.ko", "c.ko.gz", "d.ko.gz", "e.ko"];

/// Modules that differ in what the loader asks of them; the last is none.
fn module(number: usize) -> Vec<u8> {
    let current = || Fixture::new(true, Endianness::Little);
    match number {
        0 => current().build(),
        1 => Fixture {
            crcs: CrcForm::None,
            versions: Versions::None,
            ..current()
        }
        .build(),
        2 => Fixture {
            versions: Versions::Extended,
            kflagstab: true,
            ..current()
        }
        .build(),
        3 => Fixture {
            crcs: CrcForm::Absolute,
            ksymtab: Ksymtab::Pointers,
            namespaces: false,
            ..Fixture::new(false, Endianness::Big)
        }
        .build(),
        4 => Fixture {
            exports: Vec::new(),
            ..current()
        }
        .build(),
        5 => signed(&current().build(), 99),
        _ => b"no module".to_vec(),
    }
}

const MODULES: usize = 7;

#[derive(Clone, Debug)]
enum Change {
    /// The file becomes another, perhaps with the time that builds set for all.
    Write {
        file: usize,
        module: usize,
        clamp: bool,
    },
    Remove {
        file: usize,
    },
    /// Its times change and nothing else.
    Touch {
        file: usize,
    },
    /// All files become copies.
    Copy,
    SpoilStore {
        at: usize,
    },
}

fn change() -> impl Strategy<Value = Change> {
    let file = || 0..NAMES.len();
    prop_oneof![
        4 => (file(), 0..MODULES, any::<bool>())
            .prop_map(|(file, module, clamp)| Change::Write { file, module, clamp }),
        1 => file().prop_map(|file| Change::Remove { file }),
        1 => file().prop_map(|file| Change::Touch { file }),
        1 => Just(Change::Copy),
        1 => any::<usize>().prop_map(|at| Change::SpoilStore { at }),
    ]
}

struct Scene {
    home: TempDir,
    store: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            home: tempfile::tempdir().unwrap(),
            store: Vec::new(),
        };
        for file in 0..4 {
            scene.write(file, file);
        }
        scene
    }

    fn path(&self, file: usize) -> PathBuf {
        self.home.path().join(NAMES[file])
    }

    fn write(&self, file: usize, number: usize) {
        let module = module(number);
        let bytes = match NAMES[file].ends_with(".gz") {
            true => pack(Packing::Gzip, &module),
            false => module,
        };
        fs::write(self.path(file), bytes).unwrap();
    }

    fn apply(&mut self, change: &Change) {
        match *change {
            Change::Write {
                file,
                module,
                clamp,
            } => {
                self.write(file, module);
                if clamp {
                    set_time(
                        &self.path(file),
                        UNIX_EPOCH + Duration::from_secs(1_000_000_000),
                    );
                }
            }
            Change::Remove { file } => {
                let _ = fs::remove_file(self.path(file));
            }
            Change::Touch { file } => {
                if self.path(file).exists() {
                    set_time(&self.path(file), SystemTime::now());
                }
            }
            Change::Copy => {
                let home = tempfile::tempdir().unwrap();
                let mut copy = std::process::Command::new("cp");
                copy.args(["-a", "-T"])
                    .args([self.home.path(), home.path()]);
                assert!(copy.status().unwrap().success());
                self.home = home;
            }
            Change::SpoilStore { at } => {
                if !self.store.is_empty() {
                    let at = at % self.store.len();
                    self.store[at] ^= 0x10;
                }
            }
        }
    }

    /// What is found with a store, and the next store. How many files are read for it is the second.
    fn gather(&mut self, with_store: bool) -> (Vec<String>, usize) {
        let there = (0..NAMES.len()).filter(|&file| self.path(file).exists());
        let paths: Vec<_> = there.map(|file| (NAMES[file], self.path(file))).collect();
        let files: Vec<_> = paths
            .iter()
            .map(|(name, path)| LoaderFile {
                path,
                in_store: name.as_bytes(),
            })
            .collect();
        let store = match with_store {
            true => LoaderStore::from_bytes(self.store.clone()),
            false => LoaderStore::default(),
        };
        let facts = LoaderFacts::gather(&store, &files);
        if with_store {
            if let Some(store) = facts.store() {
                self.store = store;
            }
        }
        let shown = facts.modules.iter().map(|module| match module {
            Ok(module) => format!("{module:?}"),
            // Only the directory differs after a copy.
            Err(error) => error.problem.to_string(),
        });
        (shown.collect(), facts.read_anew)
    }
}

fn set_time(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// Longer than the clock of files needs to tell two moments apart.
fn pause() {
    std::thread::sleep(Duration::from_millis(30));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn facts_are_those_that_are_read_anew(
        steps in prop::collection::vec((prop::collection::vec(change(), 1..4), any::<bool>()), 1..10)
    ) {
        let mut scene = Scene::new();
        for (changes, rest) in steps {
            for change in &changes {
                scene.apply(change);
            }
            if rest {
                pause();
            }
            let (stored, _) = scene.gather(true);
            prop_assert_eq!(stored, scene.gather(false).0, "after {:?}", changes);
        }
    }
}

#[test]
fn only_what_changed_is_read() {
    let mut scene = Scene::new();
    pause();
    assert_eq!(scene.gather(true).1, 4);
    assert_eq!(scene.gather(true).1, 0);
    scene.write(1, 5);
    pause();
    assert_eq!(scene.gather(true).1, 1);
    assert_eq!(scene.gather(true).1, 0);
    scene.apply(&Change::Remove { file: 0 });
    assert_eq!(scene.gather(true).1, 0);
    // What changes while it may be read is read once more.
    scene.write(1, 4);
    assert_eq!(scene.gather(true).1, 1);
    pause();
    assert_eq!(scene.gather(true).1, 1);
    assert_eq!(scene.gather(true).1, 0);
    // What is damaged is read each time.
    scene.write(1, MODULES - 1);
    pause();
    assert_eq!([scene.gather(true).1, scene.gather(true).1], [1, 1]);
}

/// Any byte: then all is as if there were no store.
#[test]
fn damage_is_noticed() {
    let mut scene = Scene::new();
    pause();
    let (wanted, _) = scene.gather(true);
    let store = scene.store.clone();
    let step = store.len() / 97;
    for at in (0..store.len()).step_by(step) {
        scene.store = store.clone();
        scene.store[at] ^= 4;
        assert_eq!(scene.gather(true), (wanted.clone(), 4), "byte {at}");
        scene.store = store[..at].to_vec();
        assert_eq!(scene.gather(true), (wanted.clone(), 4), "{at} bytes");
    }
}

/// Else the tests above would compare complaints.
#[test]
fn all_modules_but_the_last_are_read() {
    let mut scene = Scene::new();
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..MODULES - 1 {
        for file in 0..NAMES.len() {
            scene.write(file, number);
        }
        let (shown, _) = scene.gather(false);
        assert!(
            shown.iter().all(|shown| shown.starts_with("ModuleFacts")),
            "{shown:?}"
        );
        seen.extend(shown.into_iter().map(|shown| (number, shown.len())));
    }
    assert!(seen.len() >= MODULES - 1);
}
