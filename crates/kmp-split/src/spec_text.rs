//! Writes the subpackages of a spec file or of a spec part.
//!
//! rpm's section parser reads the text. Which parts of it rpm expands depends on its version. Paths
//! and names were checked when the kernel and the policy were read. `spec_prose` makes free text
//! harmless.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use deptag::Dialect;
use modtree::{Difference, ModuleId, Resolution, Tree};
use policy::Depends;

use crate::identity::Identity;
use crate::moves::{MoveTag, Moves};
use crate::plan::{Package, PackageId, PatternPackage, Plan};
use crate::rebuilds::earlier_builds;
use crate::spec_prose::{SUMMARY, as_version, lines, one_line, paragraph, shortened, words};

/// How many characters of a module's description are shown among those of others.
const DESCRIPTION: usize = 120;

/// SUSE's weak-modules2 links the modules of vendors' packages into other kernels, and stops at a package
/// that has modules below `kernel/`, unless it says that these are the kernel's own.
const IN_KERNEL: &str = "Provides: kmp_in_kernel";

/// What the subpackages are made of.
#[derive(Clone, Copy)]
pub struct Subpackages<'s> {
    /// Names and versions.
    pub identity: &'s Identity,
    /// The modules.
    pub tree: &'s Tree,
    /// Which module needs which.
    pub resolution: &'s Resolution,
    /// The packages.
    pub plan: &'s Plan,
    /// The tags that packages need because modules moved.
    pub moves: &'s Moves,
    /// The directory that has a list of files for each package. [`crate::lists`] writes them.
    pub lists: &'s Path,
}

/// The parts that all kinds of packages in a spec have.
struct PackageSection<'s> {
    name: &'s str,
    summary: &'s str,
    tags: Vec<String>,
    description: &'s str,
    files: Option<String>,
}

