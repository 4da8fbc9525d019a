//! Turns real kernels into the repositories that scenarios name, each once for a process.
//!
//! | world | packages | variables |
//! | --- | --- | --- |
//! | `bookworm`, `trixie` | the whole current kernel of the suite, by the default policy | `{release} {version} {kabi}` |
//! | `modules` | bookworm's, a package for each module | the same |
//! | `neighbours` | two kernels of different kABI, only [`MODULES`] of each | the same of the newer one, and `{old_release} {old_version} {old_kabi}` |
//! | `redhat` | the same two in the redhat dialect | the same |
//! | `kabi` | the same two, their kABI in the name of each package (`policies/kabi.toml`) | the same |
//! | `one-kabi` | the newer one and a rebuild of it under the same kernelrelease, named likewise | the same: of the rebuild, and `{old_version}` of the first build |
//! | `extra` | the newer one's, unsupported ones apart (`policies/extra.toml`) | `{release} {version} {kabi}` |
//! | `vendor` | a vendor's package with one module of the newer of the two | the same, and `{imports}`: the tags of all symbols it imports, by Module.symvers |
//!
//! They lie in `worlds` in the build directory, to be looked at, and are made anew by each run:
//! what makes them is what is tested.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};

use crate::directories::project;
use crate::directories::{build_dir, cache_dir};
use crate::kernel::Kernel;
use crate::kmod_tools::{depmod, modversions, symvers};
use crate::modular::{packages, part, policy, repository};
use crate::once::lock;
use crate::rpmbuild::Rpm;
use crate::rpms::createrepo;
use crate::scenario::World;
use crate::vendor::VendorPackage;

/// The modules of the worlds that have not all, to which comes all they depend on.
pub const MODULES: &[&str] = &["e1000", "xhci-pci", "usb-storage"];

/// The module in the vendor's package.
const VENDOR_MODULE: &str = "xhci-pci";

type Make = fn(&Path) -> Result<World>;
type Made = OnceLock<Result<(World, File), String>>;

static WORLDS: [(&str, Make, Made); 9] = [
    (
        "bookworm",
        |dir| whole("bookworm", dir, &[]),
        OnceLock::new(),
    ),
    ("trixie", |dir| whole("trixie", dir, &[]), OnceLock::new()),
    ("modules", modules, OnceLock::new()),
    (
        "neighbours",
        |dir| neighbours_as(dir, "suse"),
        OnceLock::new(),
    ),
    (
        "redhat",
        |dir| neighbours_as(dir, "redhat"),
        OnceLock::new(),
    ),
    ("kabi", kabi, OnceLock::new()),
    ("one-kabi", one_kabi, OnceLock::new()),
    ("extra", extra, OnceLock::new()),
    ("vendor", vendor, OnceLock::new()),
];

/// A repository by the name a scenario gives it.
pub fn world(name: &str) -> Result<World> {
    let (name, make, made) = WORLDS
        .iter()
        .find(|world| world.0 == name)
        .with_context(|| format!("no world {name:?}"))?;
    let (world, _) = made
        .get_or_init(|| anew(name, *make).map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow!("world {name}: {error}"))?;
    Ok(world.clone())
}

/// The rpmbuild directory of a world: its packages are below `RPMS` there, and `rpmbuild.log` is
/// what rpmbuild said.
pub fn top(name: &str) -> Result<PathBuf> {
    world(name)?;
    Ok(directory(name))
}

fn directory(name: &str) -> PathBuf {
    build_dir().join("worlds").join(name)
}

/// The file is locked: no other process makes this world while this one uses it.
fn anew(name: &str, make: Make) -> Result<(World, File)> {
    let dir = directory(name);
    let parent = dir.parent().context("no parent")?;
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    let locked = lock(&dir)?;
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
    }
    fs::create_dir(&dir).with_context(|| format!("create {}", dir.display()))?;
    Ok((make(&dir)?, locked))
}

fn modules(dir: &Path) -> Result<World> {
    whole("bookworm", dir, &[("kmp_policy", &policy("per-module"))])
}

fn whole(suite: &str, dir: &Path, defines: &[(&str, &str)]) -> Result<World> {
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let defines = [&[("kmp_dialect", "suse")], defines].concat();
    let repo = repository(&Rpm::host()?, &kernel, dir, &defines)?;
    Ok(World {
        repo,
        variables: variables("", &kernel),
    })
}

fn neighbours_as(dir: &Path, dialect: &str) -> Result<World> {
    let policy = policy("per-module");
    let defines = [("kmp_dialect", dialect), ("kmp_policy", &policy)];
    two(dir, &defines)
}

fn kabi(dir: &Path) -> Result<World> {
    let policy = test_policy("kabi");
    let defines = [
        ("kmp_policy", policy.as_str()),
        ("kernel_named_by_kabi", "1"),
    ];
    two(dir, &defines)
}

fn one_kabi(dir: &Path) -> Result<World> {
    let [_, kernel] = neighbours()?;
    let kernel = few(&kernel, &dir.join("tree"))?;
    let policy = test_policy("kabi");
    let defines = [
        ("kmp_policy", policy.as_str()),
        ("kernel_named_by_kabi", "1"),
    ];
    let rebuild = [&defines[..], &[("kernel_build", "2")]].concat();
    let mut world = builds(dir, &[(&kernel, &defines), (&kernel, &rebuild)])?;
    for (name, version) in &mut world.variables {
        if name == "version" {
            version.push_str(".2");
        }
    }
    Ok(world)
}

