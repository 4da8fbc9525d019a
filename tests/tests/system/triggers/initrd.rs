//! Transactions with modules for the initrd, in a root with scripts in place of what makes initrds,
//! into what these were asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::scene::Scene;
use kmpkit_tests::tools::{find, need};

use crate::triggers::native::image;

const RELEASE: &str = "6.1.0-1-lib";
const DIRECTORY: &str = "lib/modules/6.1.0-1-lib";
const DRACUT: &str = "usr/bin/dracut";
const KERNEL_INSTALL: &str = "usr/bin/kernel-install";
const SUSE: &str = "usr/lib/module-init-tools/regenerate-initrd-posttrans";

/// Tells its arguments, if the indexes are there by then.
const TELLS: &str = "[ -s /lib/modules/6.1.0-1-lib/modules.dep.bin ] && echo \"$@\" >> /told";
/// What is done where kernel-install is in charge, too: something of the kernel comes to /boot.
const ADDS: &str = "/stand-ins/busybox mkdir -p /boot/token/$2; echo > /boot/token/$2/initrd";
/// Tells the flags it finds, takes them and leaves an initrd for each.
const FLAGS: &str = "for flag in /run/regenerate-initrd/*; do echo ${flag##*/} >> /told; \
                     /stand-ins/busybox rm $flag; echo > /boot/initrd-${flag##*/}; done";

/// A kernel with xhci-hcd marked, what that needs, and a module that is not marked.
struct Kernel {
    image: PathBuf,
    modules: Vec<PathBuf>,
    plain: PathBuf,
}

fn kernel(scene: &Scene) -> Result<Kernel> {
    let list = scene.packages().join("list");
    fs::write(&list, "xhci-hcd\n")?;
    let mut of_image = image(scene, DIRECTORY)?;
    let path = format!("/{DIRECTORY}/kmpkit-initrd.list");
    of_image.files.push((path, list));
    let mut all = vec![of_image];
    for module in ["xhci-hcd", "usbcore", "usb-common", "dummy"] {
        all.push(scene.kmp(DIRECTORY, module, 1)?);
    }
    let mut built = scene.build(&all)?;
    Ok(Kernel {
        plain: built.pop().context("no package")?,
        image: built.remove(0),
        modules: built,
    })
}

/// A root with the package under test, and a kernel for it.
fn root() -> Result<(Scene, Kernel)> {
    let scene = Scene::new()?;
    let kernel = kernel(&scene)?;
    scene.rpm("-i", &[scene.system()?])?;
    Ok((scene, kernel))
}

