//! Turns the patterns of the default policy, and the name that stands for all, into what zypper
//! would install, held against the modules each names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::kmod_tools::{Depmod, depmod};
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::zypp::Solver;
use kmpkit_tests::{Kernel, Zypp, cache_dir, differ, run, worlds};

/// A pattern, its category, and which modules it names: directories, and modules that others depend
/// on, which depmod knows.
struct Pattern {
    name: &'static str,
    category: &'static str,
    directories: &'static [&'static str],
    needing: &'static [&'static str],
}

const PATTERNS: [Pattern; 8] = [
    Pattern {
        name: "filesystems",
        category: "Kernel_Functions",
        directories: &["fs"],
        needing: &[],
    },
    Pattern {
        name: "firewall",
        category: "Kernel_Functions",
        directories: &[
            "net/netfilter",
            "net/ipv4/netfilter",
            "net/ipv6/netfilter",
            "net/bridge/netfilter",
            "net/sched",
        ],
        needing: &[],
    },
    Pattern {
        name: "graphics",
        category: "Kernel_Drivers",
        directories: &["drivers/gpu", "drivers/video"],
        needing: &[],
    },
    Pattern {
        name: "network",
        category: "Kernel_Drivers",
        directories: &["drivers/net"],
        needing: &[],
    },
    Pattern {
        name: "sound",
        category: "Kernel_Drivers",
        directories: &["sound"],
        needing: &[],
    },
    Pattern {
        name: "storage",
        category: "Kernel_Drivers",
        directories: &[
            "drivers/ata",
            "drivers/block",
            "drivers/md",
            "drivers/nvme",
            "drivers/scsi",
        ],
        needing: &[],
    },
    Pattern {
        name: "usb",
        category: "Kernel_Drivers",
        directories: &["drivers/usb"],
        needing: &["usbcore"],
    },
    Pattern {
        name: "virtual-machine",
        category: "Kernel_Drivers",
        directories: &["drivers/virtio", "drivers/hv", "drivers/xen"],
        needing: &["virtio", "hv_vmbus"],
    },
];

/// Everything a pattern names comes with it, and so does everything by the kernel's own name.
#[test]
fn patterns_install_what_they_name() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let depmod = depmod(&kernel)?;
    let repository = Repository::read()?;
    let found: BTreeSet<&str> = repository.patterns().collect();
    let known = PATTERNS.iter().map(|pattern| pattern.name).collect();
    differ::sets("patterns", &found, &known)?;
    for pattern in &PATTERNS {
        let package = format!("patterns-kernel-{}-amd64", pattern.name);
        let modules = repository.modules_with(&package)?;
        let wanted = pattern.modules(&depmod);
        ensure!(!wanted.is_empty(), "{package} names nothing");
        let missing: Vec<_> = wanted
            .iter()
            .filter(|path| !modules.contains(**path))
            .collect();
        ensure!(missing.is_empty(), "{package} is without {missing:?}");
        println!("{package}: {} named, {} come", wanted.len(), modules.len());
    }
    let all = repository.modules_with("kernel-amd64")?;
    let wanted = depmod.closure.keys().map(String::as_str).collect();
    differ::sets("modules by the kernel's name", &all, &wanted)
}

/// zypper finds the patterns by the tags of which libsolv makes patterns. Debian builds libsolv
/// without that (ext/repo_autopattern.c), so `zypper patterns` itself is nothing to ask here.
#[test]
fn patterns_have_the_tags_of_patterns() -> Result<()> {
    let repository = Repository::read()?;
    for pattern in &PATTERNS {
        let package = format!("patterns-kernel-{}-amd64", pattern.name);
        let shown = repository.package(&package)?;
        let provides = shown.tags.get("Provide").context("no Provides")?;
        for tag in [
            format!("pattern() = kernel_{}", pattern.name.replace('-', "_")),
            format!("pattern-category() = {}", pattern.category),
            "pattern-visible()".to_owned(),
        ] {
            ensure!(
                provides.contains(&tag),
                "{package} has no {tag}: {provides:?}"
            );
        }
    }
    let listed = run(repository.zypp.command()?.args([
        "search",
        "--provides",
        "--match-exact",
        "pattern()",
    ]))?;
    for pattern in &PATTERNS {
        let package = format!("patterns-kernel-{}-amd64", pattern.name);
        ensure!(listed.contains(&package), "no {package} in\n{listed}");
    }
    Ok(())
}

