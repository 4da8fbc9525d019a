//! Turns the built packages of whole kernels into the question whether rpm shows what the
//! generators say, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use deptag::Dialect;
use kmpkit_tests::generate::{TagsByFile, calls, tags};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::query::{Shown, TYPES, digests, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::{Kernel, cache_dir, differ, modular, worlds};

#[test]
fn every_package_of_bookworm() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let count = check(&kernel, &worlds::top("bookworm")?)?;
    ensure!((150..=600).contains(&count), "{count} packages");
    Ok(())
}

#[test]
fn every_package_of_bookworm_module_by_module() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let count = check(&kernel, &worlds::top("modules")?)?;
    ensure!(count == kernel.modules()?.len(), "{count} packages");
    Ok(())
}

/// Compressed modules in usr/lib.
#[test]
#[ignore = "test-all"]
fn every_package_of_trixie() -> Result<()> {
    build_and_check("trixie")
}

/// A kernel without modversions: its modules require exactly their kernel.
#[test]
#[ignore = "test-all"]
fn every_package_of_sid() -> Result<()> {
    build_and_check("sid")
}

fn build_and_check(suite: &str) -> Result<()> {
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let top = tempfile::tempdir()?;
    modular::packages(&Rpm::host()?, &kernel, top.path(), &[])?;
    check(&kernel, top.path()).map(drop)
}

/// Built by rpm 4.20 and 6.1, from part of the kernel.
#[test]
#[ignore = "test-all"]
fn every_package_of_other_rpms() -> Result<()> {
    let (directory, part) = part_of_bookworm("kernel/drivers/hwmon")?;
    for suite in ["trixie", "sid"] {
        let top = directory.path().join(suite);
        modular::packages(&Rpm::suite(suite)?, &part, &top, &[])?;
        let expected = Expected::read(&part, Some(&top))?;
        for (rpm, shown) in shown(&rpms(&top)?)? {
            expected
                .check(&shown)
                .with_context(|| format!("{suite}: {}", rpm.display()))?;
        }
    }
    Ok(())
}

pub(super) fn part_of_bookworm(path: &str) -> Result<(tempfile::TempDir, Kernel)> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let part = modular::part(&kernel, &directory.path().join("tree"), &[path])?;
    Ok((directory, part))
}

/// Holds each package against the generators; gives how many packages have modules.
fn check(kernel: &Kernel, top: &Path) -> Result<usize> {
    let expected = Expected::read(kernel, Some(top))?;
    let all = shown(&rpms(top)?)?;
    let mut packaged = BTreeSet::new();
    let mut with_modules = 0;
    for (rpm, shown) in &all {
        expected
            .check(shown)
            .with_context(|| rpm.display().to_string())?;
        let modules = shown.files.keys();
        let modules: Vec<_> = modules
            .filter(|path| expected.digests.contains_key(*path))
            .collect();
        with_modules += usize::from(!modules.is_empty());
        for module in modules {
            ensure!(packaged.insert(module), "{module} is in two packages");
        }
    }
    let modules = kernel.modules()?.len();
    ensure!(
        packaged.len() == modules,
        "{} of {modules} modules in packages",
        packaged.len()
    );
    closed(all.values())?;
    Ok(with_modules)
}

fn rpms(top: &Path) -> Result<Vec<PathBuf>> {
    let mut rpms = Vec::new();
    walk(&top.join("RPMS"), &mut rpms)?;
    rpms.retain(|path| path.extension().is_some_and(|end| end == "rpm"));
    rpms.sort();
    Ok(rpms)
}

/// What the generators and the source tree say of each installed path.
pub(super) struct Expected {
    tags: Vec<(&'static str, BTreeMap<String, BTreeSet<String>>)>,
    digests: BTreeMap<String, String>,
    flavor: String,
    modversions: bool,
}

impl Expected {
    /// Softdeps lead to what the build below `top` says; `softdeps` holds that against modprobe.
    pub(super) fn read(kernel: &Kernel, top: Option<&Path>) -> Result<Self> {
        let (_, flavor) = kernel.release.rsplit_once('-').context("no flavor")?;
        let kabi = kernel.release.replace('-', "_");
        let mut files = kernel.modules()?;
        let digests = digests(&files)?;
        files.push(kernel.vmlinuz.clone());
        let installed = |path: &Path| -> Result<String> {
            let path = path.strip_prefix(&kernel.root)?;
            Ok(Path::new("/").join(path).display().to_string())
        };
        let by_path = |tags: TagsByFile| -> Result<BTreeMap<String, BTreeSet<String>>> {
            tags.into_iter()
                .map(|(path, tags)| Ok((installed(&path)?, tags)))
                .collect()
        };
        let softdeps = top.map(|top| modular::softdeps(kernel, top)).transpose()?;
        let softdeps = softdeps.map(|path| path.display().to_string());
        let mut all = Vec::new();
        for call in calls(Dialect::Suse) {
            if !call.needs_policy {
                let mut options = vec!["--kabi", &kabi];
                if let Some(softdeps) = &softdeps {
                    options.extend(["--softdeps", softdeps]);
                }
                options.extend(call.options.iter().map(String::as_str));
                let tags = tags(call.generator, &options, &files)?;
                all.push((call.shown_type(), by_path(tags)?));
            }
        }
        let digests = digests
            .into_iter()
            .map(|(path, digest)| Ok((installed(&path)?, digest)))
            .collect::<Result<_>>()?;
        let symvers = kernel.symvers.as_ref().context("no symvers")?;
        let symvers = fs::read_to_string(symvers)?;
        Ok(Self {
            tags: all,
            digests,
            flavor: flavor.to_owned(),
            modversions: symvers.lines().any(|line| !line.starts_with("0x00000000")),
        })
    }

