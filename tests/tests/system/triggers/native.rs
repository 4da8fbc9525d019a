//! Transactions of the host's rpm in a root without shell, libc and depmod.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::depmod::FILES;
use kmpkit_tests::kmod::answer;
use kmpkit_tests::kmps::Kmp;
use kmpkit_tests::scene::{Scene, runs};
use kmpkit_tests::tools::{run, tool};

const LIB: &str = "lib/modules/6.1.0-1-lib";
const USR: &str = "usr/lib/modules/6.2.0-1-usr";

/// An image package: an image, lists, and what depmod leaves as ghosts.
pub fn image(scene: &Scene, directory: &str) -> Result<Kmp> {
    let mut files = vec![(
        format!("/{directory}/vmlinuz"),
        scene.kernel.vmlinuz.clone(),
    )];
    files.extend(scene.lists(directory));
    Ok(Kmp {
        files,
        ghosts: FILES
            .iter()
            .map(|name| format!("/{directory}/{name}"))
            .collect(),
        ..Kmp::empty(&format!("image-{}", directory.replace('/', "-")))
    })
}

/// Packages of two kernels: first an image and three modules for each, then newer ones.
struct Packages {
    system: PathBuf,
    first: Vec<PathBuf>,
    second: Vec<PathBuf>,
}

fn packages(scene: &Scene) -> Result<Packages> {
    let of_version = |version| -> Result<Vec<Kmp>> {
        let mut all = Vec::new();
        for directory in [LIB, USR] {
            for module in ["xhci-hcd", "usbcore", "usb-common"] {
                all.push(scene.kmp(directory, module, version)?);
            }
        }
        Ok(all)
    };
    let mut first = vec![image(scene, LIB)?, image(scene, USR)?];
    first.extend(of_version(1)?);
    Ok(Packages {
        system: scene.system()?,
        first: scene.build(&first)?,
        second: scene.build(&of_version(2)?)?,
    })
}

fn name(package: &Path) -> Result<String> {
    let stem = package.file_stem().and_then(|stem| stem.to_str());
    let (name, _) = stem
        .and_then(|stem| stem.rsplit_once('-'))
        .context("no name")?;
    Ok(name.to_owned())
}

fn names(packages: &[PathBuf]) -> Result<Vec<String>> {
    packages.iter().map(|package| name(package)).collect()
}

/// From the first package to the last, two kernels below two directories, one run for each.
#[test]
fn a_life_of_two_kernels() -> Result<()> {
    let scene = Scene::new()?;
    let all = packages(&scene)?;
    scene.rpm("-i", &[&all.system])?;
    for program in [
        "bin/sh",
        "usr/bin/sh",
        "lib64",
        "usr/sbin/depmod",
        "sbin/depmod",
    ] {
        ensure!(!scene.exists(program), "the root has {program}");
    }
    let both = [(LIB, 1), (USR, 1)];
    runs(&scene.rpm("-i", &all.first)?, &both)?;
    scene.is_right(LIB)?;
    scene.is_right(USR)?;
    runs(&scene.rpm("-U", &all.second)?, &both)?;
    scene.is_right(LIB)?;
    scene.is_right(USR)?;
    let dep = scene.text(&format!("{LIB}/modules.dep"))?;
    ensure!(dep.lines().count() == 3, "{dep}");

    let names = names(&all.second)?;
    let (lib, usr): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.ends_with("lib"));
    runs(&scene.rpm("-e", &lib[..1])?, &[(LIB, 1)])?;
    scene.is_right(LIB)?;
    ensure!(scene.text(&format!("{LIB}/modules.dep"))?.lines().count() == 2);
    // What is left of a kernel without its image has no indexes, so nobody takes it for a kernel.
    scene.rpm("-e", &[name(&all.first[0])?])?;
    ensure!(scene.exists(&format!("{LIB}/kernel")) && !has_indexes(&scene, LIB));
    scene.rpm("-e", &lib[1..])?;
    ensure!(!scene.exists(LIB));
    let mut rest: Vec<String> = usr.into_iter().cloned().collect();
    rest.push(name(&all.first[1])?);
    scene.rpm("-e", &rest)?;
    ensure!(!scene.exists(USR));
    ensure!(!scene.exists("var/lib/kmpkit"));
    Ok(())
}

/// Whether there is anything that a depmod writes.
fn has_indexes(scene: &Scene, directory: &str) -> bool {
    FILES
        .iter()
        .any(|name| scene.exists(&format!("{directory}/{name}")))
}

