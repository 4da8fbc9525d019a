//! Turns a root's modules, kmod and busybox into an initramfs that reports the hardware.

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cpio::Cpio;
use crate::kernel::Kernel;
use crate::tools::{find, need, run, tool};
use crate::trial::Trial;

const INIT: &str = include_str!("init.sh");
const APPLETS: &[&str] = &[
    "sh", "mount", "find", "sed", "cut", "grep", "sleep", "uname", "poweroff", "uevent", "awk",
];
const INSMOD: &str = include_str!("insmod.sh");
const INSMOD_APPLETS: &[&str] = &["sh", "mount", "dmesg", "insmod", "rmmod", "poweroff"];
const CONFIG_DIRS: &[&str] = &["etc/modprobe.d", "lib/modprobe.d", "usr/lib/modprobe.d"];
/// What leads out of the tree, and what depmod makes, which comes from `indexes` instead.
const LEFT_OUT: &[&str] = &[
    "build",
    "source",
    "vmlinuz",
    "System.map",
    "config",
    "updates-dkms",
];

type Archive = Cpio<BufWriter<File>>;

/// Writes the initramfs for a kernel; with `modules`, everything below its `lib/modules`.
pub fn write(kernel: &Kernel, modules: bool, to: &Path) -> Result<()> {
    need(&["busybox", "modprobe", "depmod", "ldd"])?;
    let mut cpio = with_init(INIT, to)?;
    busybox(&mut cpio, APPLETS)?;
    kmod(&mut cpio)?;
    if modules {
        module_tree(&mut cpio, kernel)?;
    }
    cpio.finish().map(drop)
}

/// Writes the initramfs that tries to load modules.
pub fn write_trials(trials: &[Trial], to: &Path) -> Result<()> {
    need(&["busybox"])?;
    let mut cpio = with_init(INSMOD, to)?;
    busybox(&mut cpio, INSMOD_APPLETS)?;
    for (number, trial) in trials.iter().enumerate() {
        // The script goes through them in the order of their names.
        let directory = format!("trials/{number:03}.{}", trial.name);
        cpio.dir(&directory)?;
        if trial.enforce {
            cpio.bytes(&format!("{directory}/enforce"), 0o644, b"")?;
        }
        for (number, module) in trial.modules.iter().enumerate() {
            cpio.bytes(&format!("{directory}/{number:03}.ko"), 0o644, module)?;
        }
    }
    cpio.finish().map(drop)
}

/// Begins an archive with the directories of a system and its first program.
fn with_init(init: &str, to: &Path) -> Result<Archive> {
    let file = File::create(to).with_context(|| format!("create {}", to.display()))?;
    let mut cpio = Cpio::new(BufWriter::with_capacity(1 << 20, file));
    for dir in [
        "usr/lib",
        "usr/lib64",
        "usr/bin",
        "usr/sbin",
        "dev",
        "proc",
        "sys",
        "etc",
    ] {
        cpio.dir(dir)?;
    }
    for link in ["lib", "lib64", "bin", "sbin"] {
        cpio.symlink(link, &format!("usr/{link}"))?;
    }
    cpio.device("dev/console", 5, 1)?;
    cpio.bytes("init", 0o755, init.as_bytes())?;
    Ok(cpio)
}

fn busybox<W: std::io::Write>(cpio: &mut Cpio<W>, applets: &[&str]) -> Result<()> {
    let busybox = find("busybox").context("busybox")?;
    let header = fs::read(&busybox).with_context(|| format!("read {}", busybox.display()))?;
    if header.windows(8).any(|w| w == b"/ld-linu") {
        bail!(
            "{} is not static: apt-get install -y busybox-static",
            busybox.display()
        );
    }
    cpio.bytes("usr/bin/busybox", 0o755, &header)?;
    applets
        .iter()
        .try_for_each(|applet| cpio.symlink(&format!("usr/bin/{applet}"), "busybox"))
}

/// kmod's own modprobe: it knows every compression and treats dependencies as on a real system.
fn kmod<W: std::io::Write>(cpio: &mut Cpio<W>) -> Result<()> {
    let modprobe = find("modprobe").context("modprobe")?;
    cpio.file("usr/sbin/modprobe", 0o755, &modprobe)?;
    let libraries = run(tool("ldd")?.arg(&modprobe))?;
    let paths = libraries
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    for path in paths {
        let inside = path.trim_start_matches('/');
        let inside = if inside.starts_with("usr/") {
            inside.to_owned()
        } else {
            format!("usr/{inside}")
        };
        cpio.file(&inside, 0o755, Path::new(path))?;
    }
    Ok(())
}

fn module_tree<W: std::io::Write>(cpio: &mut Cpio<W>, kernel: &Kernel) -> Result<()> {
    let inside = format!("usr/lib/modules/{}", kernel.release);
    let stage = tempfile::tempdir().context("temporary directory")?;
    // A root that has indexes boots with them, whoever made them.
    let indexes = match kernel.modules_dir.join("modules.dep.bin").exists() {
        true => kernel.modules_dir.clone(),
        false => indexes(kernel, stage.path())?,
    };
    for entry in fs::read_dir(&indexes).with_context(|| format!("read {}", indexes.display()))? {
        let entry = entry.with_context(|| format!("read {}", indexes.display()))?;
        if LEFT_OUT.iter().any(|name| entry.file_name() == **name) {
            continue;
        }
        if entry
            .file_type()
            .with_context(|| format!("stat {}", entry.path().display()))?
            .is_file()
        {
            cpio.file(
                &format!("{inside}/{}", entry.file_name().to_string_lossy()),
                0o644,
                &entry.path(),
            )?;
        }
    }
    let made = |name: &str| {
        indexes
            .join(name)
            .symlink_metadata()
            .is_ok_and(|m| m.is_file())
    };
    cpio.tree(&inside, &kernel.modules_dir, &|name| {
        !LEFT_OUT.contains(&name) && !made(name)
    })?;
    for dir in CONFIG_DIRS {
        let source = kernel.root.join(dir);
        let resolved = source.canonicalize().unwrap_or_else(|_| source.clone());
        if resolved.is_dir() && (*dir != "lib/modprobe.d" || resolved == source) {
            let inside = if dir.starts_with("lib/") {
                format!("usr/{dir}")
            } else {
                (*dir).to_owned()
            };
            cpio.tree(&inside, &source, &|_| true)?;
        }
    }
    Ok(())
}

/// Runs kmod's depmod over a stage that links to the tree, so that the tree stays as it is.
pub fn indexes(kernel: &Kernel, stage: &Path) -> Result<PathBuf> {
    let dir = stage.join("lib/modules").join(&kernel.release);
    fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    let read = || format!("read {}", kernel.modules_dir.display());
    for entry in fs::read_dir(&kernel.modules_dir).with_context(read)? {
        let entry = entry.with_context(read)?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let input = [
            "modules.order",
            "modules.builtin",
            "modules.builtin.modinfo",
        ]
        .contains(&text.as_ref());
        if !LEFT_OUT.contains(&text.as_ref()) && (input || !text.starts_with("modules.")) {
            symlink(entry.path(), dir.join(&name))
                .with_context(|| format!("link {}", dir.join(&name).display()))?;
        }
    }
    let depmod: &mut Command = &mut tool("depmod")?;
    run(depmod.arg("-b").arg(stage).arg(&kernel.release))?;
    Ok(dir)
}
