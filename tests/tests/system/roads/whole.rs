//! Turns whole kernels and a policy that overrides ten modules into their tags on every road a tag
//! can take to rpm, and compares them file by file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use deptag::Dialect;
use kmpkit_tests::generate::{calls, tags};
use kmpkit_tests::query::{TYPES, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tag_cache::{CachedTags, cache};
use kmpkit_tests::vendor::VendorPackage;
use kmpkit_tests::{Kernel, cache_dir, differ};

/// Ten modules that every kernel of the archive has.
const POLICY: &str = "
[[module]]
match = ['e1000e', 'xhci-pci', 'btrfs']
hardware = false

[[module]]
match = ['nvme', 'usb-storage', 'xfs']
initrd = true
requires = ['storage-tools >= 2', '(early if initrd)']

[[module]]
match = ['iwlwifi', 'snd-hda-intel']
provides = ['driver(popular) = 1-1']
recommends = ['firmware-popular']
suggests = ['popular-doc']
supplements = ['(popular or common)']

[[module]]
match = ['i915', 'kvm']
enhances = ['desktop']
conflicts = ['old-driver']
obsoletes = ['older-driver < 2']
orderwithrequires = ['loader']
";

/// A suite's kernel, and the options that name the policy.
struct Scene {
    kernel: Kernel,
    directory: tempfile::TempDir,
    options: Vec<String>,
}

impl Scene {
    fn new(suite: &str, dialect: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let policy = directory.path().join("policy.toml");
        fs::write(&policy, POLICY)?;
        let policy = policy.display();
        let options = format!("--dialect {dialect} --system-policy /nonexistent --policy {policy}");
        Ok(Self {
            kernel: Kernel::from_archive(suite, "amd64", &cache_dir())?,
            directory,
            options: options.split(' ').map(str::to_owned).collect(),
        })
    }

    fn options(&self) -> Vec<&str> {
        self.options.iter().map(String::as_str).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn cached(&self, build_root: &Path) -> Result<CachedTags> {
        cache(build_root, &self.path("tags"), &self.options())
    }

    /// The tags of the same files by the generators, one after another.
    fn generated(&self, files: &[PathBuf], dialect: Dialect) -> Result<CachedTags> {
        let mut generated: CachedTags = files
            .iter()
            .map(|file| (file.clone(), BTreeMap::new()))
            .collect();
        for call in calls(dialect) {
            let kind = call.kind.as_str().to_lowercase();
            let mut options = self.options();
            options.extend(call.options.iter().map(String::as_str));
            for (file, tags) in tags(call.generator, &options, files)? {
                if !tags.is_empty() {
                    let all = generated.entry(file).or_default();
                    all.entry(kind.clone()).or_default().extend(tags);
                }
            }
        }
        Ok(generated)
    }
}

fn cache_equals_generators(suite: &str, dialect: &str) -> Result<()> {
    let scene = Scene::new(suite, dialect)?;
    let cached = scene.cached(&scene.kernel.root)?;
    let files: Vec<_> = cached.keys().cloned().collect();
    let modules = scene.kernel.modules()?;
    ensure!(
        modules.iter().all(|module| cached.contains_key(module)),
        "a module has no tags"
    );
    let count = |kind| {
        cached
            .values()
            .filter(|tags| tags.contains_key(kind))
            .count()
    };
    ensure!(count("enhances") == 2, "{} enhance", count("enhances"));
    println!("{suite}, {dialect}: {} files", files.len());
    differ::maps("tags", &cached, &scene.generated(&files, dialect.parse()?)?)
}

/// One reading for all tags gives what each generator prints by itself.
#[test]
fn cached_tags_are_those_of_the_generators() -> Result<()> {
    cache_equals_generators("bookworm", "suse")
}

#[test]
#[ignore = "test-all"]
fn cached_tags_of_every_kernel_are_those_of_the_generators() -> Result<()> {
    for suite in ["bookworm", "trixie", "sid"] {
        cache_equals_generators(suite, "suse")?;
        cache_equals_generators(suite, "redhat")?;
    }
    Ok(())
}

/// All modules of a kernel in one package, as a vendor would build it: rpm runs the generators once
/// for each file or, since 4.20, once for all.
#[test]
#[ignore = "test-all"]
fn one_package_of_a_whole_kernel_has_the_same_tags() -> Result<()> {
    let scene = Scene::new("bookworm", "suse")?;
    let policy = scene.path("policy.toml").display().to_string();
    for rpm in [Rpm::host()?, Rpm::suite("trixie")?, Rpm::suite("sid")?] {
        let package = VendorPackage::new()?;
        let below = scene.kernel.modules_dir.strip_prefix(&scene.kernel.root)?;
        let modules = package.payload().join(below);
        copy_modules(&scene.kernel, &modules)?;
        let beside = package.payload().with_file_name("policy.toml");
        fs::copy(&policy, &beside)?;
        let beside = beside.display().to_string();
        let defines = [
            ("kmp_policy", &*beside),
            ("kmp_system_policy", "/nonexistent"),
            ("_binary_payload", "w1.zstdio"),
        ];
        let built = package.build(&rpm, &defines)?;
        let all = shown(&[built])?;
        let shown = all.values().next().context("no package")?;
        for (kind, tags) in by_type(&scene.cached(&package.payload())?) {
            let theirs: BTreeSet<_> = shown
                .tags
                .get(&kind)
                .into_iter()
                .flatten()
                .cloned()
                .collect();
            let lost: Vec<_> = tags
                .iter()
                .filter(|tag| !theirs.contains(*tag))
                .take(5)
                .collect();
            ensure!(lost.is_empty(), "{}: no {kind}s {lost:?}", rpm.version()?);
            // The package's own Provides.
            let own = if kind == "Provide" { 2 } else { 0 };
            ensure!(
                theirs.len() <= tags.len() + own,
                "{}: {} {kind}s instead of {}",
                rpm.version()?,
                theirs.len(),
                tags.len()
            );
        }
        println!("{}: same tags", rpm.version()?);
    }
    Ok(())
}

fn copy_modules(kernel: &Kernel, to: &Path) -> Result<()> {
    for module in kernel.modules()? {
        let to = to.join(module.strip_prefix(&kernel.modules_dir)?);
        fs::create_dir_all(to.parent().context("no parent")?)?;
        fs::copy(&module, &to)?;
    }
    Ok(())
}

/// All tags of a type, called as rpm's queries do.
fn by_type(cached: &CachedTags) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, tags) in cached.values().flatten() {
        let kind = TYPES.iter().find(|name| {
            let name = name.to_lowercase();
            *kind == format!("{name}s") || *kind == format!("{name}withrequires")
        });
        if let Some(kind) = kind {
            all.entry((*kind).to_owned())
                .or_default()
                .extend(tags.iter().cloned());
        }
    }
    all
}