/// Drivers that come before their kernel and stay longer have indexes just while the kernel is there.
#[test]
fn a_driver_without_its_kernel() -> Result<()> {
    let scene = Scene::new()?;
    let kernel = image(&scene, LIB)?;
    let kmps = [
        scene.kmp(LIB, "usb-common", 1)?,
        scene.kmp(LIB, "usbcore", 1)?,
    ];
    let built = scene.build(&[kmps.to_vec(), vec![kernel.clone()]].concat())?;
    scene.rpm("-i", &[scene.system()?])?;
    scene.rpm("-i", &built[..1])?;
    scene.rpm("-i", &built[1..2])?;
    ensure!(scene.exists(LIB) && !has_indexes(&scene, LIB));
    runs(&scene.rpm("-i", &built[2..])?, &[(LIB, 1)])?;
    scene.is_right(LIB)?;
    ensure!(scene.text(&format!("{LIB}/modules.dep"))?.lines().count() == 2);
    scene.rpm("-e", &[&kernel.name])?;
    ensure!(scene.exists(LIB) && !has_indexes(&scene, LIB));
    let update = scene.build(&[scene.kmp(LIB, "usbcore", 2)?])?;
    scene.rpm("-U", &update)?;
    ensure!(!has_indexes(&scene, LIB));
    scene.rpm("-e", &kmps.map(|kmp| kmp.name))?;
    ensure!(!scene.exists(LIB) && !scene.exists("var/lib/kmpkit"));
    Ok(())
}

/// The package of the triggers comes last, and with the others.
#[test]
fn its_own_installation_covers_what_is_there() -> Result<()> {
    let scene = Scene::new()?;
    let all = packages(&scene)?;
    scene.rpm("-i", &all.first)?;
    ensure!(!scene.exists(&format!("{LIB}/modules.alias.bin")));
    let both = [(LIB, 1), (USR, 1)];
    runs(&scene.rpm("-i", &[&all.system])?, &both)?;
    scene.is_right(LIB)?;
    scene.is_right(USR)?;

    let scene = Scene::new()?;
    let all = packages(&scene)?;
    let together: Vec<_> = all.first.iter().chain([&all.system]).collect();
    runs(&scene.rpm("-i", &together)?, &both)?;
    scene.is_right(LIB)?;
    scene.is_right(USR)?;
    // A package of the same name takes its place.
    runs(
        &scene.rpm("-U", &["--replacepkgs".into(), all.system])?,
        &both,
    )
}

/// Alone it leaves indexes as they are, with everything it leaves nothing.
#[test]
fn its_own_removal() -> Result<()> {
    let scene = Scene::new()?;
    let all = packages(&scene)?;
    let together: Vec<_> = all.first.iter().chain([&all.system]).collect();
    scene.rpm("-i", &together)?;
    scene.rpm("-e", &["kmpkit"])?;
    scene.is_right(LIB)?;
    scene.is_right(USR)?;
    ensure!(!scene.exists("var/lib/kmpkit"));

    scene.rpm("-i", &[&all.system])?;
    let mut names = names(&all.first)?;
    names.push("kmpkit".to_owned());
    scene.rpm("-e", &names)?;
    ensure!(!scene.exists(LIB) && !scene.exists(USR) && !scene.exists("var/lib/kmpkit"));
    Ok(())
}

/// Together with some packages of a kernel that are to go before it, it leaves right indexes of
/// the rest, in whatever order rpm is told.
#[test]
fn its_own_removal_with_some() -> Result<()> {
    let scene = Scene::new()?;
    let system = scene.system()?;
    let mut kmps = Vec::new();
    for module in ["xhci-hcd", "usbcore", "usb-common"] {
        kmps.push(Kmp {
            order_with: Some("kmpkit".to_owned()),
            ..scene.kmp(LIB, module, 1)?
        });
    }
    kmps.push(image(&scene, LIB)?);
    scene.rpm("-i", &scene.build(&kmps)?)?;
    for (gone, left) in [(0, 2), (1, 1)] {
        scene.rpm("-i", &[&system])?;
        let mut names = vec!["kmpkit", &kmps[gone].name];
        names.rotate_left(gone);
        scene.rpm("-e", &names)?;
        scene.is_right(LIB)?;
        let dep = scene.text(&format!("{LIB}/modules.dep"))?;
        ensure!(dep.lines().count() == left, "{names:?}: {dep}");
        ensure!(!scene.exists("var/lib/kmpkit"));
    }
    Ok(())
}

