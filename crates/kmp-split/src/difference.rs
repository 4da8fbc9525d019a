//! Compares two plans, for people who decide about an update.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::document::{Document, ModuleEntry, PackageEntry};

/// What differs between two plans, as text. Packages are the same if their stems are, modules if their
/// paths are.
pub fn difference(old: &Document, new: &Document) -> String {
    let [old, new] = [old, new].map(Side::of);
    let mut out = format!(
        "{} {} -> {} {}\n",
        old.document.kernelrelease, old.document.evr, new.document.kernelrelease, new.document.evr
    );
    let _ = writeln!(
        out,
        "packages {} -> {}, modules {} -> {}, KiB {} -> {}",
        old.packages.len(),
        new.packages.len(),
        old.modules.len(),
        new.modules.len(),
        kib(old.bytes()),
        kib(new.bytes())
    );
    section(&mut out, "new packages", only(&new, &old));
    section(&mut out, "packages that are gone", only(&old, &new));
    section(&mut out, "changed packages", changed(&old, &new));
    section(&mut out, "new modules", modules_only(&new, &old, "in"));
    section(
        &mut out,
        "modules that are gone",
        modules_only(&old, &new, "were in"),
    );
    section(
        &mut out,
        "modules that are elsewhere",
        elsewhere(&old, &new),
    );
    out
}

/// A plan by its names.
struct Side<'d> {
    document: &'d Document,
    packages: BTreeMap<&'d str, &'d PackageEntry>,
    /// Each module by its path, with its package.
    modules: BTreeMap<&'d str, (&'d ModuleEntry, &'d str)>,
}

impl<'d> Side<'d> {
    fn of(document: &'d Document) -> Self {
        let packages = document.packages.iter();
        let of_packages = packages.clone().flat_map(|package| {
            let modules = package.modules.iter();
            modules.map(|module| (module, package.stem.as_str()))
        });
        let of_image = document.base.iter().map(|module| (module, "the image"));
        let excluded = document
            .excluded
            .iter()
            .map(|module| (module, "no package"));
        let modules = of_packages.chain(of_image).chain(excluded);
        Self {
            document,
            packages: packages
                .map(|package| (package.stem.as_str(), package))
                .collect(),
            modules: modules
                .map(|(module, package)| (module.path.as_str(), (module, package)))
                .collect(),
        }
    }

    fn bytes(&self) -> u64 {
        self.modules.values().map(|(module, _)| module.bytes).sum()
    }
}

fn section(out: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{} {title}:", lines.len());
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

fn only(these: &Side<'_>, others: &Side<'_>) -> Vec<String> {
    let packages = these.packages.iter();
    let only = packages.filter(|(stem, _)| !others.packages.contains_key(*stem));
    only.map(|(_, package)| {
        let names: Vec<_> = package
            .modules
            .iter()
            .map(|module| module.name.as_str())
            .collect();
        format!(
            "{}, {} KiB: {}",
            package.name,
            kib(size(package)),
            names.join(" ")
        )
    })
    .collect()
}

/// Packages that both plans have, with other modules.
fn changed(old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (stem, package) in &new.packages {
        let Some(before) = old.packages.get(stem) else {
            continue;
        };
        let [was, is] = [before, package].map(|package| {
            let paths = package
                .modules
                .iter()
                .map(|module| (module.path.as_str(), &*module.name));
            paths.collect::<BTreeSet<_>>()
        });
        let added = is.difference(&was).map(|(_, name)| format!("+{name}"));
        let removed = was.difference(&is).map(|(_, name)| format!("-{name}"));
        let modules: Vec<_> = added.chain(removed).collect();
        if !modules.is_empty() {
            lines.push(format!(
                "{}, {} -> {} KiB: {}",
                package.name,
                kib(size(before)),
                kib(size(package)),
                modules.join(" ")
            ));
        }
    }
    lines
}

fn modules_only(these: &Side<'_>, others: &Side<'_>, location: &str) -> Vec<String> {
    let modules = these.modules.iter();
    let only = modules.filter(|(path, _)| !others.modules.contains_key(*path));
    only.map(|(path, (_, package))| format!("{path} {location} {package}"))
        .collect()
}

fn elsewhere(old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let modules = new.modules.iter().filter_map(|(path, (_, to))| {
        let (_, from) = old.modules.get(path)?;
        (from != to).then(|| format!("{path} from {from} to {to}"))
    });
    modules.collect()
}

fn size(package: &PackageEntry) -> u64 {
    package.modules.iter().map(|module| module.bytes).sum()
}

fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1024)
}