    /// Exactly the generators' tags and the package's own; each module as it was; nothing that
    /// runs; no changelog; no requirement on a kernel version.
    pub(super) fn check(&self, shown: &Shown) -> Result<()> {
        // Patterns and metapackages: what they require is the scenarios' business.
        if shown.files.is_empty() {
            return Ok(());
        }
        for kind in TYPES {
            let mut wanted = self.own(kind, shown)?;
            for (_, by_path) in self.tags.iter().filter(|(of, _)| *of == kind) {
                let tags = shown.files.keys().filter_map(|path| by_path.get(path));
                wanted.extend(tags.flatten().cloned());
            }
            let found = shown.tags.get(kind).cloned().unwrap_or_default();
            differ::sets(&format!("{kind}s"), &found, &wanted)?;
        }
        for (path, digest) in &shown.files {
            let source = self.digests.get(path);
            ensure!(
                source.is_none_or(|source| source == digest),
                "{path} is not as it was"
            );
        }
        ensure!(shown.scripts.is_empty(), "scriptlets: {:?}", shown.scripts);
        ensure!(
            shown.changelog == 0,
            "{} changelog entries",
            shown.changelog
        );
        let requires = shown.tags.get("Require").into_iter().flatten();
        let on_kernel = requires.filter(|tag| tag.starts_with("kernel-")).count();
        ensure!(
            on_kernel == 0 || !self.modversions,
            "requires a kernel version"
        );
        Ok(())
    }

    /// TagsByFile a package has for its name.
    fn own(&self, kind: &str, shown: &Shown) -> Result<BTreeSet<String>> {
        let dashes: Vec<usize> = shown.nvr.rmatch_indices('-').map(|(at, _)| at).collect();
        let (name, evr) = shown.nvr.split_at(*dashes.get(1).context("no version")?);
        let evr = evr.trim_start_matches('-');
        let stem = name.strip_suffix(&format!("-kmp-{}", self.flavor));
        Ok(match (kind, stem) {
            ("Provide", stem) => BTreeSet::from([
                format!("{name} = {evr}"),
                format!("{name}(x86-64) = {evr}"),
                "multiversion(kernel)".to_owned(),
                stem.map_or_else(
                    || "installonlypkg(kernel)".to_owned(),
                    |stem| format!("{stem}-kmp = {evr}"),
                ),
            ])
            .into_iter()
            // weak-modules2 leaves such packages alone.
            .chain(stem.map(|_| "kmp_in_kernel".to_owned()))
            .chain(stem.iter().flat_map(|_| names_of_files(shown)))
            .collect(),
            ("Enhance", Some(_)) => BTreeSet::from([format!("kernel-{}", self.flavor)]),
            // It goes after the modules whose indexes it keeps.
            ("Order", Some(_)) => BTreeSet::from(["kmpkit".to_owned()]),
            _ => BTreeSet::new(),
        })
    }
}

/// kmod() for modules whose files have a dash in their names: generators spell them with `_`.
fn names_of_files(shown: &Shown) -> Vec<String> {
    let modules = shown.files.keys().filter_map(|path| {
        let (below, _) = path.split_once(".ko")?;
        let (directory, name) = below.rsplit_once('/')?;
        let release = directory
            .split('/')
            .skip_while(|part| *part != "modules")
            .nth(1)?;
        let kabi = release.replace('-', "_");
        name.contains('-')
            .then(|| format!("kmod({name}.ko) = {kabi}"))
    });
    modules.collect()
}

/// Every module, alias and symbol that is required, recommended or suggested is provided, in the same
/// version.
fn closed<'s>(all: impl Iterator<Item = &'s Shown> + Clone) -> Result<()> {
    let tags = |kind: &'static str| -> BTreeSet<&String> {
        let tags = all
            .clone()
            .filter_map(move |shown| shown.tags.get(kind))
            .flatten();
        tags.filter(|tag| tag.contains("kmod(") || tag.contains("ksym(") || tag.contains("kmod-"))
            .filter(|tag| !tag.contains(" with "))
            .collect()
    };
    let provided = tags("Provide");
    for kind in ["Require", "Recommend", "Suggest"] {
        let wanted = tags(kind);
        let missing: Vec<_> = wanted.difference(&provided).take(5).collect();
        ensure!(
            missing.is_empty(),
            "{kind}s that nothing provides: {missing:?}"
        );
    }
    ensure!(!tags("Recommend").is_empty(), "no softdep at all");
    Ok(())
}
