//! Turns one tree and two policies into packages, to see that a rule changes the packages it is
//! about and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::{Kernel, differ, modular};

use super::packages::part_of_bookworm;

/// A module loses its hardware, one gets a tag, one goes elsewhere; nothing needs any of them.
const POLICY: &str = r#"
[[module]]
match = "via686a"
hardware = false

[[module]]
match = "k10temp"
provides = ["sensor(k10temp)"]

[[module]]
match = "lm75"
package = "elsewhere"
"#;

#[test]
fn a_rule_changes_its_package_alone() -> Result<()> {
    let (directory, kernel) = part_of_bookworm("kernel/drivers/hwmon")?;
    let file = directory.path().join("policy.toml");
    fs::write(&file, POLICY)?;
    let file = file.display().to_string();
    // Without grouping, each package can be told by its module.
    let plain = modular::policy("per-module");
    let build = |name, policy: &str| build(&kernel, &directory.path().join(name), policy);
    let before = build("before", &plain)?;
    let after = build("after", &format!("{plain} {file}"))?;

    let names = |some: &BTreeMap<String, Shown>| some.keys().cloned().collect::<BTreeSet<_>>();
    let mut expected = names(&before);
    expected.remove("lm75-kmp-amd64");
    expected.insert("elsewhere-kmp-amd64".to_owned());
    differ::sets("packages", &names(&after), &expected)?;
    let differing = before.iter().filter(|(name, shown)| {
        let other = after.get(*name);
        other.is_some_and(|other| format!("{shown:?}") != format!("{other:?}"))
    });
    let differing: BTreeSet<&str> = differing.map(|(name, _)| name.as_str()).collect();
    // The last one requires all others by their names.
    let expected = ["k10temp-kmp-amd64", "kernel-amd64", "via686a-kmp-amd64"];
    differ::sets("changed packages", &differing, &expected.into())?;

    let tags = |some: &BTreeMap<String, Shown>, name: &str, kind: &str| {
        let shown = some.get(name).with_context(|| name.to_owned())?;
        anyhow::Ok(shown.tags.get(kind).cloned().unwrap_or_default())
    };
    let [had, has] = [&before, &after].map(|some| tags(some, "via686a-kmp-amd64", "Supplement"));
    ensure!(had?.len() == 1 && has?.is_empty(), "hardware of via686a");
    let [old, new] = [&before, &after].map(|some| tags(some, "k10temp-kmp-amd64", "Provide"));
    let (old, mut new) = (old?, new?);
    ensure!(new.remove("sensor(k10temp)"), "no sensor()");
    differ::sets("other Provides", &new, &old)?;
    let [from, to] = [
        tags(&before, "lm75-kmp-amd64", "Supplement")?,
        tags(&after, "elsewhere-kmp-amd64", "Supplement")?,
    ];
    differ::sets("hardware of the module that moved", &to, &from)
}

fn build(kernel: &Kernel, top: &Path, policy: &str) -> Result<BTreeMap<String, Shown>> {
    let defines = [("kmp_dialect", "suse"), ("kmp_policy", policy)];
    let built = modular::packages(&Rpm::host()?, kernel, top, &defines)?;
    shown(&built.rpms)?
        .into_values()
        .map(|shown| {
            let name = shown.nvr.rsplitn(3, '-').nth(2).context("no version")?;
            Ok((name.to_owned(), shown))
        })
        .collect()
}
