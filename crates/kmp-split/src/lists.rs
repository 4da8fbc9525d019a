//! Writes the lists of files of all packages, and prepares the buildroot for them.
//!
//! rpm expands macros and globs when it reads the lists. So a file name that could contain one is an
//! error.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use kmod_index::IndexFile;
use modtree::{INITRD_LIST, ModuleId, ReleaseDir, Tree};
use policy::{ModulePath, Policy};
use walkdir::WalkDir;

use crate::buildroot::{Buildroot, Changes};
use crate::plan::Plan;

/// The name of the image package's list.
pub const IMAGE: &str = "image.files";

/// What the lists are made of.
#[derive(Clone, Copy)]
pub struct Lists<'l> {
    /// The modules, in the buildroot.
    pub tree: &'l Tree,
    /// The packages.
    pub plan: &'l Plan,
    /// The policy, which says which modules initrds contain.
    pub policy: &'l Policy,
    /// The buildroot.
    pub buildroot: Buildroot<'l>,
    /// The directory for the lists.
    pub into: &'l Path,
    /// Whether the image package gets all files of the buildroot that no other package has. If not, it
    /// gets those beside the modules. Debug information has a package of its own.
    pub everything: bool,
}

impl Lists<'_> {
    /// Changes the buildroot, and writes all lists.
    ///
    /// # Errors
    /// The buildroot must not be changed, the name of a file could mean something else to rpm, or a
    /// list cannot be written.
    pub fn write(&self) -> Result<()> {
        let directory = &self.tree.directory;
        self.changes(directory)
            .apply(&self.buildroot, directory.path(), &self.tree.release)?;
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

    /// What the buildroot lacks, and has too much.
    fn changes(&self, directory: &ReleaseDir) -> Changes {
        let mut changes = Changes::default();
        for id in self.plan.excluded() {
            changes.remove(directory.path().join(&self.tree.modules[id].file.path));
        }
        let initrd_list = directory.path().join(INITRD_LIST);
        let marked = self.marked_for_initrd();
        match marked.is_empty() {
            // A list that is there already was made by another policy.
            true if initrd_list.symlink_metadata().is_ok() => changes.remove(initrd_list),
            true => {}
            false => changes.replace(initrd_list, lines(marked)),
        }
        // rpm reads size and mode of a %ghost from the file.
        for index in IndexFile::NAMES {
            changes.fill_in(directory.path().join(index));
        }
        changes
    }

    /// The modules for initrds, for the triggers of kmpkit, which know no policy and no tags. A solver
    /// gets the same from the tags kmod-initrd().
    fn marked_for_initrd(&self) -> BTreeSet<&str> {
        let excluded: BTreeSet<_> = self.plan.excluded().collect();
        let modules = self.tree.modules.iter();
        let packaged = modules.filter(|(id, _)| !excluded.contains(id));
        let marked = packaged.filter(|(_, record)| {
            let rule = self.policy.overrides(ModulePath::new(&record.file.path));
            rule.initrd.is_some_and(|(initrd, _)| initrd)
        });
        marked
            .map(|(_, record)| record.file.name.as_str())
            .collect()
    }

    /// The installed path of a module.
    fn file(&self, id: ModuleId) -> String {
        let directory = self.tree.directory.below_root();
        installed(directory, &self.tree.modules[id].file.path)
    }

    fn image(&self, directory: &ReleaseDir, packaged: &BTreeSet<String>) -> Result<()> {
        let mut all = Vec::new();
        for entry in WalkDir::new(self.buildroot.path).sort_by_file_name() {
            let entry = entry.context("buildroot")?;
            if !entry.file_type().is_dir() {
                all.push(name_in(self.buildroot.path, entry.path()));
            }
        }
        let below = installed(directory.below_root(), "");
        let leads_out = ["build", "source"].map(|name| format!("{below}/{name}"));
        let is_index = |path: &str| {
            let name = path
                .strip_prefix(&below)
                .and_then(|rest| rest.strip_prefix('/'));
            name.is_some_and(|name| IndexFile::NAMES.contains(&name))
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
            bail!(
                "{path:?}: rename this file; only A-Z a-z 0-9 . _ + ~ , : = @ / - are safe in lists \
                 of files"
            );
        }
        let mut list = self.with_directories(&own, directory.below_root());
        list.extend(IndexFile::NAMES.map(|index| format!("%ghost {below}/{index}")));
        self.save(IMAGE, &list)
    }

    /// Lists files behind the directories from `lib/modules/<rel>` to them. Each package owns the
    /// directories that it needs, so that they are removed with the last package.
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

/// The installed path of a file of the buildroot.
fn name_in(buildroot: &Path, path: &Path) -> String {
    let below = path.strip_prefix(buildroot).unwrap_or(path);
    Path::new("/").join(below).to_string_lossy().into_owned()
}

fn is_plain(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~,:=@/-".contains(c);
    path.chars().all(plain)
}
