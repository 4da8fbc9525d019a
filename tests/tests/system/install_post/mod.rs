//! Turns a kernel whose spec has the macros for the steps before `%kmp_split` into one debuginfo
//! package for all modules, and modules that no other step has seen, without a process for each.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::{find, need, run, tool};
use kmpkit_tests::{Kernel, cache_dir, differ, modular};

const PARTS: [&str; 3] = [
    "kernel/drivers/usb/common",
    "kernel/drivers/usb/serial",
    "kernel/fs/nls",
];

/// What the steps of a distribution would do to each file they find.
const STEP: &str = "find %{buildroot} -name '*.ko*' ! -path '*/usr/lib/debug/*' -print >> %{seen}; \
                    find %{buildroot} -name '*.ko' -exec truncate -s 0 {} +";

/// strip that records each start.
const STRIP: &str = "#!/bin/sh\necho start >> \"${0%/*}/strips\"\nexec STRIP \"$@\"\n";

/// A section of one module that only debuggers read.
const SECTION: &str = ".debug_marker";

fn spec() -> Result<String> {
    let text = fs::read_to_string(modular::example())?;
    let own = "%define __os_install_post %{?kernel_debuginfo:%kmp_debuginfo} %{?kmp_before_split} %kmp_split";
    ensure!(text.contains(own), "the example has other steps");
    let steps = [
        "%define __spec_install_post",
        "%{kmp_debuginfo}",
        "%{kmp_modules_away}",
        STEP,
        "%{kmp_modules_back}",
        "%{kmp_split}",
        "%{nil}",
    ];
    Ok(text.replace(own, &steps.join(" \\\n")))
}

fn sections(package: &Path, path: &str, scratch: &Path) -> Result<String> {
    let unpack = "rpm2cpio \"$1\" | cpio -i --quiet --to-stdout \".$2\" > \"$3\"";
    let file = scratch.join("unpacked");
    run(tool("sh")?
        .args(["-c", unpack, "sh"])
        .arg(package)
        .arg(path)
        .arg(&file))?;
    run(tool("readelf")?.args(["-S", "-W"]).arg(&file))
}

fn modules(shown: &Shown) -> impl Iterator<Item = String> {
    let paths = shown.files.keys().map(String::as_str);
    paths
        .filter(|path| path.ends_with(".ko"))
        .map(str::to_owned)
}

fn one_debuginfo_package_and_nothing_else_touches_modules(rpm: &Rpm) -> Result<()> {
    need(&["cpio", "objcopy", "readelf", "rpm2cpio", "strip", "tar"])?;
    let directory = tempfile::tempdir()?;
    let whole = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let kernel = modular::part(&whole, &directory.path().join("tree"), &PARTS)?;
    let all = kernel.modules()?;
    let marked = all
        .iter()
        .find(|path| path.ends_with("usb-common.ko"))
        .context("no usb-common.ko")?;
    let note = directory.path().join("note");
    fs::write(&note, "for debuggers")?;
    run(tool("objcopy")?
        .arg("--add-section")
        .arg(format!("{SECTION}={}", note.display()))
        .arg(marked))?;

    let strip = directory.path().join("strip");
    let real = find("strip").context("no strip")?.display().to_string();
    fs::write(&strip, STRIP.replace("STRIP", &real))?;
    fs::set_permissions(&strip, fs::Permissions::from_mode(0o755))?;
    let spec_file = directory.path().join("kernel.spec");
    fs::write(&spec_file, spec()?)?;
    let seen = directory.path().join("seen");
    let text = |path: &Path| path.display().to_string();
    let top = directory.path().join("top");
    let defines = [
        ("kernel_tree", text(&kernel.root)),
        ("_binary_payload", "w1.zstdio".to_owned()),
        ("kernel_debuginfo", "1".to_owned()),
        // As Fedora has it: a debuginfo package for each.
        ("_debuginfo_subpackages", "1".to_owned()),
        // What the host's rpm2cpio unpacks.
        ("_rpmformat", "4".to_owned()),
        ("__strip", text(&strip)),
        ("seen", text(&seen)),
    ];
    let defines: Vec<(&str, &str)> = defines.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let built = rpm.build(&spec_file, &top, &defines, &[&kernel.root])?;

    ensure!(
        fs::read_to_string(&seen)?.is_empty(),
        "modules were not away"
    );
    let starts = fs::read_to_string(directory.path().join("strips"))?;
    let starts = starts.lines().count();
    ensure!(
        starts >= 2 && starts * 10 < all.len(),
        "{starts} starts of strip for {} modules",
        all.len()
    );

    let shown = shown(&built.rpms)?;
    let debug = |shown: &Shown| shown.name().ends_with("-debuginfo");
    let (with, others): (Vec<_>, Vec<_>) = shown.iter().partition(|(_, shown)| debug(shown));
    let [(debug_rpm, debug)] = with.as_slice() else {
        anyhow::bail!("{} debuginfo packages", with.len());
    };
    let packaged: BTreeSet<String> = others.iter().flat_map(|(_, s)| modules(s)).collect();
    ensure!(
        packaged.len() == all.len(),
        "{} modules of {}",
        packaged.len(),
        all.len()
    );
    let wanted = packaged
        .iter()
        .map(|path| format!("/usr/lib/debug{path}.debug"));
    let found = debug
        .files
        .keys()
        .filter(|path| path.ends_with(".ko.debug"));
    differ::sets("debuginfo", &found.cloned().collect(), &wanted.collect())?;
    let ids = debug.tags.get("Provide").context("no Provides")?;
    let ids = ids
        .iter()
        .filter(|tag| tag.starts_with("debuginfo(build-id)"));
    ensure!(ids.count() == all.len(), "not every build-id is provided");
    for (_, shown) in &others {
        let stray = shown
            .files
            .keys()
            .find(|path| path.contains("/.build-id") || path.starts_with("/usr/lib/debug"));
        ensure!(stray.is_none(), "{}: {stray:?}", shown.nvr);
    }

    let path = packaged
        .iter()
        .find(|path| path.ends_with("usb-common.ko"))
        .context("not packaged")?;
    let (rpm, _) = others
        .iter()
        .find(|(_, shown)| shown.files.contains_key(path))
        .context("in no package")?;
    let module = sections(rpm, path, directory.path())?;
    ensure!(
        !module.contains(SECTION) && module.contains(".modinfo") && module.contains("build-id"),
        "{module}"
    );
    let debug_path = format!("/usr/lib/debug{path}.debug");
    let debug = sections(debug_rpm, &debug_path, directory.path())?;
    ensure!(
        debug.contains(SECTION) && debug.contains("build-id"),
        "{debug}"
    );
    Ok(())
}

#[test]
fn with_the_hosts_rpm() -> Result<()> {
    one_debuginfo_package_and_nothing_else_touches_modules(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn with_other_rpms() -> Result<()> {
    one_debuginfo_package_and_nothing_else_touches_modules(&Rpm::suite("trixie")?)?;
    one_debuginfo_package_and_nothing_else_touches_modules(&Rpm::suite("sid")?)
}
