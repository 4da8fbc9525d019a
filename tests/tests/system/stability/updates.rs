//! Turns packages of one build, installed, and the repository of the next into an updated system
//! that has every module it had.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::plan::Plan;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::zypp::Solver;
use kmpkit_tests::{Kernel, Zypp, cache_dir, modular, run, worlds};

use crate::stability::{paths, plain_path};

/// The part of the kernel that is built, with what it needs.
const AREAS: [&str; 3] = [
    "kernel/drivers/usb/",
    "kernel/net/netfilter/",
    "kernel/drivers/hid/",
];
const IMAGE: &str = "kernel-amd64-image";

#[test]
#[ignore = "test-all"]
fn kernels_side_by_side() -> Result<()> {
    let work = tempfile::tempdir()?;
    let [old, new] = neighbours(work.path())?;
    let first = Build::new(&old, &work.path().join("first"), &[], None)?;
    let second = Build::new(&new, &work.path().join("second"), &[], Some(&first))?;
    ensure!(second.plan.moved.is_empty(), "{:?}", second.plan.moved);
    let mut system = System::with(&first, &work.path().join("root"), IMAGE)?;
    system.update_to(&second)?;
    system.has_still(&first)
}

/// Packages lose modules, vanish and get other names between two kernels.
#[test]
#[ignore = "test-all"]
fn kernels_side_by_side_and_modules_moved() -> Result<()> {
    let work = tempfile::tempdir()?;
    let [old, new] = neighbours(work.path())?;
    let first = Build::new(&old, &work.path().join("first"), &[], None)?;
    let shuffle = Shuffle::of(&first.plan)?;
    let policy = shuffle.write(&work.path().join("policy.toml"), "")?;
    let defines = [("kmp_policy", policy.as_str())];
    let second = Build::new(&new, &work.path().join("second"), &defines, Some(&first))?;
    shuffle.check(&second.plan)?;
    let mut system = System::with(&first, &work.path().join("root"), IMAGE)?;
    system.update_to(&second)?;
    system.has_still(&first)
}

/// The same with packages that are replaced: also by a build that comes two builds later, and also
/// when only a package that took modules from another one is asked for.
#[test]
#[ignore = "test-all"]
fn in_place_and_modules_moved() -> Result<()> {
    let work = tempfile::tempdir()?;
    let [_, kernel] = neighbours(work.path())?;
    let by_kabi = "[naming]\nkabi = true\n";
    let plain = work.path().join("kabi.toml");
    fs::write(&plain, by_kabi)?;
    let plain = plain.display().to_string();
    let defines = [
        ("kmp_policy", plain.as_str()),
        ("kernel_named_by_kabi", "1"),
    ];
    let first = Build::new(&kernel, &work.path().join("first"), &defines, None)?;
    let shuffle = Shuffle::of(&first.plan)?;
    let policy = shuffle.write(&work.path().join("policy.toml"), by_kabi)?;
    let rebuild = |number: &str, previous| {
        let defines = [
            ("kmp_policy", policy.as_str()),
            ("kernel_named_by_kabi", "1"),
            ("kernel_build", number),
        ];
        Build::new(&kernel, &work.path().join(number), &defines, Some(previous))
    };
    let second = rebuild("2", &first)?;
    shuffle.check(&second.plan)?;
    let third = rebuild("3", &second)?;
    ensure!(third.plan.moved.is_empty(), "{:?}", third.plan.moved);
    let image = format!("{IMAGE}-{}", kernel.release.replace('-', "_"));
    for build in [&second, &third] {
        let root = work.path().join(format!("root-{}", build.version));
        let mut system = System::with(&first, &root, &image)?;
        system.update_to(build)?;
        system.has_nothing_of(&first)?;
    }
    let [from, merged @ ..] = shuffle.stems();
    for (taker, givers) in [(SPLIT, &[from][..]), (MERGED, &merged)] {
        let root = work.path().join(format!("root-{taker}"));
        let mut system = System::with(&first, &root, &image)?;
        let name = third.plan.names.get(taker).context("no such package")?;
        system.install(&third, name)?;
        system.has_none_of(&first, givers)?;
    }
    Ok(())
}