impl Subpackages<'_> {
    /// Returns the text of all subpackages: modules, patterns and metapackages.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let by_symbols = self.needed_by_symbols();
        for (id, package) in self.plan.packages.iter() {
            self.kmp(
                &mut out,
                package,
                by_symbols.get(&id).unwrap_or(&BTreeSet::new()),
            );
        }
        for pattern in &self.plan.patterns {
            self.pattern(&mut out, pattern);
        }
        for (stem, packages) in &self.moves.emptied {
            self.emptied(&mut out, stem, packages);
        }
        for (name, packages) in self.identity.metapackages(self.plan) {
            self.metapackage(&mut out, &name, &packages);
        }
        out
    }

    fn kmp(&self, out: &mut String, package: &Package, by_symbols: &BTreeSet<PackageId>) {
        let name = self.identity.kmp(&package.stem);
        let summary = self.summary(package);
        let list = self.lists.join(format!("{}.list", package.stem));
        write(
            out,
            PackageSection {
                name: &name,
                summary: &summary,
                tags: self.kmp_tags(package, &name, by_symbols),
                description: &self.description(package),
                files: Some(list.display().to_string()),
            },
        );
    }

    /// The tags of the package itself. The generators print those of its modules.
    fn kmp_tags(
        &self,
        package: &Package,
        name: &str,
        by_symbols: &BTreeSet<PackageId>,
    ) -> Vec<String> {
        let Identity { flavor, evr, .. } = self.identity;
        let stem = &package.stem;
        let flavor = flavor.as_str();
        let mut provided = Vec::new();
        let mut tags = self.side_by_side(name);
        // Where both are removed, modules go before kmpkit, which keeps their indexes.
        tags.push("OrderWithRequires: kmpkit".to_owned());
        match self.identity.dialect {
            Dialect::Suse => {
                provided.push(format!("{stem}-kmp"));
                tags.push(IN_KERNEL.to_owned());
                tags.push(format!("Enhances: kernel-{flavor}"));
            }
            Dialect::RedHat => provided.push(format!("kmod-{stem}")),
        }
        if self.identity.naming.kabi {
            provided.push(self.identity.kmp_of_any_kabi(stem));
        }
        provided.retain(|provided| provided != name);
        tags.extend(
            provided
                .iter()
                .map(|name| format!("Provides: {name} = {evr}")),
        );
        tags.extend(self.other_spellings(package));
        if self.identity.naming.depends == Depends::Package {
            let needs = package.needs.iter().map(|&id| &self.plan.packages[id].stem);
            let needs = needs.map(|stem| format!("Requires: {} = {evr}", self.identity.kmp(stem)));
            tags.extend(needs);
        }
        let by_symbols = by_symbols.iter();
        let by_symbols = by_symbols.map(|&id| format!("Requires: {}", self.requirement(id)));
        tags.extend(by_symbols.collect::<BTreeSet<_>>());
        tags.extend(self.move_tags(stem));
        tags
    }

    /// Tags for modules by names as their dialect does not spell them. People copy the names of files, and
    /// those that lsmod prints.
    fn other_spellings(&self, package: &Package) -> Vec<String> {
        let other = |&id: &ModuleId| {
            let name = &self.tree.modules[id].file.name;
            let normalized = kmodule::normalized_str(name);
            let other = match self.identity.dialect {
                Dialect::Suse => name.clone(),
                Dialect::RedHat => normalized.to_string(),
            };
            let kabi = &self.identity.kabi;
            (normalized != *name).then(|| format!("Provides: kmod({other}.ko) = {kabi}"))
        };
        let others: BTreeSet<String> = package.modules.iter().filter_map(other).collect();
        others.into_iter().collect()
    }

    /// For each package the others that its modules need for symbols alone, because `depends=` does
    /// not name their modules. Without modversions no other tag says so.
    fn needed_by_symbols(&self) -> BTreeMap<PackageId, BTreeSet<PackageId>> {
        let mut needed: BTreeMap<PackageId, BTreeSet<PackageId>> = BTreeMap::new();
        for difference in &self.resolution.differences {
            let Difference::OnlySymbols { user, provider } = difference else {
                continue;
            };
            let packages = [user, provider].map(|&id| self.plan.package_of(id));
            if let [Some(user), Some(provider)] = packages {
                if user != provider {
                    needed.entry(user).or_default().insert(provider);
                }
            }
        }
        needed
    }

    /// The tags that an update needs where modules moved.
    fn move_tags(&self, stem: &str) -> Vec<String> {
        let tags = self.moves.tags(stem).map(|tag| match tag {
            MoveTag::Replaces { stem, since } => {
                let old = self.identity.kmp(stem);
                vec![
                    format!("Provides: {old} = {}", self.identity.evr),
                    format!("Obsoletes: {old} < {since}"),
                ]
            }
            MoveTag::TakesFrom { stem, since } => {
                vec![format!("Conflicts: {} < {since}", self.identity.kmp(stem))]
            }
            MoveTag::TakesFromImage { since } => {
                vec![format!("Conflicts: {} < {since}", self.identity.image)]
            }
            MoveTag::GivesToImage => vec![self.image()],
            MoveTag::Gives(to) => vec![format!("Recommends: {}", self.requirement(*to))],
        });
        tags.flatten().collect()
    }

    /// The tags by which packages of several kernels are installed side by side, but not with those of
    /// an earlier build of the same kernelrelease, which have the same files.
    fn side_by_side(&self, name: &str) -> Vec<String> {
        let mut tags = Vec::new();
        let Identity { evr, flavor, .. } = self.identity;
        if self.identity.is_multiversion() {
            tags.push("Provides: multiversion(kernel)".to_owned());
            let earlier = earlier_builds(evr, self.tree.release.as_str(), flavor);
            tags.extend(
                earlier
                    .iter()
                    .map(|evr| format!("Obsoletes: {name} = {evr}")),
            );
        }
        if self.identity.dialect == Dialect::RedHat {
            tags.push("Provides: installonlypkg(kernel-module)".to_owned());
        }
        tags
    }

    fn pattern(&self, out: &mut String, pattern: &PatternPackage) {
        let summary = match one_line(&pattern.summary) {
            summary if summary.is_empty() => format!("Kernel modules: {}", pattern.name),
            summary => summary,
        };
        // The name must be unique among all patterns of a distribution. As a version it has no dash.
        let pattern_name = format!("kernel_{}", pattern.name.replace('-', "_"));
        let mut tags = vec![format!(
            "Provides: pattern() = {}",
            as_version(&pattern_name)
        )];
        if let Some(category) = pattern.category.as_ref().filter(|text| !text.is_empty()) {
            tags.push(format!(
                "Provides: pattern-category() = {}",
                as_version(category)
            ));
        }
        if let Some(order) = pattern.order {
            tags.push(format!("Provides: pattern-order() = {order}"));
        }
        if pattern.visible {
            tags.push("Provides: pattern-visible()".to_owned());
        }
        tags.push(self.image());
        let packages = pattern.packages.iter();
        tags.extend(packages.map(|&id| format!("Requires: {}", self.requirement(id))));
        let description = pattern.description.as_deref().map(paragraph);
        write(
            out,
            PackageSection {
                name: &self.identity.pattern(&pattern.name),
                summary: &summary,
                tags,
                description: &description.unwrap_or_else(|| format!("{summary}.")),
                files: None,
            },
        );
    }

    /// A package without files, in place of one that is gone. It requires the packages that have its
    /// modules.
    fn emptied(&self, out: &mut String, stem: &str, packages: &BTreeSet<PackageId>) {
        let name = self.identity.kmp(stem);
        let mut tags = self.side_by_side(&name);
        if self.identity.dialect == Dialect::Suse {
            tags.push(IN_KERNEL.to_owned());
        }
        tags.push(self.image());
        let requires = packages
            .iter()
            .map(|&id| format!("Requires: {}", self.requirement(id)));
        tags.extend(requires);
        write(
            out,
            PackageSection {
                name: &name,
                summary: "Kernel modules that are in other packages now",
                tags,
                description: "This package has no files: it requires the packages that have the modules it had \
                              in earlier builds, the kernel image among them.",
                files: None,
            },
        );
    }

    fn metapackage(&self, out: &mut String, name: &str, packages: &[PackageId]) {
        let flavor = self.identity.flavor.as_str();
        let mut tags = self.side_by_side(name);
        if self.identity.dialect == Dialect::Suse && self.identity.is_multiversion() {
            // libzypp removes an old kernel only if all that requires it may go as well: KMPs by their
            // names, and what is a kernel itself.
            tags.push(format!(
                "Provides: {}",
                self.identity.uname_r(&self.tree.release)
            ));
        }
        tags.push(self.image());
        let packages = packages.iter();
        tags.extend(packages.map(|&id| format!("Requires: {}", self.requirement(id))));
        write(
            out,
            PackageSection {
                name,
                summary: &format!("The kernel and all its modules, flavor {flavor}"),
                tags,
                description: "This package has no files: it requires the kernel image and the packages \
                              of its modules, as a kernel that is one package would bring them.",
                files: None,
            },
        );
    }

    /// The requirement of the image package.
    fn image(&self) -> String {
        format!("Requires: {} = {}", self.identity.image, self.identity.evr)
    }

    /// The requirement of a package; see [`Identity::requirement`].
    fn requirement(&self, id: PackageId) -> String {
        let package = &self.plan.packages[id];
        let module = package.modules.first().map(|&id| self.module_name(id));
        self.identity
            .requirement(package, module.unwrap_or_default())
    }

    fn module_name(&self, id: ModuleId) -> &str {
        &self.tree.modules[id].file.name
    }

    /// The summary: that of the set, or else the description of the only module, or else the names of
    /// the modules.
    fn summary(&self, package: &Package) -> String {
        let own = |&id: &ModuleId| self.tree.modules[id].description.as_deref();
        let summary = match (&package.summary, &package.modules[..]) {
            (Some(summary), _) => one_line(summary),
            (None, [only]) => one_line(own(only).unwrap_or_default()),
            (None, _) => String::new(),
        };
        if !summary.is_empty() {
            return summary;
        }
        let names = package.modules.iter().map(|&id| self.module_name(id));
        let names = names.collect::<Vec<_>>().join(", ");
        let modules = match package.modules.len() {
            1 => format!("Kernel module {names}"),
            _ => format!("Kernel modules {names}"),
        };
        shortened(&modules, SUMMARY)
    }

    fn description(&self, package: &Package) -> String {
        let flavor = self.identity.flavor.as_str();
        let modules = package.modules.iter().map(|&id| {
            let module = self.module_name(id);
            let described = self.tree.modules[id].description.as_deref().map(words);
            match described.filter(|text| !text.is_empty()) {
                Some(text) => format!("* {module}: {}", shortened(&text, DESCRIPTION)),
                None => format!("* {module}"),
            }
        });
        let introduction = match (&package.description, &package.summary) {
            (Some(description), _) => paragraph(description),
            (None, Some(summary)) => words(summary) + ".",
            (None, None) => String::new(),
        };
        let mut text = match introduction.is_empty() {
            true => String::new(),
            false => introduction + "\n\n",
        };
        let _ = write!(text, "Kernel modules for {flavor} kernels:");
        for module in modules {
            let _ = write!(text, "\n{module}");
        }
        text
    }
}

fn write(out: &mut String, section: PackageSection<'_>) {
    let PackageSection {
        name,
        summary,
        tags,
        description,
        files,
    } = section;
    let tags: String = tags.iter().map(|tag| format!("{tag}\n")).collect();
    let description = lines(description);
    let files = files.map_or_else(String::new, |list| format!(" -f {list}"));
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "%package -n {name}\nSummary: {summary}\n{tags}\
         %description -n {name}\n{description}\n\
         %files -n {name}{files}\n\n"
    );
}
