//! Holds the tags of softdeps against modprobe and against the kernel's loader.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::tools::tool;
use kmpkit_tests::vendor::VendorPackage;
use kmpkit_tests::{
    Chroot, Dnf, Kernel, Machine, Place, Zypp, cache_dir, initramfs, modular, run, worlds,
};

/// Modules whose softdeps are aliases. Without what these lead to they do not load.
const MODULES: [&str; 3] = ["xfs", "nf_tables", "dm-writeboost"];

/// The tag of each softdep is about a module that modprobe takes for its name, and is a requirement
/// if modprobe loads that module first.
#[test]
fn softdeps_lead_where_modprobe_goes() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let stage = tempfile::tempdir()?;
    let indexes = initramfs::indexes(&kernel, stage.path())?;
    let text = fs::read_to_string(modular::softdeps(&kernel, &worlds::top("bookworm")?)?)?;
    let mut tags: BTreeMap<String, BTreeSet<(&str, String)>> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [path, kind, module] = words[..] else {
            anyhow::bail!("{line}");
        };
        let user = path.rsplit('/').next().unwrap_or(path);
        let of_user = tags.entry(spelled(user)).or_default();
        of_user.insert((kind, spelled(module)));
    }
    let mut met = 0;
    let mut explained: BTreeMap<&str, BTreeSet<(&str, String)>> = BTreeMap::new();
    let softdeps = fs::read_to_string(indexes.join("modules.softdep"))?;
    for line in softdeps
        .lines()
        .filter_map(|line| line.strip_prefix("softdep "))
    {
        let (user, words) = line.split_once(' ').context("a softdep without words")?;
        // What modprobe ignores, such as the ciphers of cifs, is asked for by the module itself.
        let mut kind = "Recommends";
        for word in words.split_whitespace() {
            match word {
                "pre:" => kind = "Requires",
                "post:" => kind = "Recommends",
                name => {
                    let resolved = resolve(stage.path(), &kernel, name)?;
                    let of_user = tags.get(user).into_iter().flatten();
                    let of_name = of_user.filter(|(of, to)| *of == kind && resolved.contains(to));
                    let of_name: Vec<_> = of_name.cloned().collect();
                    let is_met = !resolved.is_empty() && !resolved.contains("builtin");
                    ensure!(
                        is_met != of_name.is_empty(),
                        "{user}: {kind} {name}: modprobe finds {resolved:?}, tags are {of_name:?}"
                    );
                    met += usize::from(is_met);
                    explained.entry(user).or_default().extend(of_name);
                }
            }
        }
    }
    ensure!(met > 20, "{met} softdeps lead to a module");
    for (user, tags) in &tags {
        let explained = explained.get(user.as_str());
        ensure!(
            Some(tags) == explained,
            "{user}: {tags:?}, not {explained:?}"
        );
    }
    Ok(())
}

fn spelled(name: &str) -> String {
    name.replace('-', "_")
}

/// The modules that modprobe would load for a name; `builtin` for what is linked into the kernel.
fn resolve(root: &Path, kernel: &Kernel, name: &str) -> Result<BTreeSet<String>> {
    let mut modprobe = tool("modprobe")?;
    modprobe.arg("-d").arg(root).args(["-S", &kernel.release]);
    modprobe.args(["--show-depends", "--ignore-install", "--quiet", "--all"]);
    let shown = modprobe.arg(name).output().context("modprobe")?.stdout;
    let shown = String::from_utf8(shown)?;
    // modprobe prefers a module, but what the image has needs no package.
    if shown.contains("builtin ") || is_builtin_alias(kernel, name)? {
        return Ok(BTreeSet::from(["builtin".to_owned()]));
    }
    let mut modprobe = tool("modprobe")?;
    modprobe.arg("-d").arg(root).args(["-S", &kernel.release]);
    let text = modprobe.args(["--resolve-alias", name]).output();
    let text = String::from_utf8(text.context("modprobe")?.stdout)?;
    Ok(text.split_whitespace().map(spelled).collect())
}

fn is_builtin_alias(kernel: &Kernel, name: &str) -> Result<bool> {
    let modinfo = fs::read(kernel.modules_dir.join("modules.builtin.modinfo"))?;
    let modinfo = String::from_utf8_lossy(&modinfo);
    let mut aliases = modinfo
        .split('\0')
        .filter_map(|field| field.split_once(".alias="));
    Ok(aliases.any(|(_, alias)| spelled(alias) == spelled(name)))
}

/// Without recommends, on a processor without SSE4.2, so that no module for it helps out.
#[test]
fn modules_with_softdeps_load_without_recommends() -> Result<()> {
    let world = worlds::world("bookworm")?;
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let driver = writeboost(&kernel, directory.path())?;
    let vendor = driver.parent().context("no directory")?;
    let repositories = [("kernel", world.repo.as_path()), ("vendor", vendor)];
    let wanted = [
        "kernel-amd64-image",
        "kmod(xfs.ko)",
        "kmod(nf_tables.ko)",
        "vendor-driver",
    ];

    let by_zypper = directory.path().join("zypper");
    let zypp = Zypp::new(&by_zypper, &repositories)?;
    let mut install = zypp.command()?;
    install.args(["install", "--no-recommends"]).args(wanted);
    run(&mut install)?;
    load(&by_zypper)?;

    let by_dnf = directory.path().join("dnf");
    let dnf = Dnf::new_in(Place::Host, "dnf", &by_dnf, &repositories)?;
    let mut install = dnf.command()?;
    install
        .args(["--setopt=install_weak_deps=False", "install"])
        .args(wanted);
    run(&mut install)?;
    load(&by_dnf)
}

fn load(root: &Path) -> Result<()> {
    let machine = Machine::bare().option(&["-cpu", "qemu64"]);
    let report = machine.modprobe(root, &MODULES)?;
    for module in MODULES.map(spelled) {
        let loaded = report.modules.contains(&module);
        ensure!(loaded, "{module} is not loaded\n{}", report.console);
    }
    let optional = report
        .modules
        .iter()
        .find(|name| name.contains("crc32c_intel"));
    ensure!(optional.is_none(), "{optional:?} was loaded, too");
    Ok(())
}

/// A vendor's package with the dm-writeboost of the archive, compiled for its kernel.
fn writeboost(kernel: &Kernel, directory: &Path) -> Result<PathBuf> {
    let packages = ["dm-writeboost-dkms", "gcc", "linux-headers-amd64", "make"];
    let chroot = Chroot::get("bookworm", &packages, &cache_dir())?;
    let build = chroot.tempdir()?;
    let inside = chroot.inside(build.path())?;
    chroot.run(&format!(
        "cp -a /usr/src/dm-writeboost-*/. {0}; make -C /lib/modules/{1}/build M={0} modules",
        inside.display(),
        kernel.release
    ))?;
    let mut files = Vec::new();
    walk(build.path(), &mut files)?;
    let module = files
        .into_iter()
        .find(|path| path.ends_with("dm-writeboost.ko"));
    let module = fs::read(module.context("no dm-writeboost.ko")?)?;
    let package = VendorPackage::new()?;
    let path = format!("/lib/modules/{}/updates/dm-writeboost.ko", kernel.release);
    package.file(&path, &module)?;
    let built = package.build(&Rpm::host()?, &[])?;
    let repository = directory.join("vendor");
    fs::create_dir(&repository)?;
    let kept = repository.join(built.file_name().context("no name")?);
    fs::copy(&built, &kept)?;
    createrepo(&repository)?;
    Ok(kept)
}
