//! Builds of one kernelrelease with other bytes, as the build service makes them when it counts
//! rebuilds outside the release, with a driver of a vendor in updates/.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use kmpkit_tests::kmps::Kmp;
use kmpkit_tests::scene::{Scene, runs};

use crate::triggers::native::image;

const DIRECTORY: &str = "lib/modules/6.1.0-1-lib";
const VENDOR: &str = "lib/modules/6.1.0-1-lib/updates/usb-common.ko";
const MODULE: &str = "lib/modules/6.1.0-1-lib/kernel/usbcore.ko";

/// A module that is a byte longer in each build, so that it needs and offers the same.
fn module(scene: &Scene, build: u32) -> Result<PathBuf> {
    let mut bytes = fs::read(scene.module("usbcore")?)?;
    bytes.resize(bytes.len() + build as usize, 0);
    let copy = scene.packages().join(format!("usbcore-{build}"));
    fs::write(&copy, bytes)?;
    Ok(copy)
}

/// The image and a module of a build.
fn kernel(scene: &Scene, build: u32) -> Result<Vec<PathBuf>> {
    let mut image = image(scene, DIRECTORY)?;
    image.version = build;
    let usbcore = module(scene, build)?;
    let usbcore = Kmp::new("usbcore-kmp", build, &format!("/{MODULE}"), &usbcore);
    scene.build(&[image, usbcore])
}

/// Fails unless the indexes are right and lead to the module of a build and to the vendor's.
fn has(scene: &Scene, build: u32) -> Result<()> {
    scene.is_right(DIRECTORY)?;
    let is_same = |path: &str, other: PathBuf| -> Result<bool> {
        Ok(fs::read(scene.root().join(path))? == fs::read(other)?)
    };
    ensure!(is_same(MODULE, module(scene, build)?)?, "another build");
    ensure!(
        is_same(VENDOR, scene.module("usb-common")?)?,
        "another driver"
    );
    let dep = scene.text(&format!("{DIRECTORY}/modules.dep"))?;
    let wanted = "kernel/usbcore.ko: updates/usb-common.ko";
    ensure!(dep.lines().any(|line| line == wanted), "{dep}");
    Ok(())
}

/// In place, side by side, and when the older one goes: one run each, and the vendor's driver stays.
#[test]
fn a_rebuild_leaves_the_driver_of_a_vendor() -> Result<()> {
    let scene = Scene::new()?;
    let once = [(DIRECTORY, 1)];
    let vendor = scene.module("usb-common")?;
    let vendor = scene.build(&[Kmp::new("vendor-kmp", 1, &format!("/{VENDOR}"), &vendor)])?;
    let mut first = kernel(&scene, 1)?;
    first.extend([vendor[0].clone(), scene.system()?]);
    runs(&scene.rpm("-i", &first)?, &once)?;
    has(&scene, 1)?;

    runs(&scene.rpm("-U", &kernel(&scene, 2)?)?, &once)?;
    has(&scene, 2)?;

    let mut beside = kernel(&scene, 3)?;
    beside.insert(0, "--replacefiles".into());
    runs(&scene.rpm("-i", &beside)?, &once)?;
    has(&scene, 3)?;
    let image = image(&scene, DIRECTORY)?.name;
    runs(
        &scene.rpm(
            "-e",
            &[format!("{image}-2-0"), "usbcore-kmp-2-0".to_owned()],
        )?,
        &once,
    )?;
    has(&scene, 3)?;

    scene.rpm("-e", &[image, "usbcore-kmp".to_owned()])?;
    ensure!(scene.exists(VENDOR) && !scene.exists(&format!("{DIRECTORY}/modules.dep")));
    Ok(())
}