/// The kernel's name really brings every driver.
#[test]
#[ignore = "test-all"]
fn one_name_installs_every_driver() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let mut repository = Repository::read()?;
    repository.zypp.install(&["kernel-amd64"])?;
    let installed = Kernel::from_tree(repository.zypp.root())?;
    let below = |kernel: &Kernel| -> Result<BTreeSet<PathBuf>> {
        let modules = kernel.modules()?.into_iter();
        modules
            .map(|path| Ok(path.strip_prefix(&kernel.modules_dir)?.to_owned()))
            .collect()
    };
    differ::sets("modules", &below(&installed)?, &below(&kernel)?)
}

impl Pattern {
    /// Paths of its modules below the release directory.
    fn modules<'d>(&self, depmod: &'d Depmod) -> BTreeSet<&'d str> {
        let inside = |path: &str| {
            let directories = self.directories.iter();
            directories.clone().any(|directory| {
                let rest = path.strip_prefix("kernel/");
                let rest = rest.and_then(|rest| rest.strip_prefix(directory));
                rest.is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let needs = |needs: &BTreeSet<String>| {
            let mut names = needs.iter().filter_map(|path| module(path));
            names.any(|name| self.needing.contains(&name))
        };
        let all = depmod.closure.iter();
        let own = all.filter(|(path, closure)| inside(path) || needs(closure));
        own.map(|(path, _)| path.as_str()).collect()
    }
}

fn module(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.split('.').next()
}

/// The packages of the default policy, and an empty root beside them.
struct Repository {
    packages: BTreeMap<String, Shown>,
    zypp: Zypp,
    _work: tempfile::TempDir,
}

impl Repository {
    fn read() -> Result<Self> {
        let world = worlds::world("bookworm")?;
        let mut rpms = Vec::new();
        walk(&world.repo, &mut rpms)?;
        rpms.retain(|path| path.extension().is_some_and(|end| end == "rpm"));
        let packages = shown(&rpms)?.into_values().map(|shown| {
            let mut dashes = shown.nvr.rsplitn(3, '-').skip(2);
            let name = dashes.next().context("no version")?.to_owned();
            Ok((name, shown))
        });
        let packages = packages.collect::<Result<_>>()?;
        let work = tempfile::tempdir()?;
        let zypp = Zypp::new(&work.path().join("root"), &[("bookworm", &world.repo)])?;
        Ok(Self {
            packages,
            zypp,
            _work: work,
        })
    }

    fn package(&self, name: &str) -> Result<&Shown> {
        self.packages
            .get(name)
            .with_context(|| format!("no {name}"))
    }

    fn patterns(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().filter_map(|name| {
            let name = name.strip_prefix("patterns-kernel-")?;
            name.strip_suffix("-amd64")
        })
    }

    /// Paths below the release directory of the modules that come with a package, without what is
    /// only recommended.
    fn modules_with(&self, package: &str) -> Result<BTreeSet<&str>> {
        let mut zypper = self.zypp.command()?;
        zypper.args([
            "--xmlout",
            "install",
            "--dry-run",
            "--no-recommends",
            package,
        ]);
        let answer = run(&mut zypper)?;
        let solvables = answer.split("<solvable ").skip(1);
        let names = solvables.filter_map(|part| part.split("name=\"").nth(1)?.split('"').next());
        let names: BTreeSet<&str> = names.collect();
        ensure!(
            names.contains(package),
            "zypper would not install {package}: {answer}"
        );
        let mut modules = BTreeSet::new();
        for name in names {
            modules.extend(
                self.package(name)?
                    .files
                    .keys()
                    .filter_map(|path| below(path)),
            );
        }
        Ok(modules)
    }
}

/// A module's path below the release directory.
fn below(path: &str) -> Option<&str> {
    let inside = path.split_once("/lib/modules/")?.1;
    let path = inside.split_once('/')?.1;
    let name = Path::new(path).file_name()?.to_str()?;
    name.contains(".ko").then_some(path)
}