/// A program of the root, which still has no shell where programs look for one.
fn stand_in(scene: &Scene, path: &str, script: &str) -> Result<()> {
    need(&["busybox"])?;
    let busybox = scene.root().join("stand-ins/busybox");
    if !busybox.exists() {
        fs::create_dir_all(scene.root().join("stand-ins"))?;
        fs::copy(find("busybox").context("busybox")?, &busybox)?;
    }
    let path = scene.root().join(path);
    fs::create_dir_all(path.parent().context("no parent")?)?;
    fs::write(&path, format!("#!/stand-ins/busybox sh\n{script}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// What was told since it was last asked.
fn told(scene: &Scene) -> Result<Vec<String>> {
    let path = scene.root().join("told");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path)?;
    fs::remove_file(&path)?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn tells(scene: &Scene, wanted: &[&str]) -> Result<()> {
    let told = told(scene)?;
    ensure!(told == wanted, "told {told:?} and not {wanted:?}");
    Ok(())
}

fn install(scene: &Scene, kernel: &Kernel) -> Result<()> {
    let all = kernel.modules.iter().chain([&kernel.image, &kernel.plain]);
    scene.rpm("-i", &all.collect::<Vec<_>>())?;
    Ok(())
}

/// From a kernel's first package to its last: once where a marked module or one it needs came,
/// changed or went, and after the indexes.
#[test]
fn dracut_runs_once_when_a_marked_module_changes() -> Result<()> {
    let (scene, kernel) = root()?;
    stand_in(&scene, DRACUT, TELLS)?;
    let made = format!("--force --kver {RELEASE}");
    install(&scene, &kernel)?;
    tells(&scene, &[&made])?;
    let plain = scene.kmp(DIRECTORY, "dummy", 2)?;
    let plain_name = plain.name.clone();
    scene.rpm("-U", &scene.build(&[plain])?)?;
    scene.rpm("-e", &[plain_name])?;
    tells(&scene, &[])?;
    let needed = scene.kmp(DIRECTORY, "usb-common", 2)?;
    let mut names = vec![needed.name.clone()];
    scene.rpm("-U", &scene.build(&[needed])?)?;
    tells(&scene, &[&made])?;
    let marked = scene.kmp(DIRECTORY, "xhci-hcd", 1)?;
    scene.rpm("-e", &[marked.name])?;
    tells(&scene, &[&made])?;
    names.push(scene.kmp(DIRECTORY, "usbcore", 1)?.name);
    names.push(image(&scene, DIRECTORY)?.name);
    scene.rpm("-e", &names)?;
    tells(&scene, &[])?;
    ensure!(!scene.exists(DIRECTORY));
    Ok(())
}

/// Modules before their kernel, as zypper may bring them.
#[test]
fn modules_wait_for_their_kernel() -> Result<()> {
    let (scene, kernel) = root()?;
    stand_in(&scene, DRACUT, TELLS)?;
    scene.rpm("-i", &kernel.modules)?;
    tells(&scene, &[])?;
    scene.rpm("-i", &[&kernel.image])?;
    tells(&scene, &[&format!("--force --kver {RELEASE}")])
}

/// What is installed for it decides who is asked; dracut also, where kernel-install is only there.
#[test]
fn the_owner_is_asked() -> Result<()> {
    let (scene, kernel) = root()?;
    let add = format!("add {RELEASE} /{DIRECTORY}/vmlinuz");
    stand_in(&scene, DRACUT, TELLS)?;
    stand_in(&scene, KERNEL_INSTALL, &format!("{TELLS}; {ADDS}"))?;
    install(&scene, &kernel)?;
    tells(&scene, &[&add])?;
    stand_in(&scene, KERNEL_INSTALL, TELLS)?;
    let needed = scene.kmp(DIRECTORY, "usb-common", 2)?;
    scene.rpm("-U", &scene.build(&[needed])?)?;
    tells(&scene, &[&add, &format!("--force --kver {RELEASE}")])?;
    stand_in(&scene, SUSE, FLAGS)?;
    let needed = scene.kmp(DIRECTORY, "usbcore", 2)?;
    scene.rpm("-U", &scene.build(&[needed])?)?;
    tells(&scene, &[RELEASE])?;
    stand_in(&scene, SUSE, &format!("{FLAGS} # ${{image#*-}}"))?;
    scene.rpm("-e", &[scene.kmp(DIRECTORY, "xhci-hcd", 1)?.name])?;
    tells(&scene, &[&format!("vmlinuz-{RELEASE}")])
}

/// A scriptlet of the same transaction has made an initrd, of everything that is there now: one is
/// enough. One that ran before the indexes were right is none.
#[test]
fn an_initrd_of_a_scriptlet_is_enough() -> Result<()> {
    let (scene, kernel) = root()?;
    stand_in(&scene, DRACUT, TELLS)?;
    install(&scene, &kernel)?;
    let made = format!("--force --kver {RELEASE}");
    tells(&scene, &[&made])?;
    fs::create_dir_all(scene.root().join("boot"))?;
    let makes = format!("io.open('/boot/initrd-{RELEASE}', 'w'):write('made'):close()");
    let with_scriptlet = |module: &str| -> Result<Vec<PathBuf>> {
        // Other bytes that need and offer the same, so that the indexes stay.
        let mut bytes = fs::read(scene.module(module)?)?;
        bytes.push(0);
        let longer = scene.packages().join("longer");
        fs::write(&longer, bytes)?;
        let mut kmp = scene.kmp(DIRECTORY, module, 2)?;
        kmp.files = vec![(format!("/{DIRECTORY}/kernel/{module}.ko"), longer)];
        kmp.posttrans = Some(makes.clone());
        scene.build(&[kmp])
    };
    scene.rpm("-U", &with_scriptlet("usb-common")?)?;
    ensure!(scene.exists(&format!("boot/initrd-{RELEASE}")));
    tells(&scene, &[])?;
    scene.rpm("-U", &with_scriptlet("dummy")?)?;
    tells(&scene, &[])?;
    scene.rpm("-U", &scene.build(&[scene.kmp(DIRECTORY, "usbcore", 2)?])?)?;
    tells(&scene, &[&made])?;

    // Here it ran without an index of the module it is about.
    scene.rpm("-e", &[scene.kmp(DIRECTORY, "xhci-hcd", 1)?.name])?;
    tells(&scene, &[&made])?;
    scene.rpm("-i", &with_scriptlet("xhci-hcd")?)?;
    tells(&scene, &[&made])
}

/// Nothing while an image is built, by variable or by file, nor where nobody makes initrds; what
/// is due is done later.
#[test]
fn nobody_is_asked() -> Result<()> {
    let (scene, kernel) = root()?;
    install(&scene, &kernel)?;
    scene.is_right(DIRECTORY)?;
    stand_in(&scene, DRACUT, TELLS)?;
    let switch = scene.root().join("etc/kmpkit/no-initrd");
    fs::create_dir_all(switch.parent().context("no parent")?)?;
    fs::write(&switch, "")?;
    let build = |module| scene.build(&[scene.kmp(DIRECTORY, module, 2)?]);
    scene.rpm("-U", &build("usb-common")?)?;
    tells(&scene, &[])?;
    fs::remove_file(switch)?;
    let mut rpm = scene.rpm_command("-U", &build("usbcore")?)?;
    scene.traced(rpm.env("KERNEL_INSTALL_BYPASS", "1"))?;
    tells(&scene, &[])?;
    scene.rpm("-U", &build("dummy")?)?;
    tells(&scene, &[&format!("--force --kver {RELEASE}")])
}

/// A tool that fails is told in a line, the indexes are right, and the next transaction tries
/// again; one without its interpreter is no failure.
#[test]
fn a_tool_that_fails() -> Result<()> {
    let (scene, kernel) = root()?;
    let dracut = scene.root().join(DRACUT);
    stand_in(&scene, DRACUT, "exit 3")?;
    let first = kernel.modules.iter().chain([&kernel.image]);
    let failed = scene.rpm("-i", &first.collect::<Vec<_>>())?;
    let line =
        format!("kmp-trigger: ERROR: /{DIRECTORY}: no new initrd: /{DRACUT}: exit status: 3");
    let lines = failed.said.lines().filter(|said| *said == line);
    ensure!(lines.count() == 1, "{}", failed.said);
    ensure!(failed.said.contains("exit status 1"), "{}", failed.said);
    scene.is_right(DIRECTORY)?;

    fs::write(&dracut, "#!/bin/bash\n")?;
    let missing = scene.rpm("-i", &[&kernel.plain])?;
    ensure!(
        !missing.said.contains("ERROR") && !missing.said.contains("exit status"),
        "{}",
        missing.said
    );
    stand_in(&scene, DRACUT, TELLS)?;
    scene.rpm("-e", &[scene.kmp(DIRECTORY, "dummy", 1)?.name])?;
    tells(&scene, &[&format!("--force --kver {RELEASE}")])
}

/// Told all installed files, it asks for what is due and nothing else.
#[test]
fn its_own_update_and_removal_ask_for_nothing() -> Result<()> {
    let scene = Scene::new()?;
    let kernel = kernel(&scene)?;
    stand_in(&scene, DRACUT, TELLS)?;
    install(&scene, &kernel)?;
    tells(&scene, &[])?;
    let system = scene.system()?;
    scene.rpm("-i", &[&system])?;
    tells(&scene, &[&format!("--force --kver {RELEASE}")])?;
    scene.rpm("-U", &["--replacepkgs".into(), system])?;
    scene.rpm("-e", &["kmpkit"])?;
    tells(&scene, &[])
}
