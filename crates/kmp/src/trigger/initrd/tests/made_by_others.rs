//! Initrds that somebody else has made before the triggers ran.

use std::time::Duration;

use super::*;

const DRACUT: &str = "usr/bin/dracut";

/// Two kernels, both with an initrd that was made after everything it consists of.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.program(DRACUT, TELLS);
    for path in ["boot/initrd-6.1-x", "boot/efi/token/6.2-x/initrd"] {
        scene.made(path);
    }
    scene
}

impl Scene {
    fn made(&self, path: &str) {
        // The clock of file systems is coarse.
        std::thread::sleep(Duration::from_millis(20));
        self.put(path, "made");
    }
}

#[test]
fn one_initrd_is_enough() {
    let scene = scene();
    assert!(scene.update());
    assert!(scene.told(DRACUT).is_empty());
    // It is on record, so that only another change makes the next one.
    scene.was_written("boot/initrd-6.1-x", SystemTime::UNIX_EPOCH);
    assert!(scene.update());
    assert!(scene.told(DRACUT).is_empty());
}

#[test]
fn a_module_that_came_later_is_not_in_it() {
    let scene = scene();
    std::thread::sleep(Duration::from_millis(20));
    scene.put("lib/modules/6.1-x/k/b.ko", "another");
    assert!(scene.update());
    assert_eq!(scene.told(DRACUT), ["--force --kver 6.1-x"]);
}

#[test]
fn indexes_that_came_later_did_not_lead_to_it() {
    let scene = scene();
    std::thread::sleep(Duration::from_millis(20));
    scene.put(
        "lib/modules/6.2-x/modules.dep",
        "k/a.ko: k/b.ko k/c.ko\nk/b.ko:\nk/c.ko:\n",
    );
    assert!(scene.update());
    assert_eq!(scene.told(DRACUT), ["--force --kver 6.2-x"]);
}

#[test]
fn not_every_file_that_is_newer_tells() {
    for (path, text) in [
        ("boot/initrd-6.1-x-kdump", "made"),
        ("boot/vmlinuz-6.1-x", "image"),
        ("boot/initrd-6.1-x2", "made"),
        ("boot/initrd-6.1-x", ""),
    ] {
        let scene = Scene::new();
        scene.program(DRACUT, TELLS);
        std::thread::sleep(Duration::from_millis(20));
        scene.put(path, text);
        assert!(scene.update());
        assert_eq!(scene.told(DRACUT).len(), 2, "{path}");
    }
}

#[test]
fn all_initrds_of_a_kernel_must_be_newer() {
    let scene = scene();
    scene.made("efi/token/6.1-x/initrd");
    scene.was_written("efi/token/6.1-x/initrd", SystemTime::UNIX_EPOCH);
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    scene.was_written("boot/efi/token/6.2-x/initrd", tomorrow);
    assert!(scene.update());
    assert_eq!(scene.told(DRACUT).len(), 2);
}
