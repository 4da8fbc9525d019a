//! A plan and a buildroot in, the lists of files of each package out.
//!
//! Lists are macro-expanded and globbed when rpm reads them, so a name that could be either is an
//! error.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use facts::{INITRD_RECORD_NAME, STORE_NAME};
use kmod_index::IndexFile;
use modtree::{INITRD_LIST, ModuleId, ReleaseDir, Tree};
use policy::{ModulePath, Policy};
use walkdir::WalkDir;

use crate::plan::Plan;

/// What depmod(8), kmp-depmod(1) and the triggers of kmpkit write beside the modules. It belongs to
/// the image whoever wrote it, so that it goes with the kernel.
fn written_later() -> impl Iterator<Item = &'static str> {
    IndexFile::NAMES
        .into_iter()
        .chain([STORE_NAME, INITRD_RECORD_NAME])
}

/// The list of the image package.
pub const IMAGE: &str = "image.files";

/// Where the lists come from and go to.
#[derive(Clone, Copy)]
pub struct Lists<'l> {
    /// The modules the plan is of, in the buildroot.
    pub tree: &'l Tree,
    /// Where they go.
    pub plan: &'l Plan,
    /// Which of them an initrd wants.
    pub policy: &'l Policy,
    /// The buildroot.
    pub buildroot: &'l Path,
    /// The directory for the lists.
    pub into: &'l Path,
    /// Whether the image package gets all files of the buildroot that no other package of the plan
    /// has, not only those beside the modules; but for debug information, which has a package of its
    /// own.
    pub everything: bool,
}

impl Lists<'_> {
    /// Writes all lists; removes excluded modules from the buildroot, and puts the list of those for
    /// an initrd there.
    ///
    /// # Errors
    /// The buildroot has a file with a name that could be more than a name, or a list cannot be
    /// written.
    pub fn write(&self) -> Result<()> {
        ensure!(
            self.buildroot.canonicalize().ok() != Some(PathBuf::from("/")),
            "{}: the root of this system is no buildroot",
            self.buildroot.display()
        );
        let directory = &self.tree.directory;
        for id in self.plan.excluded() {
            let path = directory.path().join(&self.tree.modules[id].file.path);
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
        self.mark_for_initrd(directory)?;
        for package in self.plan.packages.values() {
            let files: Vec<_> = package.modules.iter().map(|&id| self.file(id)).collect();
            self.save(
                &format!("{}.list", package.stem),
                &self.with_directories(&files, directory.below_root()),
            )?;
        }
        let packages = self.plan.packages.values();
        let packaged = packages.flat_map(|package| &package.modules);
        self.image(directory, &packaged.map(|&id| self.file(id)).collect())
    }

    /// Tells the triggers of kmpkit, which have no policy and no tags, what the tags
    /// kmod-initrd() tell a solver. A list from the tree that was copied is another policy's.
    fn mark_for_initrd(&self, directory: &ReleaseDir) -> Result<()> {
        let excluded: BTreeSet<_> = self.plan.excluded().collect();
        let modules = self.tree.modules.iter();
        let packaged = modules.filter(|(id, _)| !excluded.contains(id));
        let marked = packaged.filter(|(_, record)| {
            let rule = self.policy.overrides(ModulePath::new(&record.file.path));
            rule.initrd.is_some_and(|(initrd, _)| initrd)
        });
        let names: BTreeSet<&str> = marked
            .map(|(_, record)| record.file.name.as_str())
            .collect();
        let path = directory.path().join(INITRD_LIST);
        let done = match names.is_empty() {
            true if !path.exists() => Ok(()),
            true => fs::remove_file(&path),
            false => fs::write(&path, lines(names)),
        };
        done.with_context(|| path.display().to_string())
    }

    /// A module as packages name it.
    fn file(&self, id: ModuleId) -> String {
        let directory = self.tree.directory.below_root();
        installed(directory, &self.tree.modules[id].file.path)
    }

    fn image(&self, directory: &ReleaseDir, packaged: &BTreeSet<String>) -> Result<()> {
        let mut all = Vec::new();
        for entry in WalkDir::new(self.buildroot).sort_by_file_name() {
            let entry = entry.context("buildroot")?;
            if !entry.file_type().is_dir() {
                all.push(name_in(self.buildroot, entry.path()));
            }
        }
        let below = installed(directory.below_root(), "");
        let leads_out = ["build", "source"].map(|name| format!("{below}/{name}"));
        let is_index = |path: &str| {
            let name = path
                .strip_prefix(&below)
                .and_then(|rest| rest.strip_prefix('/'));
            name.is_some_and(|name| written_later().any(|written| written == name))
        };
        let own = all.into_iter().filter(|path| {
            let beside = path.starts_with(&format!("{below}/"));
            let out = leads_out
                .iter()
                .any(|out| path == out || path.starts_with(&format!("{out}/")));
            let debuginfo = path.starts_with("/usr/lib/debug/");
            (beside || self.everything)
                && !packaged.contains(path)
                && !out
                && !debuginfo
                && !is_index(path)
        });
        let own: Vec<_> = own.collect();
        if let Some(path) = own.iter().find(|path| !is_plain(path)) {
            bail!("{path:?}: characters in its name other than A-Z a-z 0-9 . _ + ~ , : = @ / -");
        }
        let mut list = self.with_directories(&own, directory.below_root());
        for index in written_later() {
            // rpm takes size and mode of a ghost from a file.
            let path = directory.path().join(index);
            if !path.exists() {
                fs::write(&path, "").with_context(|| path.display().to_string())?;
            }
            list.push(format!("%ghost {below}/{index}"));
        }
        self.save(IMAGE, &list)
    }

    /// Files after the directories that lead to them from `lib/modules/<rel>` on. All packages own
    /// them that need them, so that the last one to go takes them along.
    fn with_directories(&self, files: &[String], modules: &Path) -> Vec<String> {
        let modules = installed(modules, "");
        let mut directories = BTreeSet::from([modules.clone()]);
        for file in files {
            let parents = Path::new(file).ancestors().skip(1).filter_map(Path::to_str);
            let inside = parents.filter(|parent| parent.starts_with(&modules));
            directories.extend(inside.map(str::to_owned));
        }
        std::iter::once("%defattr(-,root,root)".to_owned())
            .chain(directories.into_iter().map(|path| format!("%dir {path}")))
            .chain(files.iter().cloned())
            .collect()
    }

    fn save(&self, name: &str, lines: &[String]) -> Result<()> {
        fs::create_dir_all(self.into).with_context(|| self.into.display().to_string())?;
        let path = self.into.join(name);
        fs::write(&path, self::lines(lines)).with_context(|| path.display().to_string())
    }
}

fn lines<L: std::fmt::Display>(lines: impl IntoIterator<Item = L>) -> String {
    let lines = lines.into_iter();
    lines.map(|line| format!("{line}\n")).collect()
}

fn installed(directory: &Path, path: &str) -> String {
    let path = directory.join(path).display().to_string();
    format!("/{}", path.trim_end_matches('/'))
}

/// A file of the buildroot as packages name it.
fn name_in(buildroot: &Path, path: &Path) -> String {
    let below = path.strip_prefix(buildroot).unwrap_or(path);
    Path::new("/").join(below).to_string_lossy().into_owned()
}

fn is_plain(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~,:=@/-".contains(c);
    path.chars().all(plain)
}
