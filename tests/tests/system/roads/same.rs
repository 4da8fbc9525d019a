//! Turns a tree, policies and scripts that change the modules before they are split into builds by
//! every rpm, and compares them: first with the plan, then with each other.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::differ;
use kmpkit_tests::plan::Plan;
use kmpkit_tests::query::Shown;
use kmpkit_tests::rpmbuild::Rpm;

use crate::roads::scene::{Scene, packages};

/// Some two hundred modules with all that can be in a module: aliases, exports, softdeps.
const PARTS: [&str; 5] = [
    "kernel/drivers/usb/storage/",
    "kernel/drivers/usb/serial/",
    "kernel/drivers/hwmon/",
    "kernel/fs/nls/",
    "kernel/net/netfilter/ipset/",
];

/// A policy with every kind of rule for them.
const POLICY: &str = include_str!("policy.toml");

/// Modules that policy excludes.
const EXCLUDED: [&str; 2] = ["opticon", "whiteheat"];

/// Tags that policy adds to modules, as rpm shows them, each with the module it is for.
const ADDED: [(&str, &str, &str); 12] = [
    ("adm1025", "Provide", "sensor(adm1025) = 1.0-1"),
    ("adm1025", "Provide", "kmod-initrd(adm1025.ko)"),
    ("adm1026", "Require", "sensor-tools >= 3"),
    ("adm1029", "Recommend", "(sensor-tools if desktop)"),
    ("adm1029", "Suggest", "sensor-gui"),
    ("adm1031", "Supplement", "modalias(acpi*:ADM1031:*)"),
    ("adm9240", "Enhance", "sensor-tools"),
    ("coretemp", "Conflict", "old-coretemp"),
    ("f71805f", "Obsolete", "f71805f-driver < 2"),
    ("k10temp", "Order", "sensor-tools"),
    ("usb-storage", "Require", "usb-storage-tools"),
    ("usb-storage", "Provide", "kmod-initrd(usb_storage.ko)"),
];

/// SHA-256 of the list of modules for the initrd: adm1025 and usb-storage, a line each.
const FOR_INITRD: &str = "36320e543e382d6f06ef9b2d0e056ea2c179ffa575655cf4997ec4ba51ad0c81";

/// What a script does to the modules in the buildroot before %kmp_split.
const VARIANTS: [(&str, &[&str]); 4] = [
    ("plain", &[]),
    ("compressed", &[COMPRESS]),
    ("signed", &[SIGN]),
    ("signed and compressed", &[SIGN, COMPRESS]),
];

const COMPRESS: &str = "xz --check=crc32 --lzma2=dict=1MiB --threads=1 \"$@\"\n";

/// As the kernel's scripts/sign-file: a PKCS#7 message, struct module_signature with its length as
/// the last big-endian word, and the magic.
const SIGN: &str = r#"for module; do
	{
		printf '\060\200\006\011*\206H\206\367\015\001\007\002\240\200\002\001\001\060\000\000\000'
		printf '\000\000\002\000\000\000\000\000\000\000\000\026'
		echo '~Module signature appended~'
	} >> "$module"
done
"#;

/// The packages are the plan's, where rpm takes them while it parses the spec.
#[test]
fn parse_time_packages_are_those_of_the_plan() -> Result<()> {
    let scene = Scene::new(&PARTS)?;
    let policy = scene.file("policy.toml", POLICY)?;
    let built = scene.build(&Rpm::host()?, "top", &[("kmp_policy", &policy)])?;
    let all = packages(&built)?;
    as_planned(&scene, &policy, &all)?;
    as_overridden(&all)
}

/// Each rpm, each policy, modules as they were, compressed and signed.
#[test]
#[ignore = "test-all"]
fn every_rpm_builds_the_same_packages() -> Result<()> {
    let scene = Scene::new(&PARTS)?;
    let policy = scene.file("policy.toml", POLICY)?;
    let rpms = [Rpm::host()?, Rpm::suite("trixie")?, Rpm::suite("sid")?];
    for policy in [None, Some(policy.as_str())] {
        let mut plain: Option<Vec<Shown>> = None;
        for (variant, script) in VARIANTS {
            let script = scene.file("before-split", &script.concat())?;
            let modules = "find %{buildroot} -name '*.ko' -exec";
            let hook = format!("{modules} sh -e {script} {{}} +");
            let mut defines = vec![("kmp_before_split", hook.as_str())];
            defines.extend(policy.map(|policy| ("kmp_policy", policy)));
            let mut first: Option<Vec<Shown>> = None;
            for rpm in &rpms {
                let what = format!("{variant}, {}", rpm.version()?);
                let built = scene.build(rpm, "top", &defines)?;
                let all = packages(&built)?;
                println!("{what}: {} packages", all.len());
                match &first {
                    None => first = Some(all),
                    Some(first) => same(&what, &all, first)?,
                }
                std::fs::remove_dir_all(scene.path("top"))?;
            }
            let first = first.context("no rpm")?;
            if let Some(policy) = policy {
                as_planned(&scene, policy, &first)?;
                as_overridden(&first)?;
            }
            match &plain {
                None => plain = Some(first),
                Some(plain) => same_but_for_modules(variant, &first, plain)?,
            }
        }
    }
    Ok(())
}

