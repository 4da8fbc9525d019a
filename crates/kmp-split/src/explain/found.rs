//! Finds what a word on the command line names.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use kmod_conf::fnmatch;
use modtree::ModuleId;

use crate::identity::Identity;
use crate::machine::{MachineHardware, is_modalias};
use crate::nearest::nearest;
use crate::plan::PackageId;
use crate::planned::PlannedKernel;

/// Something to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// A module.
    Module(ModuleId),
    /// A kernel module package.
    Package(PackageId),
    /// The image package.
    Image,
    /// A pattern, by its position in the plan.
    Pattern(usize),
}

pub struct Finder<'f> {
    pub planned: &'f PlannedKernel,
    pub identity: &'f Identity,
}

impl Finder<'_> {
    /// What the words name, each thing once, in their order.
    pub fn all(&self, words: &[String]) -> Result<Vec<Found>> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for word in words {
            let found = self.named(word);
            if found.is_empty() {
                bail!(self.unknown(word));
            }
            all.extend(found.into_iter().filter(|&one| seen.insert(one)));
        }
        Ok(all)
    }

    fn named(&self, word: &str) -> Vec<Found> {
        if let Some(package) = self.package(word) {
            return vec![package];
        }
        let modules = match word.contains('/') {
            true => self.at_path(word),
            false => self.planned.tree.named(without_suffix(word)).to_vec(),
        };
        let modules = match modules.is_empty() {
            true => self.by_alias(word),
            false => modules,
        };
        modules.into_iter().map(Found::Module).collect()
    }

    fn package(&self, name: &str) -> Option<Found> {
        let plan = &self.planned.plan;
        if name == self.identity.image {
            return Some(Found::Image);
        }
        let mut patterns = plan.patterns.iter();
        if let Some(index) = patterns.position(|one| self.identity.pattern(&one.name) == name) {
            return Some(Found::Pattern(index));
        }
        let packages = || plan.packages.iter();
        let by_name = packages().find(|(_, one)| self.identity.kmp(&one.stem) == name);
        let is_module = !self.planned.tree.named(name).is_empty();
        let by_stem = || packages().find(|(_, one)| one.stem == name && !is_module);
        by_name.or_else(by_stem).map(|(id, _)| Found::Package(id))
    }

    /// The module at a path, or all modules below a directory. A path may be that of an installed file.
    fn at_path(&self, path: &str) -> Vec<ModuleId> {
        let tree = &self.planned.tree;
        let release = format!("/{}/", tree.release.as_str());
        let below = path.split_once(&release).map_or(path, |(_, below)| below);
        let below = below.trim_end_matches('/');
        let directory = format!("{below}/");
        let modules = tree.modules.iter();
        let here = modules.filter(|(_, record)| {
            record.file.plain_path() == without_suffix(below)
                || record.file.path.starts_with(&directory)
        });
        here.map(|(id, _)| id).collect()
    }

    /// The modules that a device with this modalias asks for, or that have another alias.
    fn by_alias(&self, alias: &str) -> Vec<ModuleId> {
        let device = is_modalias(alias).then(|| MachineHardware {
            name: String::new(),
            modaliases: vec![alias.to_owned()],
        });
        let asked_for = |own: &String| match &device {
            Some(device) => own == alias || device.has(own),
            None => !own.contains(':') && fnmatch(own.as_bytes(), alias.as_bytes()),
        };
        let modules = self.planned.tree.modules.iter();
        let modules = modules.filter(|(_, record)| record.aliases.iter().any(asked_for));
        modules.map(|(id, _)| id).collect()
    }

    fn unknown(&self, word: &str) -> String {
        let tree = &self.planned.tree;
        let place = tree.directory.path().display();
        if is_modalias(word) {
            return format!("no module in {place} drives {word}");
        }
        let name = without_suffix(word.rsplit('/').next().unwrap_or(word));
        if tree.is_builtin(name) {
            return format!("no module {word} in {place}: it is linked into the kernel");
        }
        let modules = tree.modules.values();
        let modules = modules.map(|record| record.file.name.as_str());
        let packages = self.planned.plan.packages.values();
        let packages = packages.map(|one| self.identity.kmp(&one.stem));
        let packages: Vec<_> = packages.collect();
        let known = modules.chain(packages.iter().map(String::as_str));
        let hint = nearest(name, known).map(|known| format!("; did you mean {known}?"));
        format!(
            "no module, package or alias {word} in {place}{}",
            hint.unwrap_or_default()
        )
    }
}

/// A module's name or path without `.ko` and the suffix of a compression.
fn without_suffix(name: &str) -> &str {
    match name.rsplit_once(".ko") {
        Some((plain, rest)) if rest.is_empty() || rest.starts_with('.') => plain,
        _ => name,
    }
}
