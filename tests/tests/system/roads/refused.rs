//! Turns policies with mistakes, trees that change during the build and specs that forget half of
//! what they need into failed builds, on both roads.

use std::fs;

use anyhow::{Result, ensure};
use kmpkit_tests::modular;
use kmpkit_tests::rpmbuild::Rpm;

use crate::roads::scene::Scene;

const PARTS: [&str; 1] = ["kernel/drivers/usb/common/"];

/// Policies with a mistake, and the line and the words of the complaint.
const MISTAKES: [(&str, &str, usize, &str); 6] = [
    (
        "unknown key",
        "[base]\nmembers = []\nmember = []\n",
        3,
        "unknown field `member`",
    ),
    (
        "unknown table",
        "[[sets]]\nname = 'a'\n",
        1,
        "unknown field `sets`",
    ),
    (
        "wrong type",
        "[naming]\n\nkabi = 'yes'\n",
        3,
        "expected a boolean",
    ),
    (
        "bad glob",
        "[[set]]\nname = 'a'\nmembers = [\n    'kernel/drivers/',\n    'kernel/[a',\n]\n",
        5,
        "kernel/[a",
    ),
    (
        "tie",
        "[[set]]\nname = 'a'\nmembers = ['usb-common']\n[[set]]\nname = 'b'\nmembers = ['usb*']\n",
        3,
        "usb-common",
    ),
    (
        "excluded though needed",
        "[[module]]\nmatch = 'usb-common'\nexclude = true\n",
        1,
        "usb-common",
    ),
];

/// A mistake in a policy ends the build with its file and line.
fn mistakes_are_named(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new(&["kernel/drivers/usb/core/"])?;
    for (number, (what, text, line, reason)) in MISTAKES.iter().enumerate() {
        let policy = scene.file(&format!("mistake-{number}.toml"), text)?;
        let log = scene.refusal(rpm, &[("kmp_policy", &policy)])?;
        for words in [&format!("{policy}:{line}"), *reason] {
            ensure!(log.contains(words), "{what}: no {words:?} in\n{log}");
        }
        ensure!(!log.contains("panicked"), "{what}:\n{log}");
    }
    Ok(())
}

/// Modules that are not those the packages were made for.
fn changes_are_named(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new(&PARTS)?;
    let common = "%{buildroot}%{kmp_modules_dir}/kernel/drivers/usb/common";
    for (script, words) in [
        (
            format!("cp {common}/usb-common.ko {common}/late.ko"),
            [
                "usb/common/late.ko",
                "not in the kernel tree that was split",
            ],
        ),
        (
            format!("rm {common}/usb-common.ko"),
            ["usb/common/usb-common.ko is missing", "lib/modules/"],
        ),
    ] {
        let log = scene.refusal(rpm, &[("kmp_before_split", &script)])?;
        for words in words {
            ensure!(log.contains(words), "{script}: no {words:?} in\n{log}");
        }
    }
    Ok(())
}

#[test]
fn mistakes_with_the_hosts_rpm() -> Result<()> {
    mistakes_are_named(&Rpm::host()?)
}

#[test]
fn changes_with_the_hosts_rpm() -> Result<()> {
    changes_are_named(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn mistakes_with_spec_parts() -> Result<()> {
    mistakes_are_named(&Rpm::suite("trixie")?)?;
    mistakes_are_named(&Rpm::suite("sid")?)
}

#[test]
#[ignore = "test-all"]
fn changes_with_spec_parts() -> Result<()> {
    changes_are_named(&Rpm::suite("trixie")?)?;
    changes_are_named(&Rpm::suite("sid")?)
}

/// An rpm without spec parts has no packages unless the spec has %kmp_subpackages.
#[test]
fn the_subpackages_are_not_forgotten() -> Result<()> {
    let scene = Scene::new(&PARTS)?;
    let whole = fs::read_to_string(modular::example())?;
    let spec = whole.replace("\n%kmp_subpackages\n", "\n");
    ensure!(spec != whole, "the example has no %kmp_subpackages");
    let built = scene.build_spec(&Rpm::host()?, &spec, "top", &[]);
    let Err(error) = built else {
        anyhow::bail!("built without %kmp_subpackages");
    };
    let log = format!("{error:#}");
    let reason = "%kmp_split: this rpm takes no subpackages after the build";
    ensure!(log.contains(reason), "no {reason:?} in\n{log}");
    Ok(())
}
