//! Turns a package of drivers and a kernel image into the tags ours gives it, theirs or its own.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::differ;
use kmpkit_tests::generate;
use kmpkit_tests::query::Shown;
use kmpkit_tests::rpmbuild::Rpm;

use crate::neighbours::package::{DRIVER, FILES, HELPER, HIDDEN, Package, VMLINUX, module, tags};
use crate::neighbours::stand_ins::StandIns;

const DIALECTS: [&str; 2] = ["suse", "redhat"];

/// A generator that a package defines.
struct Own {
    dialect: &'static str,
    /// The generator by its macro, without the underscores.
    slot: &'static str,
    kind: &'static str,
    /// What it runs on.
    files: &'static [&'static str],
    /// Beginnings of the tags of modules that ours no longer prints; those of a kernel image stay.
    gone: &'static [&'static str],
}

const OWN: [Own; 6] = [
    Own {
        dialect: "suse",
        slot: "kmp_requires",
        kind: "Require",
        files: &[DRIVER, VMLINUX, HELPER],
        gone: &["ksym(", "kmod("],
    },
    Own {
        dialect: "suse",
        slot: "kmp_provides",
        kind: "Provide",
        files: &[DRIVER, VMLINUX, HELPER],
        gone: &["ksym(", "kmod("],
    },
    Own {
        dialect: "suse",
        slot: "kmp_supplements",
        kind: "Supplement",
        files: &[DRIVER, VMLINUX, HELPER],
        gone: &["modalias("],
    },
    Own {
        dialect: "redhat",
        slot: "required_ksyms_requires",
        kind: "Require",
        files: &[DRIVER, HIDDEN, HELPER],
        gone: &["kernel(", "ksym(", "kmod("],
    },
    Own {
        dialect: "redhat",
        slot: "provided_ksyms_provides",
        kind: "Provide",
        files: &[DRIVER, HIDDEN, HELPER],
        gone: &["kernel("],
    },
    Own {
        dialect: "redhat",
        slot: "modalias_provides",
        kind: "Provide",
        files: &[DRIVER, HIDDEN, HELPER],
        gone: &["modalias("],
    },
];

/// Tags are what they are without the distributions' attrs, and none of their generators runs.
fn theirs_are_silent(rpm: &Rpm) -> Result<()> {
    let stand_ins = StandIns::new(rpm)?;
    let package = Package::with_kernel()?;
    for dialect in DIALECTS {
        let dialect = [("kmp_dialect", dialect)];
        let beside = package.build(&stand_ins.rpm, "", &dialect)?;
        let calls = stand_ins.calls(&FILES)?;
        ensure!(calls.is_empty(), "{}: {calls:?}", rpm.version()?);
        let alone = package.build(rpm, "", &dialect)?;
        differ::maps(&rpm.version()?, &beside.tags, &alone.tags)?;
    }
    // What would be silenced does speak.
    stand_ins.without_takeover()?;
    let shown = package.build(&stand_ins.rpm, "", &[])?;
    let calls = stand_ins.calls(&FILES)?;
    let called: BTreeSet<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    let wanted = "kabi.provides kernel.provides kernel.requires kernel.supplements kmod.provides \
                  kmp.provides kmp.requires kmp.supplements modalias.provides \
                  provided_ksyms.provides required_ksyms.requires";
    differ::sets("generators", &called, &wanted.split(' ').collect())?;
    ensure!(tags(&shown, "Provide").contains("stand-in(kmod.provides)"));
    Ok(())
}

