//! 300 kernel module packages, installed, updated and removed by each package manager.

use std::time::Instant;

use anyhow::{Result, ensure};
use kmpkit_tests::bulk::Bulk;
use kmpkit_tests::place::Place;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::scene::{Scene, Transaction, runs};
use kmpkit_tests::zypp::Dnf;
use kmpkit_tests::{Chroot, Zypp, cache_dir};

const DIRECTORY: &str = "lib/modules/6.1.0-1-bulk";

/// One run for each transaction, and right indexes after it, in plain rpm.
fn by_rpm(place: Place) -> Result<()> {
    let scene = Scene::with(place)?;
    let bulk = Bulk::build(&scene, DIRECTORY)?;
    scene.rpm("-i", &[scene.system()?])?;
    runs(&scene.rpm("-i", &bulk.first)?, &[(DIRECTORY, 1)])?;
    scene.is_right(DIRECTORY)?;
    runs(&scene.rpm("-U", &bulk.second)?, &[(DIRECTORY, 1)])?;
    scene.is_right(DIRECTORY)?;
    runs(&scene.rpm("-e", &bulk.names)?, &[(DIRECTORY, 1)])?;
    ensure!(!scene.exists(DIRECTORY));
    Ok(())
}

#[test]
fn plain_rpm() -> Result<()> {
    by_rpm(Place::Host)
}

#[test]
#[ignore = "test-all"]
fn plain_rpm_of_trixie() -> Result<()> {
    by_rpm(rpm_of("trixie")?)
}

#[test]
#[ignore = "test-all"]
fn plain_rpm_of_sid() -> Result<()> {
    by_rpm(rpm_of("sid")?)
}

fn rpm_of(suite: &str) -> Result<Place> {
    let packages = ["binutils", "kmod", "rpm", "xz-utils"];
    Ok(Place::Chroot(Chroot::get(suite, &packages, &cache_dir())?))
}

/// How a package manager is asked, given the verb and what of.
type Ask<'a> = dyn FnMut(&str, &[String]) -> Result<Transaction> + 'a;

/// Installs, updates and removes; `once` if all is one transaction.
fn life(scene: &Scene, bulk: &Bulk, once: bool, version: &str, ask: &mut Ask<'_>) -> Result<()> {
    let mut step = |verb: &str, what: &[String]| -> Result<()> {
        let start = Instant::now();
        let done = ask(verb, what)?;
        println!(
            "{verb}: {:.1} s in all, {} triggers {:.1} s, runs {:?}",
            start.elapsed().as_secs_f64(),
            done.triggers.1,
            done.triggers.0,
            done.runs
        );
        match once {
            true => runs(&done, &[(DIRECTORY, 1)]),
            false => {
                ensure!(
                    done.runs.get(DIRECTORY).is_some_and(|&runs| runs >= 1),
                    "no run"
                );
                Ok(())
            }
        }
    };
    step("install", &bulk.of_first(version))?;
    scene.is_right(DIRECTORY)?;
    step("update", &[])?;
    scene.is_right(DIRECTORY)?;
    step("remove", &bulk.names)?;
    ensure!(!scene.exists(DIRECTORY));
    Ok(())
}

fn by_zypper(place: Place, once: bool) -> Result<()> {
    let scene = Scene::with(place.clone())?;
    let bulk = Bulk::build(&scene, DIRECTORY)?;
    let system = scene.system()?;
    createrepo(&scene.packages())?;
    let zypp = Zypp::new_in(place, &scene.root(), &[("kmps", &scene.packages())])?;
    ensure!(system.is_file() && bulk.first.len() == bulk.second.len());
    scene.traced(zypp.command()?.args(["install", "kmpkit"]))?;
    life(&scene, &bulk, once, "=1", &mut |verb, what| {
        scene.traced(zypp.command()?.arg(verb).args(what))
    })
}

/// zypper that makes a transaction of each package.
#[test]
#[ignore = "test-all"]
fn zypper() -> Result<()> {
    by_zypper(Place::Host, false)
}

#[test]
#[ignore = "test-all"]
fn zypper_of_trixie() -> Result<()> {
    by_zypper(Place::suite("trixie", &cache_dir())?, false)
}

#[test]
#[ignore = "test-all"]
fn zypper_of_sid() -> Result<()> {
    by_zypper(Place::suite("sid", &cache_dir())?, true)
}

fn by_dnf(place: Place, program: &str) -> Result<()> {
    let scene = Scene::with(place.clone())?;
    let bulk = Bulk::build(&scene, DIRECTORY)?;
    let system = scene.system()?;
    createrepo(&scene.packages())?;
    let dnf = Dnf::new_in(
        place,
        program,
        &scene.root(),
        &[("kmps", &scene.packages())],
    )?;
    ensure!(system.is_file());
    scene.traced(dnf.command()?.args(["install", "kmpkit"]))?;
    life(&scene, &bulk, true, "-1-0", &mut |verb, what| {
        let verb = if verb == "update" { "upgrade" } else { verb };
        scene.traced(dnf.command()?.arg(verb).args(what))
    })
}

#[test]
#[ignore = "test-all"]
fn dnf() -> Result<()> {
    by_dnf(Place::Host, "dnf")
}

#[test]
#[ignore = "test-all"]
fn dnf5() -> Result<()> {
    by_dnf(Place::suite("sid", &cache_dir())?, "dnf5")
}