/// Packages, their modules and what patterns require, as the plan has them; the image has what is
/// in no package, but for what is excluded.
fn as_planned(scene: &Scene, policy: &str, all: &[Shown]) -> Result<()> {
    let plan = Plan::of(&scene.kernel.root, &["--policy", policy])?;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for shown in all {
        for path in shown.files.keys().filter_map(|path| plain_path(path)) {
            let modules = found.entry(shown.name().to_owned()).or_default();
            modules.insert(path.to_owned());
        }
    }
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for module in scene.kernel.modules()? {
        let path = module.display().to_string();
        let path = plain_path(&path).context("no module")?;
        if EXCLUDED.iter().any(|name| named(path, name)) {
            continue;
        }
        let package = match plan.stems.get(path) {
            Some(stem) => plan.names.get(stem).context("no name")?,
            None => "kernel-amd64-image",
        };
        let modules = wanted.entry(package.to_owned()).or_default();
        modules.insert(path.to_owned());
    }
    differ::maps("packages and the plan", &found, &wanted)?;
    ensure!(wanted.len() > 5, "only {} packages", wanted.len());
    let patterns = all
        .iter()
        .filter(|shown| plan.patterns.contains_key(shown.name()));
    let patterns = patterns.map(|shown| (shown.name().to_owned(), required(shown)));
    differ::maps("patterns", &patterns.collect(), &plan.patterns)
}

/// Names of the packages that a pattern requires beside the image.
fn required(shown: &Shown) -> BTreeSet<String> {
    let requires = shown.tags.get("Require").into_iter().flatten();
    let names = requires.filter_map(|tag| tag.trim_start_matches('(').split(' ').next());
    names
        .filter(|name| *name != "kernel-amd64-image")
        .map(str::to_owned)
        .collect()
}

fn as_overridden(all: &[Shown]) -> Result<()> {
    let package = |module: &str| {
        let has = |shown: &&Shown| {
            shown
                .files
                .keys()
                .filter_map(|path| plain_path(path))
                .any(|path| named(path, module))
        };
        all.iter()
            .find(has)
            .with_context(|| format!("{module} is in no package"))
    };
    for (module, kind, tag) in ADDED {
        let shown = package(module)?;
        let tags = shown.tags.get(kind).into_iter().flatten();
        let times = tags.filter(|found| *found == tag).count();
        ensure!(
            times == 1,
            "{} for {module}: {kind} {tag} is not there",
            shown.name()
        );
    }
    let lists = all.iter().flat_map(|shown| &shown.files);
    let lists: Vec<_> = lists
        .filter(|(path, _)| path.ends_with("/kmpkit-initrd.list"))
        .map(|(_, digest)| digest.as_str())
        .collect();
    ensure!(lists == [FOR_INITRD], "{lists:?} for the initrd");
    for module in EXCLUDED {
        ensure!(
            package(module).is_err(),
            "{module} is excluded, and in a package"
        );
    }
    let sensors = package("coretemp")?;
    ensure!(
        sensors
            .text
            .starts_with("Sensors of mainboards\nTemperatures, voltages and fans.\n\nOf most"),
        "{}",
        sensors.text
    );
    let supplements = sensors
        .tags
        .get("Supplement")
        .context("no hardware at all")?;
    let own = |tag: &&String| tag.contains("i2c:adm1031") || tag.contains("i2c:adm103[");
    let device = supplements.iter().find(own);
    ensure!(device.is_none(), "hardware = false, and yet {device:?}");
    for (module, end) in [
        ("pl2303", "-extra-kmp-amd64"),
        ("adm9240", "sensors-kmp-amd64"),
        ("f71805f", "super-io-kmp-amd64"),
    ] {
        let name = package(module)?.name();
        ensure!(
            name.ends_with(end),
            "{module} is in {name}, not in one that ends in {end}"
        );
    }
    Ok(())
}

/// The same packages with the same of everything.
pub(super) fn same(what: &str, ours: &[Shown], first: &[Shown]) -> Result<()> {
    compare(what, ours, first, |shown| shown.facts())
}

/// The same but for the files of modules, all of which are others.
fn same_but_for_modules(variant: &str, ours: &[Shown], plain: &[Shown]) -> Result<()> {
    let facts = |shown: &Shown| {
        let facts = shown.facts().into_iter();
        facts
            .map(|fact| match (fact.starts_with('/'), plain_path(&fact)) {
                (true, Some(path)) => path.to_owned(),
                _ => fact,
            })
            .collect()
    };
    compare(variant, ours, plain, facts)?;
    let digests = |all: &[Shown]| -> BTreeSet<String> {
        let files = all.iter().flat_map(|shown| &shown.files);
        let modules = files.filter(|(path, _)| plain_path(path).is_some());
        modules.map(|(_, digest)| digest.clone()).collect()
    };
    let unchanged = digests(ours).intersection(&digests(plain)).count();
    ensure!(
        unchanged == 0,
        "{variant}: {unchanged} modules as they were"
    );
    Ok(())
}

fn compare(
    what: &str,
    ours: &[Shown],
    theirs: &[Shown],
    facts: impl Fn(&Shown) -> BTreeSet<String>,
) -> Result<()> {
    let names = |all: &[Shown]| all.iter().map(|shown| shown.name().to_owned()).collect();
    differ::sets(&format!("{what}: packages"), &names(ours), &names(theirs))?;
    for (ours, theirs) in ours.iter().zip(theirs) {
        differ::sets(
            &format!("{what}: {}", ours.nvr),
            &facts(ours),
            &facts(theirs),
        )?;
    }
    Ok(())
}

/// The path of a module below the release directory, up to `.ko`.
fn plain_path(path: &str) -> Option<&str> {
    let (_, below) = path.split_once("/lib/modules/")?;
    let (_, path) = below.split_once('/')?;
    let (path, rest) = path.rsplit_once(".ko")?;
    (rest.is_empty() || rest.starts_with(['.', ' '])).then_some(path)
}

fn named(path: &str, module: &str) -> bool {
    path.rsplit('/').next() == Some(module)
}
