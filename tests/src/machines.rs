//! Turns the lists in `machines/` into the modaliases of four reference machines.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::directories::project;

/// A machine we have the modaliases of, but not the hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceMachine {
    /// The name of its file in `machines/`, without the ending.
    pub name: &'static str,
    /// What a reader should imagine.
    pub description: &'static str,
    /// Where the list comes from.
    pub origin: Origin,
}

/// Where a list of modaliases comes from; the comments at its top have the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A virtual machine was booted and showed them.
    Booted,
    /// Typical devices, their IDs taken from the public lists.
    Composed,
}

/// All reference machines, the smallest first.
pub const REFERENCE_MACHINES: [ReferenceMachine; 4] = [
    ReferenceMachine {
        name: "virtio-guest",
        description: "virtual machine (QEMU q35, virtio)",
        origin: Origin::Booted,
    },
    ReferenceMachine {
        name: "server",
        description: "two-socket Xeon server, 10 Gbit Ethernet, RAID",
        origin: Origin::Composed,
    },
    ReferenceMachine {
        name: "laptop-intel",
        description: "laptop with Intel graphics",
        origin: Origin::Composed,
    },
    ReferenceMachine {
        name: "laptop-amd",
        description: "laptop with AMD graphics",
        origin: Origin::Composed,
    },
];

impl ReferenceMachine {
    /// The modaliases of all its devices, sorted, each once.
    pub fn modaliases(&self) -> Result<Vec<String>> {
        let path = self.path();
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        parse(&text, &path)
    }

    fn path(&self) -> PathBuf {
        project()
            .join("machines")
            .join(format!("{}.modalias", self.name))
    }
}

/// A line without a bus would match nothing and be missed by nobody, so it is an error. Blanks at
/// the end of a line are part of the modalias.
fn parse(text: &str, path: &Path) -> Result<Vec<String>> {
    let mut modaliases = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bus = line.split_once(':').map(|(bus, _)| bus);
        if !bus.is_some_and(|bus| !bus.is_empty() && !bus.contains(char::is_whitespace)) {
            bail!("{}:{number}: no modalias: {line}", path.display());
        }
        modaliases.push(line.to_owned());
    }
    if modaliases.is_empty() {
        bail!("{}: no modalias in it", path.display());
    }
    modaliases.sort_unstable();
    modaliases.dedup();
    Ok(modaliases)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn comments_and_order_do_not_matter() -> Result<()> {
        let text = "# usb:no\n\nusb:b\npci:a # 1\nusb:b\n";
        assert_eq!(parse(text, Path::new("m"))?, ["pci:a # 1", "usb:b"]);
        Ok(())
    }

    #[test]
    fn a_line_without_bus_names_file_and_line() {
        for (text, reason) in [
            ("# x\nUSB mouse", "m:2: no modalias: USB mouse"),
            (" pci:v", "m:1: no modalias:  pci:v"),
            ("# nothing\n", "m: no modalias in it"),
        ] {
            let error = parse(text, Path::new("m")).unwrap_err();
            assert_eq!(error.to_string(), reason);
        }
    }

    #[test]
    fn every_list_has_a_machine() -> Result<()> {
        let mut lists = BTreeSet::new();
        for entry in fs::read_dir(project().join("machines"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "modalias") {
                lists.insert(path);
            }
        }
        let machines: BTreeSet<PathBuf> = REFERENCE_MACHINES.iter().map(|m| m.path()).collect();
        assert_eq!(lists, machines);
        Ok(())
    }

    /// Ids have the width and case the kernel prints; a pattern of an alias has another.
    #[test]
    fn pci_and_usb_modaliases_have_the_kernels_form() -> Result<()> {
        let pci = "pci:v########d########sv########sd########bc##sc##i##";
        let usb = "usb:v####p####d####dc##dsc##dp##ic##isc##ip##in##";
        for machine in REFERENCE_MACHINES {
            let modaliases = machine.modaliases()?;
            for (bus, form) in [("pci:", pci), ("usb:", usb)] {
                let mut of_bus = modaliases.iter().filter(|m| m.starts_with(bus)).peekable();
                assert!(of_bus.peek().is_some(), "{}: no {bus}", machine.name);
                for modalias in of_bus {
                    assert!(has_form(modalias, form), "{}: {modalias}", machine.name);
                }
            }
        }
        Ok(())
    }

    fn has_form(modalias: &str, form: &str) -> bool {
        let digit = |c: char| c.is_ascii_digit() || ('A'..='F').contains(&c);
        modalias.len() == form.len()
            && modalias
                .chars()
                .zip(form.chars())
                .all(|(c, f)| if f == '#' { digit(c) } else { c == f })
    }
}
