//! Finds the packages that the hardware of a machine asks for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmod_conf::fnmatch;
use modtree::{ModuleId, Tree};

use crate::plan::{PackageId, Plan};
use crate::reach::reachable;

/// A machine, described by the modaliases of its devices.
#[derive(Clone, Debug)]
pub struct MachineHardware {
    /// The name: that of the file, without its suffix.
    pub name: String,
    /// The modaliases, one for each device.
    pub modaliases: Vec<String>,
}

/// What a machine installs.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The modules that its devices ask for.
    pub drivers: BTreeSet<ModuleId>,
    /// The packages that have these modules, and all that they need.
    pub packages: BTreeSet<PackageId>,
}

/// Why a machine installs a package.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The modules in it that devices ask for.
    pub drivers: Vec<ModuleId>,
    /// The installed packages that need it.
    pub needed_by: Vec<PackageId>,
}

impl Installed {
    /// Why a package is installed.
    pub fn cause(&self, plan: &Plan, package: PackageId) -> Cause {
        let modules = plan.packages[package].modules.iter().copied();
        let users = self.packages.iter().copied();
        Cause {
            drivers: modules.filter(|id| self.drivers.contains(id)).collect(),
            needed_by: users
                .filter(|&user| plan.packages[user].needs.contains(&package))
                .collect(),
        }
    }
}

impl MachineHardware {
    /// Reads a list of modaliases from a file.
    ///
    /// # Errors
    /// The file cannot be read or has no modalias.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(path).map_err(Into::into);
        text.and_then(|text| Self::parse(&name, &text))
            .with_context(|| path.display().to_string())
    }

    /// Reads a list of modaliases, one a line, as `cat /sys/devices/**/modalias` prints it. Lines
    /// that begin with `#` are comments.
    ///
    /// # Errors
    /// There is no modalias, or a line is none.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let lines = text.lines().map(str::trim_end).zip(1..);
        let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        let mut modaliases = Vec::new();
        for (line, number) in lines {
            ensure!(
                is_modalias(line),
                "line {number} is no modalias, so this is no list of a machine's hardware; kmp-split \
                 machine prints such a list"
            );
            modaliases.push(line.to_owned());
        }
        ensure!(
            !modaliases.is_empty(),
            "there is no modalias in this list; kmp-split machine prints such a list"
        );
        Ok(Self {
            name: name.to_owned(),
            modaliases,
        })
    }

    /// Returns what the hardware asks for. The image package is not part of it.
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
        let needs = |id: PackageId| plan.packages[id].needs.iter().copied();
        let packages = reachable(wanted, needs);
        Installed { drivers, packages }
    }

    /// Whether a device matches an alias of a module. modprobe compares them in the same way.
    pub(crate) fn has(&self, alias: &str) -> bool {
        let Some((bus, _)) = alias.split_once(':') else {
            return false;
        };
        let mut devices = self.modaliases.iter().filter(|device| {
            let of_device = device.split_once(':').map_or("", |(bus, _)| bus);
            bus.contains(['*', '?', '[', '\\']) || bus == of_device
        });
        devices.any(|device| fnmatch(alias.as_bytes(), device.as_bytes()))
    }
}

/// Whether a text is a modalias: the name of a bus, a colon, and what the bus says of a device.
pub(crate) fn is_modalias(text: &str) -> bool {
    let of_bus = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let Some((bus, device)) = text.split_once(':') else {
        return false;
    };
    !bus.is_empty() && bus.chars().all(of_bus) && !device.starts_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_modalias_a_line() {
        let text = "# box\n\npci:v00008086d1  \nusb:v1 #2\n";
        let machine = MachineHardware::parse("box", text).unwrap();
        assert_eq!(machine.modaliases, ["pci:v00008086d1", "usb:v1 #2"]);
        assert!(MachineHardware::parse("box", "# nothing\n").is_err());
        for other in [
            "[[set]]",
            "name = \"x:y\"",
            "{\"format\": 1}",
            "Name: x",
            "a: b",
            ":x",
        ] {
            let refused = MachineHardware::parse("box", &format!("pci:v1\n{other}\n"));
            let refused = refused.unwrap_err().to_string();
            assert!(
                refused.starts_with("line 2 is no modalias"),
                "{other}: {refused}"
            );
        }
    }

    #[test]
    fn devices_match_aliases_as_in_modprobe() {
        let machine =
            MachineHardware::parse("box", "pci:v00008086d000015B7sv*\nacpi:PNP0C[0]:\n").unwrap();
        for (alias, has) in [
            ("pci:v00008086d*", true),
            ("pci:v00008086d000015B[0-9]s**", true),
            ("pci:v00008086d000015B[!8-9]sv\\*", true),
            ("pci:v00008087d*", false),
            ("usb:v*", false),
            ("p?i:v0000*", true),
            ("acpi*:PNP0C\\[0]:*", true),
            ("pci", false),
        ] {
            assert_eq!(machine.has(alias), has, "{alias}");
        }
    }
}
