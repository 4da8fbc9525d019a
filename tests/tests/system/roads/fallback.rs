//! Checks that packages are the same if the tag cache is lost or rpm cannot ask for it, because then the
//! generators run.

use std::fs;

use anyhow::{Result, ensure};
use kmpkit_tests::modular;
use kmpkit_tests::rpmbuild::{Built, Rpm};

use crate::roads::same::same;
use crate::roads::scene::{Scene, packages};

const PARTS: [&str; 2] = ["kernel/drivers/usb/storage/", "kernel/drivers/hwmon/"];

/// A policy with every kind of rule for them.
const POLICY: &str = include_str!("policy.toml");

/// Builds by the example, with a line of shell behind %kmp_split.
fn build(scene: &Scene, then: &str, defines: &[(&str, &str)]) -> Result<Built> {
    let spec = fs::read_to_string(modular::example())?;
    let split = format!(" %kmp_split {then}\n");
    let spec = spec.replace(" %kmp_split\n", &split);
    let policy = scene.file("policy.toml", POLICY)?;
    let mut all = vec![("kmp_policy", policy.as_str())];
    all.extend(defines);
    scene.build_spec(&Rpm::host()?, &spec, "top", &all)
}

/// A tag cache, none, and an rpm before 4.16, which calls no macro in process, give the same packages.
#[test]
fn every_way_to_answer_gives_the_same() -> Result<()> {
    let scene = Scene::new(&PARTS)?;
    let cached = build(&scene, "", &[])?;
    let first = packages(&cached)?;
    ensure!(!cached.log.contains("kmpkit: "), "{}", cached.log);
    let lost = build(&scene, "rm -r %{__kmpkit_state}/tags", &[])?;
    same("no tag cache", &packages(&lost)?, &first)?;
    let plain = build(&scene, "", &[("__kmpkit_parametric", "%{nil}")])?;
    same("rpm asks no macro", &packages(&plain)?, &first)
}

/// The image has its tags from a list of builtin modules that changes after the cache was written.
#[test]
fn a_list_that_changes_later_is_read_again() -> Result<()> {
    let scene = Scene::new(&PARTS)?;
    let add = "echo kernel/added-later.ko >> %{buildroot}%{kmp_modules_dir}/modules.builtin";
    let built = build(&scene, add, &[])?;
    let log = &built.log;
    ensure!(!log.contains("kmpkit: "), "{log}");
    let provided = packages(&built)?;
    let wanted = "kmod(added_later.ko)";
    ensure!(
        format!("{provided:?}").contains(wanted),
        "the image does not provide {wanted}"
    );
    Ok(())
}

/// A module that is damaged after the cache was written fails the build.
#[test]
fn a_module_damaged_later_fails_the_build() -> Result<()> {
    let scene = Scene::new(&PARTS)?;
    let cut = "find %{buildroot} -name coretemp.ko -exec truncate -s 5000 {} +";
    for terminate in ["0", "1"] {
        let define = ("_wrong_version_format_terminate_build", terminate);
        let Err(error) = build(&scene, cut, &[define]) else {
            anyhow::bail!("a damaged module was packaged");
        };
        let log = format!("{error:#}");
        for words in ["coretemp.ko: damaged", "coretemp.ko:_damaged"] {
            ensure!(log.contains(words), "no {words:?} in the log");
        }
    }
    Ok(())
}

/// rpm starts as many programs for many modules as for few.
#[test]
fn no_program_runs_for_each_module() -> Result<()> {
    let executed = |parts: &[&str]| -> Result<(usize, usize)> {
        let scene = Scene::new(parts)?;
        let log = scene.path("executed");
        let rpm = Rpm::host()?.traced(&log);
        let built = scene.build(&rpm, "top", &[])?;
        let text = fs::read_to_string(&log)?;
        let started = text.lines().filter(|line| line.contains("execve("));
        Ok((started.count(), built.rpms.len()))
    };
    let (of_few, few) = executed(&PARTS[..1])?;
    let (of_many, many) = executed(&PARTS)?;
    ensure!(many > few, "{few} packages and {many}");
    ensure!(
        of_few == of_many && of_few > 0,
        "{of_few} programs for {few} packages, {of_many} for {many}"
    );
    Ok(())
}