/// Part of each of two kernels of different kABI, the older one first.
fn neighbours(work: &Path) -> Result<[Kernel; 2]> {
    let mut builds = Kernel::all_in_archive("bookworm", "amd64", &cache_dir())?;
    let new = builds.pop().context("no build")?;
    let old = builds.pop().context("only one build")?;
    let part = |kernel: &Kernel, name| {
        worlds::closed(kernel, &work.join(name), |path| {
            AREAS.iter().any(|area| path.starts_with(area))
        })
    };
    Ok([part(&old, "old-tree")?, part(&new, "new-tree")?])
}

const SPLIT: &str = "taken-out";
const MERGED: &str = "put-together";

/// Rules that take a module out of a package and put two packages together.
struct Shuffle {
    taken: String,
    from: String,
    merged: [String; 2],
    members: Vec<String>,
}

impl Shuffle {
    /// Finds modules that can move without packages needing each other in a circle: nothing needs
    /// them.
    fn of(plan: &Plan) -> Result<Self> {
        let leaves = plan.leaves();
        let stems = plan.names.keys();
        let of = |stem: &String| plan.modules_of(stem);
        let losing = stems.clone().find_map(|stem| {
            let modules = of(stem);
            let leaf = modules.iter().find(|path| leaves.contains(*path))?;
            (modules.len() > 2).then(|| (stem.clone(), (*leaf).to_owned()))
        });
        let (from, taken) = losing.context("no package that can lose a module")?;
        let mut whole = stems.filter(|stem| **stem != from && of(stem).is_subset(&leaves));
        let mut next = || whole.next().cloned().context("no package to put together");
        let merged = [next()?, next()?];
        let members = merged.iter().flat_map(of).map(str::to_owned).collect();
        Ok(Self {
            taken,
            from,
            merged,
            members,
        })
    }

    /// The rules, after others; gives the file's path.
    fn write(&self, file: &Path, others: &str) -> Result<String> {
        let set = |name: &str, members: &[String]| {
            format!("[[set]]\nname = {name:?}\nmembers = {members:?}\n")
        };
        let taken = [self.taken.clone()];
        let text = [others, &set(SPLIT, &taken), &set(MERGED, &self.members)].join("\n");
        fs::write(file, text)?;
        Ok(file.display().to_string())
    }

    /// The plan has them and tells that they moved; of the rest everything is where it was.
    fn check(&self, plan: &Plan) -> Result<()> {
        let moved: BTreeSet<&String> = plan.moved.keys().collect();
        let wanted = self.members.iter().chain([&self.taken]).collect();
        kmpkit_tests::differ::sets("moved modules", &moved, &wanted)?;
        ensure!(plan.names.contains_key(&self.from), "{} is gone", self.from);
        let left = self
            .merged
            .iter()
            .find(|stem| plan.names.contains_key(*stem));
        ensure!(left.is_none(), "{left:?} is still there");
        Ok(())
    }

    /// Packages whose modules move.
    fn stems(&self) -> [&String; 3] {
        let [a, b] = &self.merged;
        [&self.from, a, b]
    }
}

/// The packages of a kernel and how they were planned.
struct Build {
    release: String,
    version: String,
    plan: Plan,
    document: PathBuf,
    repo: PathBuf,
    modules: BTreeSet<String>,
}

impl Build {
    fn new(
        kernel: &Kernel,
        top: &Path,
        defines: &[(&str, &str)],
        previous: Option<&Build>,
    ) -> Result<Self> {
        let previous = previous.map(|build| build.document.display().to_string());
        let mut all = vec![("kmp_dialect", "suse")];
        all.extend(defines);
        all.extend(previous.as_deref().map(|file| ("kmp_previous", file)));
        let repo = modular::repository(&Rpm::host()?, kernel, top, &all)?;
        let state = format!("BUILD/kmpkit-{}/plan.json", kernel.release);
        let document = top.join(state);
        let build = defines.iter().find(|define| define.0 == "kernel_build");
        Ok(Self {
            release: kernel.release.clone(),
            version: build.map_or("1", |build| build.1).to_owned(),
            plan: Plan::read(&document)?,
            document,
            repo,
            modules: paths(kernel)?,
        })
    }
}