fn extra(dir: &Path) -> Result<World> {
    let [_, kernel] = neighbours()?;
    let few = few(&kernel, &dir.join("tree"))?;
    let defines = [
        ("kmp_dialect", "suse"),
        ("kmp_policy", &test_policy("extra")),
    ];
    Ok(World {
        repo: repository(&Rpm::host()?, &few, dir, &defines)?,
        variables: variables("", &kernel),
    })
}

/// A policy of the tests.
pub fn test_policy(name: &str) -> String {
    let path = project()
        .join("tests/policies")
        .join(name)
        .with_extension("toml");
    path.display().to_string()
}

/// Packages of two builds, the older one first, each with its defines.
fn builds(dir: &Path, builds: &[(&Kernel, &[(&str, &str)]); 2]) -> Result<World> {
    let rpm = Rpm::host()?;
    let mut world = World {
        repo: dir.join("RPMS"),
        variables: Vec::new(),
    };
    for ((kernel, defines), prefix) in builds.iter().zip(["old_", ""]) {
        let defines = [&[("kmp_dialect", "suse")], *defines].concat();
        packages(&rpm, kernel, dir, &defines)?;
        world.variables.extend(variables(prefix, kernel));
    }
    createrepo(&world.repo)?;
    Ok(world)
}

/// The same packages of two kernels.
fn two(dir: &Path, defines: &[(&str, &str)]) -> Result<World> {
    let [old, new] = neighbours()?;
    let [old, new] = [few(&old, &dir.join("old"))?, few(&new, &dir.join("new"))?];
    builds(dir, &[(&old, defines), (&new, defines)])
}

/// The archive's current kernel and the build before it; where the archive has only one, the
/// next suite's is the newer.
fn neighbours() -> Result<[Kernel; 2]> {
    let mut builds = Kernel::all_in_archive("bookworm", "amd64", &cache_dir())?;
    if builds.len() < 2 {
        builds.push(Kernel::from_archive("trixie", "amd64", &cache_dir())?);
    }
    let new = builds.pop().context("no kernel")?;
    let old = builds.pop().context("one kernel")?;
    ensure!(
        new.release != old.release,
        "{} is no neighbour",
        new.release
    );
    Ok([old, new])
}

/// A tree with [`MODULES`] and what depmod says they need.
fn few(kernel: &Kernel, root: &Path) -> Result<Kernel> {
    let few = closed(kernel, root, |path| {
        MODULES.iter().any(|module| named(path, module))
    })?;
    let found = few.modules()?;
    for module in MODULES {
        let mut paths = found.iter().filter_map(|path| path.to_str());
        ensure!(
            paths.any(|path| named(path, module)),
            "{}: no {module}",
            kernel.release
        );
    }
    Ok(few)
}

/// A tree with the modules that `wanted` accepts by path, and what depmod says they need.
pub fn closed(kernel: &Kernel, root: &Path, wanted: impl Fn(&str) -> bool) -> Result<Kernel> {
    let depmod = depmod(kernel)?;
    let mut paths = BTreeSet::new();
    for (path, needs) in depmod.closure.iter().filter(|(path, _)| wanted(path)) {
        paths.insert(path.as_str());
        paths.extend(needs.iter().map(String::as_str));
    }
    ensure!(!paths.is_empty(), "{}: no such module", kernel.release);
    let paths: Vec<&str> = paths.into_iter().collect();
    part(kernel, root, &paths)
}

fn named(path: &str, module: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next() == Some(module)
}

fn vendor(dir: &Path) -> Result<World> {
    let [_, kernel] = neighbours()?;
    let module = kernel
        .modules()?
        .into_iter()
        .find(|path| path.to_str().is_some_and(|path| named(path, VENDOR_MODULE)))
        .context(VENDOR_MODULE)?;
    let package = VendorPackage::new()?;
    let file = module.file_name().unwrap_or_default().to_string_lossy();
    let installed = format!("/lib/modules/{}/updates/{file}", kernel.release);
    package.file(&installed, &fs::read(&module)?)?;
    let rpm = package.build(&Rpm::host()?, &[("kmp_dialect", "suse")])?;
    let repo = dir.join("RPMS");
    fs::create_dir_all(&repo)?;
    fs::copy(&rpm, repo.join(rpm.file_name().unwrap_or_default()))?;
    createrepo(&repo)?;
    let imported = modversions(&module)?;
    let imports: Vec<String> = symvers(&kernel)?
        .into_iter()
        .filter(|(symbol, ..)| imported.contains_key(symbol))
        .map(|(symbol, crc, _)| format!("ksym(amd64:{symbol}) = {crc:x}"))
        .collect();
    ensure!(
        imports.len() == imported.len(),
        "{} of {} imports in Module.symvers",
        imports.len(),
        imported.len()
    );
    let mut variables = variables("", &kernel);
    variables.push(("imports".to_owned(), imports.join(" ")));
    Ok(World { repo, variables })
}

/// Release, version of the packages and kABI as the example spec derives them.
fn variables(prefix: &str, kernel: &Kernel) -> Vec<(String, String)> {
    let release = kernel.release.as_str();
    let base = release.rsplit_once('-').map_or(release, |(base, _)| base);
    let version = match base.split_once('-') {
        Some((version, rest)) => format!("{version}-{}", rest.replace('-', "_")),
        None => format!("{base}-1"),
    };
    [
        ("release", release.to_owned()),
        ("version", version),
        ("kabi", release.replace('-', "_")),
    ]
    .map(|(name, value)| (format!("{prefix}{name}"), value))
    .into()
}
