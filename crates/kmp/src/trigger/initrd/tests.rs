//! Asks scripts in a made-up root for initrds, in place of the tools that make them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use facts::{FactsHome, FileStamp, INITRD_RECORD_NAME};

use super::*;

mod made_by_others;
mod suse_module_tools;

const KERNEL_INSTALL: &str = "usr/bin/kernel-install";
/// Tells what it was called with.
const TELLS: &str = "#!/bin/sh\necho \"$@\" >> \"$0.log\"\n";
/// Tells what it was called with, and leaves something of the release in /boot.
const ADDS: &str = "#!/bin/sh\necho \"$@\" >> \"$0.log\"\nroot=${0%/usr/bin/*}\n\
                    mkdir -p \"$root/boot/token/$2\" && echo > \"$root/boot/token/$2/initrd\"\n";

struct Scene {
    root: tempfile::TempDir,
}

impl Scene {
    /// Two kernels with a module `a`, which is marked and needs `b`, and `c`, which is neither.
    fn new() -> Self {
        let scene = Self {
            root: tempfile::tempdir().unwrap(),
        };
        for release in ["6.1-x", "6.2-x"] {
            let put = |name: &str, text| scene.put(&format!("lib/modules/{release}/{name}"), text);
            put("vmlinuz", "");
            put("kmpkit-initrd.list", "a\n");
            put("modules.dep", "k/a.ko: k/b.ko\nk/b.ko:\nk/c.ko:\n");
            for module in ["a", "b", "c"] {
                put(&format!("k/{module}.ko"), "");
            }
        }
        scene
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Another process writes it, so that no child of ours has it open while it is executed.
    fn program(&self, path: &str, text: &str) {
        self.put("text", text);
        let (from, to) = (self.root.path().join("text"), self.root.path().join(path));
        let mut install = Command::new("install");
        install.args(["-D", "-m", "755"]).arg(from).arg(to);
        assert!(install.status().unwrap().success());
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.root.path().join(path)).unwrap();
    }

    /// Whether nothing failed.
    fn update(&self) -> bool {
        let mut outcomes = self.outcomes().into_iter();
        outcomes.all(|(_, outcome)| outcome != Outcome::Failed)
    }

    fn outcomes(&self) -> BTreeMap<String, Outcome> {
        let releases = ["6.1-x", "6.2-x", "6.3-gone"].map(|release| IndexedRelease {
            release: release.to_owned(),
            since: self.indexed(release),
        });
        let initrds = Initrds::new(self.root.path(), None);
        let outcomes = initrds.update(Path::new("/lib/modules"), releases.into());
        outcomes.into_iter().collect()
    }

    /// Since when the indexes of a release have been what they are.
    fn indexed(&self, release: &str) -> Time {
        let dep = format!("lib/modules/{release}/modules.dep");
        let stamp = FileStamp::of(&self.root.path().join(dep));
        stamp.unwrap_or_default().modified
    }

    /// Says that a file was written last at a time.
    fn was_written(&self, path: &str, time: SystemTime) {
        let file = fs::File::open(self.root.path().join(path)).unwrap();
        file.set_modified(time).unwrap();
    }

    /// What a program told since it was last asked, without the root.
    fn told(&self, program: &str) -> Vec<String> {
        let log = self.root.path().join(format!("{program}.log"));
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        let root = self.root.path().display().to_string();
        text.lines().map(|line| line.replace(&root, "")).collect()
    }
}

#[test]
fn kernel_install_gets_release_and_image() {
    let scene = Scene::new();
    scene.program(KERNEL_INSTALL, ADDS);
    scene.program("usr/bin/dracut", TELLS);
    scene.remove("lib/modules/6.2-x/vmlinuz");
    scene.put("boot/vmlinux-6.2-x", "");
    assert!(scene.update());
    assert_eq!(
        scene.told(KERNEL_INSTALL),
        [
            "add 6.1-x /lib/modules/6.1-x/vmlinuz",
            "add 6.2-x /boot/vmlinux-6.2-x"
        ]
    );
    assert!(scene.told("usr/bin/dracut").is_empty());
}

#[test]
fn dracut_does_what_kernel_install_leaves() {
    let scene = Scene::new();
    scene.program(KERNEL_INSTALL, TELLS);
    scene.program("usr/bin/dracut", TELLS);
    scene.put("boot/initrd-6.1-x", "old");
    scene.was_written("boot/initrd-6.1-x", SystemTime::UNIX_EPOCH);
    assert!(scene.update());
    assert_eq!(scene.told(KERNEL_INSTALL).len(), 2);
    assert_eq!(
        scene.told("usr/bin/dracut"),
        ["--force --kver 6.1-x", "--force --kver 6.2-x"]
    );
    scene.put("lib/modules/6.1-x/k/a.ko", "another");
    scene.remove("usr/bin/dracut");
    assert!(
        scene.update(),
        "its plugins may have been told to do nothing"
    );
    assert!(scene.update());
    assert_eq!(scene.told(KERNEL_INSTALL).len(), 1);
}

