//! The modaliases of a machine in, the packages its hardware asks for out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmod_conf::fnmatch;
use modtree::{ModuleId, Tree};

use crate::plan::{PackageId, Plan};

/// A machine, as its devices describe themselves.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What it is called: the name of its file.
    pub name: String,
    /// One modalias for each device.
    pub modaliases: Vec<String>,
}

/// What a machine installs.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The modules its devices ask for.
    pub drivers: BTreeSet<ModuleId>,
    /// The packages that have them, and all that these need.
    pub packages: BTreeSet<PackageId>,
}

impl Machine {
    /// Reads a list of modaliases, as `cat /sys/devices/**/modalias` prints it; lines that begin
    /// with `#` are comments.
    ///
    /// # Errors
    /// The file cannot be read or has no modalias.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let lines = text.lines().map(str::trim_end);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let modaliases: Vec<_> = lines.map(str::to_owned).collect();
        ensure!(
            !modaliases.is_empty(),
            "{}: no modalias in it",
            path.display()
        );
        let name = path.file_stem().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            modaliases,
        })
    }

    /// What its hardware makes it install, the image package apart.
    pub fn installs(&self, tree: &Tree, plan: &Plan) -> Installed {
        let drivers: BTreeSet<_> = tree
            .modules
            .iter()
            .filter(|(id, record)| {
                plan.hardware[*id] && record.aliases.iter().any(|alias| self.has(alias))
            })
            .map(|(id, _)| id)
            .collect();
        let wanted = drivers.iter().filter_map(|&id| plan.package_of(id));
        let mut packages: BTreeSet<_> = wanted.collect();
        let mut open: Vec<_> = packages.iter().copied().collect();
        while let Some(id) = open.pop() {
            let needs = plan.packages[id].needs.iter().copied();
            open.extend(needs.filter(|&needed| packages.insert(needed)));
        }
        Installed { drivers, packages }
    }

    /// Whether a device matches an alias of a module (modprobe(8) uses fnmatch(3)).
    fn has(&self, alias: &str) -> bool {
        let Some((bus, _)) = alias.split_once(':') else {
            return false;
        };
        let mut devices = self.modaliases.iter().filter(|device| {
            let of_device = device.split_once(':').map_or("", |(bus, _)| bus);
            bus.contains(['*', '?', '[']) || bus == of_device
        });
        devices.any(|device| fnmatch(alias.as_bytes(), device.as_bytes()))
    }
}
