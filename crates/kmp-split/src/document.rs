//! A plan as a JSON document, and back as far as the next plan needs it. kmp-plan(5) has the schema.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use modtree::{ModuleId, Resolution, Tree};
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::plan::{Home, LeftBefore, Location, Plan, Previous};
use crate::why::tell;

/// The version of the schema.
const FORMAT: &str = "kmpkit-plan-1";

/// A plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// Which schema.
    pub format: String,
    /// `uname -r` of the kernel.
    pub kernelrelease: String,
    /// Its flavor.
    pub flavor: String,
    /// Its kABI.
    pub kabi: String,
    /// Version and release of the packages.
    pub evr: String,
    /// What grouped the modules that no rule claims.
    pub grouping: String,
    /// What names of packages of unsupported modules end in, where these are apart.
    pub unsupported: Option<String>,
    /// Name of the image package.
    pub image: String,
    /// The modules in it.
    pub base: Vec<ModuleEntry>,
    /// The kernel module packages.
    pub packages: Vec<PackageEntry>,
    /// The pattern packages.
    pub patterns: Vec<PatternEntry>,
    /// The modules no package has.
    pub excluded: Vec<ModuleEntry>,
    /// The modules that are elsewhere than in the earlier plan.
    pub moved: Vec<MovedEntry>,
    /// What left packages, in this build or earlier, and is in others now.
    pub left: Vec<LeftEntry>,
    /// Rules that match nothing, and oddities of the tree.
    pub warnings: Vec<String>,
}

/// A kernel module package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageEntry {
    /// Its name before the template.
    pub stem: String,
    /// Its name.
    pub name: String,
    /// A set's summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Whether its modules are supported.
    pub supported: bool,
    /// Its modules.
    pub modules: Vec<ModuleEntry>,
    /// Stems of the packages it needs.
    pub needs: Vec<String>,
}

/// A module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModuleEntry {
    /// Its name.
    pub name: String,
    /// Its path below lib/modules/<kernelrelease>, up to .ko.
    pub path: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes in memory.
    pub size: u64,
    /// How many aliases it has.
    pub aliases: usize,
    /// Paths of the modules it needs.
    pub needs: Vec<String>,
    /// Why it is where it is.
    pub why: String,
}

/// A pattern package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatternEntry {
    /// Its name before the template.
    pub pattern: String,
    /// Its name.
    pub name: String,
    /// One line.
    pub summary: String,
    /// Stems of the packages it requires.
    pub packages: Vec<String>,
}

/// A module that moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MovedEntry {
    /// Its path.
    pub module: String,
    /// Stem of the package that had it; none if the image had it.
    pub from: Option<String>,
    /// Stem of the package that has it; none if the image has it or it is excluded.
    pub to: Option<String>,
}

/// Modules that left a package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeftEntry {
    /// Stem of the package; none if that was the image.
    pub stem: Option<String>,
    /// Version and release of the first package without them.
    pub since: String,
    /// Their paths.
    pub modules: Vec<String>,
}

impl Document {
    /// Takes a plan.
    pub fn new(
        tree: &Tree,
        resolution: &Resolution,
        plan: &Plan,
        identity: &Identity,
        grouping: &str,
    ) -> Self {
        let path = |id: ModuleId| tree.modules[id].file.plain_path().to_owned();
        let module = |id: ModuleId| {
            let record = &tree.modules[id];
            ModuleEntry {
                name: record.file.name.clone(),
                path: path(id),
                bytes: record.bytes,
                size: record.size,
                aliases: record.aliases.len(),
                needs: resolution.needs[id].iter().copied().map(path).collect(),
                why: tell(tree, &plan.why[id]),
            }
        };
        let stem = |id| plan.packages[id].stem.clone();
        let packages = plan.packages.values().map(|package| PackageEntry {
            stem: package.stem.clone(),
            name: identity.kmp(&package.stem),
            summary: package.summary.clone(),
            supported: package.supported,
            modules: package.modules.iter().copied().map(module).collect(),
            needs: package.needs.iter().copied().map(stem).collect(),
        });
        let patterns = plan.patterns.iter().map(|pattern| PatternEntry {
            pattern: pattern.name.clone(),
            name: identity.pattern(&pattern.name),
            summary: pattern.summary.clone(),
            packages: pattern.packages.iter().copied().map(stem).collect(),
        });
        let moved = plan.moved.iter().map(|moved| MovedEntry {
            module: path(moved.module),
            from: moved.from.clone(),
            to: match moved.to {
                Location::Package(id) => Some(stem(id)),
                Location::Image | Location::Excluded => None,
            },
        });
        let left = plan.left.iter().map(|left| LeftEntry {
            stem: left.stem.clone(),
            since: left.since.as_ref().unwrap_or(&identity.evr).clone(),
            modules: left.modules.iter().copied().map(path).collect(),
        });
        Self {
            format: FORMAT.to_owned(),
            kernelrelease: tree.release.to_string(),
            flavor: identity.flavor.as_str().to_owned(),
            kabi: identity.kabi.to_string(),
            evr: identity.evr.clone(),
            grouping: grouping.to_owned(),
            unsupported: identity.naming.unsupported.clone(),
            image: identity.image.clone(),
            base: plan.image().map(module).collect(),
            packages: packages.collect(),
            patterns: patterns.collect(),
            excluded: plan.excluded().map(module).collect(),
            moved: moved.collect(),
            left: left.collect(),
            warnings: plan.warnings.clone(),
        }
    }

    /// The document as JSON.
    ///
    /// # Errors
    /// None in practice: all of it can be written as JSON.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a document.
    ///
    /// # Errors
    /// The file cannot be read, is no JSON, or follows another schema.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(shown)?;
        let document: Self = serde_json::from_str(&text).with_context(shown)?;
        ensure!(
            document.format == FORMAT,
            "{}: format {:?}, not {FORMAT:?}",
            path.display(),
            document.format
        );
        Ok(document)
    }

    /// What the next plan has to know of this one.
    pub fn previous(self) -> Previous {
        let suffix = self.unsupported.as_deref();
        // A rule may have called a package of unsupported modules otherwise.
        let says_so = |stem: &str| suffix.is_some_and(|suffix| stem.ends_with(suffix));
        let homes = self.packages.into_iter().flat_map(|package| {
            let home = Home {
                unsupported: !package.supported && says_so(&package.stem),
                stem: package.stem,
            };
            let modules = package.modules.into_iter();
            modules.map(move |module| (module.path, Some(home.clone())))
        });
        let base = self.base.into_iter().map(|module| (module.path, None));
        let left = self.left.into_iter().map(|left| LeftBefore {
            stem: left.stem,
            since: left.since,
            modules: left.modules,
        });
        Previous {
            homes: homes.chain(base).collect(),
            grouping: self.grouping,
            left: left.collect(),
        }
    }
}