#[test]
fn dracut_runs_once_for_each_kernel_that_changed() {
    let scene = Scene::new();
    scene.program("usr/bin/dracut", TELLS);
    let told = || scene.told("usr/bin/dracut");
    assert!(scene.update());
    assert_eq!(told(), ["--force --kver 6.1-x", "--force --kver 6.2-x"]);
    assert!(scene.update());
    assert!(told().is_empty(), "nothing has changed");
    scene.put("lib/modules/6.1-x/k/c.ko", "another");
    assert!(scene.update());
    assert!(told().is_empty(), "what changed is not marked");
    scene.put("lib/modules/6.1-x/k/b.ko", "another");
    assert!(scene.update());
    assert_eq!(told(), ["--force --kver 6.1-x"], "a marked one needs it");
}

#[test]
fn modules_that_come_and_go_are_changes() {
    let scene = Scene::new();
    scene.program("usr/bin/dracut", TELLS);
    let told = || scene.told("usr/bin/dracut");
    assert!(scene.update());
    told();
    let dep = "lib/modules/6.1-x/modules.dep";
    scene.put(dep, "k/b.ko:\nk/c.ko:\n");
    assert!(scene.update());
    assert_eq!(told(), ["--force --kver 6.1-x"]);
    assert!(scene.update());
    assert!(told().is_empty());
    scene.put("usr/lib/kmpkit/initrd.d/vendor.list", "c\n");
    scene.put("lib/modules/6.2-x/modules.dep", "k/a.ko: k/b.ko\nk/b.ko:\n");
    assert!(scene.update());
    assert_eq!(told(), ["--force --kver 6.1-x"], "only that kernel has it");
}

#[test]
fn modules_without_a_kernel_wait_for_it() {
    let scene = Scene::new();
    scene.program("usr/bin/dracut", TELLS);
    scene.remove("lib/modules/6.1-x/vmlinuz");
    assert!(scene.update());
    assert_eq!(scene.told("usr/bin/dracut"), ["--force --kver 6.2-x"]);
    scene.put("lib/modules/6.1-x/vmlinuz", "");
    assert!(scene.update());
    assert_eq!(scene.told("usr/bin/dracut"), ["--force --kver 6.1-x"]);
}

#[test]
fn without_marks_nobody_is_asked() {
    let scene = Scene::new();
    scene.program("usr/bin/dracut", TELLS);
    for release in ["6.1-x", "6.2-x"] {
        scene.remove(&format!("lib/modules/{release}/kmpkit-initrd.list"));
    }
    assert!(scene.update());
    assert!(scene.told("usr/bin/dracut").is_empty());
}

#[test]
fn what_nobody_makes_is_made_when_somebody_can() {
    let scene = Scene::new();
    assert!(scene.update(), "nobody is there");
    scene.program("usr/bin/dracut", TELLS);
    scene.put("etc/kmpkit/no-initrd", "");
    assert!(scene.update());
    assert!(scene.told("usr/bin/dracut").is_empty(), "an image is built");
    scene.remove("etc/kmpkit/no-initrd");
    scene.program("usr/bin/dracut", "#!/interpreter/that/is/missing\n");
    let later = scene.outcomes().into_values();
    let later = later.filter(|outcome| *outcome == Outcome::Later);
    assert_eq!(later.count(), 2, "what is missing is no failure");
    scene.program("usr/bin/dracut", TELLS);
    assert!(scene.update());
    assert_eq!(scene.told("usr/bin/dracut").len(), 2);
}

#[test]
fn a_failure_is_told_and_tried_again() {
    let scene = Scene::new();
    let fails = format!("{TELLS}[ \"$3\" != 6.1-x ]\n");
    scene.program("usr/bin/dracut", &fails);
    let outcomes = [
        ("6.1-x", Outcome::Failed),
        ("6.2-x", Outcome::Right),
        ("6.3-gone", Outcome::Right),
    ];
    let outcomes = outcomes.map(|(release, outcome)| (release.to_owned(), outcome));
    assert_eq!(scene.outcomes(), BTreeMap::from(outcomes));
    assert_eq!(scene.told("usr/bin/dracut").len(), 2, "the other is made");
    scene.program("usr/bin/dracut", TELLS);
    assert!(scene.update());
    assert_eq!(scene.told("usr/bin/dracut"), ["--force --kver 6.1-x"]);
}

#[test]
fn a_record_is_written_through_no_link() {
    let scene = Scene::new();
    scene.program("usr/bin/dracut", TELLS);
    scene.put("victim", "kept");
    let home = FactsHome::of_system(scene.root.path());
    let place = home.place_of(&scene.root.path().join("lib/modules/6.1-x"));
    let record = place.unwrap().join(INITRD_RECORD_NAME);
    fs::create_dir_all(record.parent().unwrap()).unwrap();
    symlink(scene.root.path().join("victim"), &record).unwrap();
    assert!(scene.update());
    assert_eq!(scene.told("usr/bin/dracut").len(), 2);
    assert_eq!(fs::read(scene.root.path().join("victim")).unwrap(), b"kept");
    assert!(record.symlink_metadata().unwrap().is_file());
    assert!(scene.update());
    assert!(scene.told("usr/bin/dracut").is_empty());
}