/// A generator of the package's own runs on what the distribution's would, and takes the place of
/// ours there and nowhere else.
fn own_generators_run(rpm: &Rpm) -> Result<()> {
    let stand_ins = StandIns::new(rpm)?;
    let package = Package::with_kernel()?;
    for own in &OWN {
        let dialect = [("kmp_dialect", own.dialect)];
        let alone = package.build(rpm, "", &dialect)?;
        let command = stand_ins.own();
        let nothing = "%{nil}".to_owned();
        let in_process = "%{lua: print('stand-in(own)\\\\n')}".to_owned();
        for (directive, parameters, body, calls, tag) in [
            ("%define", "", &command, true, true),
            ("%global", "", &command, true, true),
            ("%define", "", &nothing, false, false),
            ("%define", "()", &in_process, false, true),
        ] {
            let line = format!("{directive} __{}{parameters} {body}", own.slot);
            let what = format!("{} with {line}", rpm.version()?);
            let shown = package.build(&stand_ins.rpm, &line, &dialect)?;
            let called = stand_ins.calls(&FILES)?;
            let wanted: BTreeSet<&str> = own.files.iter().copied().filter(|_| calls).collect();
            let found = called.iter().map(|(_, file)| *file).collect();
            differ::sets(&what, &found, &wanted)?;
            ensure!(
                called.len() == wanted.len() && called.iter().all(|(name, _)| name == "own"),
                "{what}: {called:?}"
            );
            let mut tags = own.left(&alone)?;
            tags.retain(|_, tags| !tags.is_empty());
            if tag {
                let kind = tags.entry(own.kind.to_owned()).or_default();
                kind.insert("stand-in(own)".to_owned());
            }
            let kinds: BTreeSet<&String> = shown.tags.keys().chain(tags.keys()).collect();
            for kind in kinds {
                let wanted = tags.get(kind).cloned().unwrap_or_default();
                differ::sets(
                    &what,
                    &crate::neighbours::package::tags(&shown, kind),
                    &wanted,
                )?;
            }
        }
        // As scripts of vendors do it.
        let command = stand_ins.own();
        let slot = format!("__{}", own.slot);
        let defines = [("kmp_dialect", own.dialect), (&slot, command.as_str())];
        let shown = package.build(&stand_ins.rpm, "", &defines)?;
        ensure!(tags(&shown, own.kind).contains("stand-in(own)"), "{slot}");
        ensure!(stand_ins.calls(&FILES)?.len() == own.files.len(), "{slot}");
    }
    Ok(())
}

impl Own {
    /// The tags of the package without those that ours leaves to the package's generator.
    fn left(&self, alone: &Shown) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut tags = alone.tags.clone();
        let kind = tags.get_mut(self.kind).context("nothing of that type")?;
        let of_modules = self.of_modules()?;
        let before = kind.len();
        kind.retain(|tag| {
            !(self.gone.iter().any(|start| tag.starts_with(start)) && of_modules.contains(tag))
        });
        ensure!(kind.len() < before, "{} takes nothing away", self.slot);
        Ok(tags)
    }

    /// What our generators say of both modules where the package's own takes their place.
    fn of_modules(&self) -> Result<BTreeSet<String>> {
        let modules = [module("xhci-pci")?, module("usb-common")?];
        let mut all = BTreeSet::new();
        let generators: &[&str] = match self.slot.rsplit('_').next() {
            Some("requires") => &["ksym-requires", "depmod-requires"],
            _ if self.gone.contains(&"modalias(") => &["modalias-supplements"],
            _ => &["ksym-provides"],
        };
        for generator in generators {
            let dialect = ["--dialect", self.dialect];
            for tags in generate::tags(generator, &dialect, &modules)?.into_values() {
                all.extend(tags);
            }
        }
        Ok(all)
    }
}

#[test]
fn theirs_are_silent_with_the_hosts_rpm() -> Result<()> {
    theirs_are_silent(&Rpm::host()?)
}

#[test]
fn own_generators_run_with_the_hosts_rpm() -> Result<()> {
    own_generators_run(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn with_rpm_4_20() -> Result<()> {
    let rpm = Rpm::suite("trixie")?;
    theirs_are_silent(&rpm)?;
    own_generators_run(&rpm)
}

#[test]
#[ignore = "test-all"]
fn with_rpm_6_1() -> Result<()> {
    let rpm = Rpm::suite("sid")?;
    theirs_are_silent(&rpm)?;
    own_generators_run(&rpm)
}