/// One kernel whose indexes cannot be made is told in a line, the other has its own.
#[test]
fn a_broken_kernel_does_not_stop_others() -> Result<()> {
    let scene = Scene::new()?;
    let all = packages(&scene)?;
    scene.rpm("-i", &[&all.system])?;
    // A directory where an index belongs.
    fs::create_dir_all(scene.root().join(LIB).join("modules.dep/in-the-way"))?;
    fs::write(scene.root().join(LIB).join("modules.order"), "")?;
    let transaction = scene.rpm("-i", &all.first[1..])?;
    let told = format!("kmp-trigger: ERROR: /{LIB}: could not write /{LIB}/modules.dep: ");
    let lines = transaction
        .said
        .lines()
        .filter(|line| line.starts_with(&told));
    ensure!(lines.count() == 1, "{}", transaction.said);
    ensure!(
        transaction.said.contains("exit status 1"),
        "{}",
        transaction.said
    );
    scene.is_right(USR)?;

    // The next transaction makes up for it, whichever kernel it is about.
    fs::remove_dir_all(scene.root().join(LIB).join("modules.dep"))?;
    let usr = all.second.last().context("no package")?;
    runs(&scene.rpm("-U", &[usr])?, &[(LIB, 1), (USR, 1)])?;
    scene.is_right(LIB)?;
    ensure!(!scene.exists("var/lib/kmpkit/touched"));
    Ok(())
}

/// A damaged module is told, and listed as depmod lists it.
#[test]
fn a_damaged_module() -> Result<()> {
    let scene = Scene::new()?;
    let system = scene.system()?;
    scene.rpm("-i", &[&system])?;
    let damaged = scene.packages().join("damaged");
    let bytes = fs::read(scene.module("usbcore")?)?;
    fs::write(&damaged, &bytes[..bytes.len() / 2])?;
    let path = format!("/{LIB}/kernel/usbcore.ko");
    let kmps = [
        Kmp::new("damaged", 1, &path, &damaged),
        scene.kmp(LIB, "xhci-hcd", 1)?,
        image(&scene, LIB)?,
    ];
    let transaction = scene.rpm("-i", &scene.build(&kmps)?)?;
    ensure!(
        transaction.said.contains("kmp-trigger: ERROR: ") && transaction.said.contains("usbcore"),
        "{}",
        transaction.said
    );
    scene.is_right(LIB)
}

/// Configuration that comes with a package changes which copy counts, in every kernel.
#[test]
fn configuration_is_about_every_kernel() -> Result<()> {
    let scene = Scene::new()?;
    let all = packages(&scene)?;
    let copy = Kmp::new(
        "copy",
        1,
        &format!("/{LIB}/updates/usbcore.ko"),
        &scene.module("loop")?,
    );
    let conf = scene.packages().join("conf");
    fs::write(&conf, "search built-in updates\n")?;
    let conf = Kmp::new("conf", 1, "/etc/depmod.d/first.conf", &conf);
    let more = scene.build(&[copy, conf])?;
    let together: Vec<_> = all.first.iter().chain([&all.system, &more[0]]).collect();
    scene.rpm("-i", &together)?;
    let dep = format!("{LIB}/modules.dep");
    ensure!(scene.text(&dep)?.contains("updates/usbcore.ko:"));
    runs(&scene.rpm("-i", &more[1..])?, &[(LIB, 1), (USR, 1)])?;
    ensure!(scene.text(&dep)?.contains("kernel/usbcore.ko:"));
    scene.rpm("-e", &["conf"])?;
    ensure!(scene.text(&dep)?.contains("updates/usbcore.ko:"));
    Ok(())
}

/// Where /usr is merged, packages may have modules of a kernel below either name of its directory:
/// one run, whatever comes, changes and goes together.
#[test]
fn one_kernel_by_two_names() -> Result<()> {
    let scene = Scene::new()?;
    fs::create_dir_all(scene.root().join("usr/lib"))?;
    symlink("usr/lib", scene.root().join("lib"))?;
    let release = "modules/6.1.0-1-merged";
    let (lib, usr) = (format!("lib/{release}"), format!("usr/lib/{release}"));
    let of_version = |version| -> Result<Vec<PathBuf>> {
        let mut usbcore = scene.kmp(&lib, "usbcore", version)?;
        usbcore.files.extend(scene.lists(&lib));
        scene.build(&[usbcore, scene.kmp(&usr, "usb-common", version)?])
    };
    let (first, second) = (of_version(1)?, of_version(2)?);
    let once = [(usr.as_str(), 1)];
    let system = scene.system()?;
    let together: Vec<_> = first.iter().chain([&system]).collect();
    runs(&scene.rpm("-i", &together)?, &once)?;
    scene.is_right(&usr)?;
    ensure!(scene.text(&format!("{usr}/modules.dep"))?.lines().count() == 2);
    runs(&scene.rpm("-U", &second)?, &once)?;
    scene.is_right(&usr)?;
    runs(&scene.rpm("-e", &names(&second)?)?, &once)?;
    ensure!(!scene.exists(&usr) && !scene.exists("var/lib/kmpkit"));
    Ok(())
}