/// A system with some of a build's packages.
struct System {
    zypp: Zypp,
    had: BTreeSet<String>,
}

impl System {
    /// Installs the kernel, the packages whose modules will move, and every fifth of the others.
    fn with(build: &Build, root: &Path, image: &str) -> Result<Self> {
        let mut zypp = Zypp::new(root, &[("first", &build.repo)])?;
        let shuffle = Shuffle::of(&build.plan)?;
        let moving = shuffle.stems().into_iter();
        let others = build.plan.names.keys().step_by(5);
        let stems: BTreeSet<&String> = moving.chain(others).collect();
        let names = stems
            .into_iter()
            .filter_map(|stem| build.plan.names.get(stem));
        let mut names: Vec<&str> = names.map(String::as_str).collect();
        names.push(image);
        zypp.install(&names)?;
        let had = modules(root, &build.release)?;
        ensure!(had.contains(&shuffle.taken), "no {}", shuffle.taken);
        ensure!(had.len() < build.modules.len(), "everything is installed");
        Ok(Self { zypp, had })
    }

    /// Updates from another build's repository: what was there and still exists is there again.
    fn update_to(&mut self, build: &Build) -> Result<()> {
        self.add(build)?;
        self.zypp.update()?;
        self.has_all(build)
    }

    /// Installs one package of another build: nothing is lost.
    fn install(&mut self, build: &Build, name: &str) -> Result<()> {
        self.add(build)?;
        self.zypp.install(&[name])?;
        self.has_all(build).with_context(|| name.to_owned())
    }

    fn add(&self, build: &Build) -> Result<()> {
        let uri = format!("dir://{}", build.repo.display());
        let name = format!("build-{}", build.version);
        let mut zypper = self.zypp.command()?;
        run(zypper.args(["addrepo", "--refresh", "--no-gpgcheck", &uri, &name])).map(drop)
    }

    fn has_all(&self, build: &Build) -> Result<()> {
        let now = modules(self.zypp.root(), &build.release)?;
        let wanted: BTreeSet<&String> = self.had.intersection(&build.modules).collect();
        let lost: Vec<_> = wanted.iter().filter(|path| !now.contains(**path)).collect();
        println!(
            "{} of {} modules, {} wanted",
            now.len(),
            build.modules.len(),
            wanted.len()
        );
        ensure!(lost.is_empty(), "{} modules are lost: {lost:?}", lost.len());
        Ok(())
    }

    /// The older kernel beside the newer one is whole.
    fn has_still(&self, build: &Build) -> Result<()> {
        let now = modules(self.zypp.root(), &build.release)?;
        kmpkit_tests::differ::sets("modules of the older kernel", &now, &self.had)
    }

    /// No package of an older build is left.
    fn has_nothing_of(&self, build: &Build) -> Result<()> {
        let stems: Vec<&String> = build.plan.names.keys().collect();
        self.has_none_of(build, &stems)
    }

    /// None of some packages of an older build is left.
    fn has_none_of(&self, build: &Build, stems: &[&String]) -> Result<()> {
        let names = stems.iter().filter_map(|stem| build.plan.names.get(*stem));
        let names: BTreeSet<&String> = names.collect();
        let old = evr(&build.release);
        let all = self.zypp.installed()?.into_iter();
        let left = all.filter(|package| package.version == old && names.contains(&package.name));
        let left: Vec<_> = left.collect();
        ensure!(left.is_empty(), "left of {old}: {left:?}");
        Ok(())
    }
}

/// Version and release of packages, as the example spec has them.
fn evr(release: &str) -> String {
    let base = release.rsplit_once('-').map_or(release, |(base, _)| base);
    base.to_owned()
}

/// The modules of a kernel in a root.
fn modules(root: &Path, release: &str) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for directory in ["lib/modules", "usr/lib/modules"] {
        let directory = root.join(directory).join(release);
        let mut files = Vec::new();
        if directory.is_dir() {
            walk(&directory, &mut files)?;
        }
        for file in files
            .iter()
            .filter(|file| file.to_string_lossy().contains(".ko"))
        {
            all.insert(plain_path(file, &directory)?);
        }
    }
    Ok(all)
}