/// A package whose transaction is killed when files have come and gone, before triggers.
fn killer() -> Kmp {
    let kill = "posix.kill(posix.getprocessid('pid'), 9)";
    Kmp {
        posttrans: Some(kill.to_owned()),
        ..Kmp::empty("killer")
    }
}

fn is_killed(scene: &Scene, mode: &str, packages: &[PathBuf]) -> Result<()> {
    let output = answer(&mut scene.rpm_command(mode, packages)?)?;
    ensure!(output.status.signal() == Some(9), "{}", output.status);
    Ok(())
}

/// What a killed update left undone is done by the next transaction with modules, of whatever
/// kernel.
#[test]
fn a_killed_transaction_is_made_up_for() -> Result<()> {
    let scene = Scene::new()?;
    let all = packages(&scene)?;
    let killer = scene.build(&[killer()])?;
    scene.rpm("-i", &[&all.system])?;
    scene.rpm("-i", &all.first)?;
    let (lib, usr) = all.second.split_at(all.second.len() / 2);
    let before = scene.text(&format!("{LIB}/modules.dep"))?;
    is_killed(&scene, "-U", &[lib, &killer].concat())?;
    ensure!(scene.exists(&format!("var/lib/kmpkit/touched/{LIB}")));
    ensure!(scene.text(&format!("{LIB}/modules.dep"))? == before);
    runs(&scene.rpm("-U", usr)?, &[(LIB, 1), (USR, 1)])?;
    ensure!(scene.text(&format!("{LIB}/modules.dep"))? != before);
    scene.is_right(LIB)?;
    scene.is_right(USR)?;
    ensure!(!scene.exists("var/lib/kmpkit/touched"));
    Ok(())
}

/// A killed installation has left no mark; the next transaction with that kernel sees it, and so
/// does depmod -A.
#[test]
fn a_killed_installation_is_made_up_for() -> Result<()> {
    let scene = Scene::new()?;
    let all = packages(&scene)?;
    let killer = scene.build(&[killer()])?;
    scene.rpm("-i", &[&all.system])?;
    let (last, most) = all.first.split_last().context("no packages")?;
    is_killed(&scene, "-i", &[most, &killer].concat())?;
    ensure!(!scene.exists(&format!("{LIB}/modules.alias.bin")));
    runs(&scene.rpm("-i", &[last])?, &[(USR, 1)])?;
    scene.is_right(USR)?;
    let mut depmod = tool("chroot")?;
    depmod
        .arg(scene.root())
        .args(["/usr/sbin/kmp-depmod", "-A"]);
    run(depmod.arg("6.1.0-1-lib"))?;
    scene.is_right(LIB)
}

/// Configuration and modules that come, change and go together: one run.
#[test]
fn configuration_with_modules() -> Result<()> {
    let scene = Scene::new()?;
    scene.rpm("-i", &[scene.system()?])?;
    let conf = scene.packages().join("conf");
    fs::write(&conf, "search updates built-in\n")?;
    let of_version = |version| -> Result<Vec<PathBuf>> {
        let mut kmp = scene.kmp(LIB, "usbcore", version)?;
        for directory in ["etc", "usr/lib"] {
            let path = format!("/{directory}/depmod.d/usbcore.conf");
            kmp.files.push((path, conf.clone()));
        }
        kmp.files.extend(scene.lists(LIB));
        scene.build(&[kmp])
    };
    let once = [(LIB, 1)];
    runs(&scene.rpm("-i", &of_version(1)?)?, &once)?;
    scene.is_right(LIB)?;
    let second = of_version(2)?;
    runs(&scene.rpm("-U", &second)?, &once)?;
    scene.is_right(LIB)?;
    scene.rpm("-e", &names(&second)?)?;
    ensure!(!scene.exists(LIB) && !scene.exists("var/lib/kmpkit"));
    Ok(())
}
