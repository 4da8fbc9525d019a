//! Turns the built packages of whole kernels into the question whether rpm shows what the
//! generators say, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::generate::{Tags, tags};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::query::{Shown, digests, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::{Kernel, cache_dir, differ, modular, worlds};

/// Generators by the dependency type rpm shows.
const GENERATORS: [(&str, &str, &[&str]); 6] = [
    ("Provide", "ksym-provides", &[]),
    ("Require", "ksym-requires", &[]),
    ("Require", "depmod-requires", &[]),
    ("Recommend", "depmod-requires", &["--recommends"]),
    ("Suggest", "depmod-requires", &["--suggests"]),
    ("Supplement", "modalias-supplements", &[]),
];

#[test]
fn every_package_of_bookworm() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    check(&kernel, &worlds::bookworm_top()?)
}

/// Compressed modules in usr/lib.
#[test]
#[ignore = "test-all"]
fn every_package_of_trixie() -> Result<()> {
    build_and_check("trixie")
}

/// A kernel without modversions: its modules require exactly their kernel.
#[test]
#[ignore = "test-all"]
fn every_package_of_sid() -> Result<()> {
    build_and_check("sid")
}

fn build_and_check(suite: &str) -> Result<()> {
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let top = tempfile::tempdir()?;
    modular::packages(&Rpm::host()?, &kernel, top.path(), &[])?;
    check(&kernel, top.path())
}

/// Built by rpm 4.20 and 6.1, from part of the kernel.
#[test]
#[ignore = "test-all"]
fn every_package_of_other_rpms() -> Result<()> {
    let (directory, part) = part_of_bookworm("kernel/drivers/hwmon")?;
    let expected = Expected::read(&part)?;
    for suite in ["trixie", "sid"] {
        let top = directory.path().join(suite);
        modular::packages(&Rpm::suite(suite)?, &part, &top, &[])?;
        for (rpm, shown) in shown(&rpms(&top)?)? {
            expected
                .check(&shown)
                .with_context(|| format!("{suite}: {}", rpm.display()))?;
        }
    }
    Ok(())
}

fn part_of_bookworm(path: &str) -> Result<(tempfile::TempDir, Kernel)> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let part = modular::part(&kernel, &directory.path().join("tree"), &[path])?;
    Ok((directory, part))
}

fn check(kernel: &Kernel, top: &Path) -> Result<()> {
    let rpms = rpms(top)?;
    let modules = kernel.modules()?.len();
    ensure!(
        rpms.len() == modules + 1,
        "{} packages of {modules} modules",
        rpms.len()
    );
    let expected = Expected::read(kernel)?;
    let all = shown(&rpms)?;
    let mut packaged = BTreeSet::new();
    for (rpm, shown) in &all {
        expected
            .check(shown)
            .with_context(|| rpm.display().to_string())?;
        let modules = shown.files.keys();
        packaged.extend(modules.filter(|path| expected.digests.contains_key(*path)));
    }
    ensure!(
        packaged.len() == modules,
        "{} modules in packages",
        packaged.len()
    );
    closed(all.values())
}

fn rpms(top: &Path) -> Result<Vec<PathBuf>> {
    let mut rpms = Vec::new();
    walk(&top.join("RPMS"), &mut rpms)?;
    rpms.retain(|path| path.extension().is_some_and(|end| end == "rpm"));
    rpms.sort();
    Ok(rpms)
}

/// What the generators and the source tree say of each installed path.
struct Expected {
    tags: Vec<(&'static str, BTreeMap<String, BTreeSet<String>>)>,
    digests: BTreeMap<String, String>,
    flavor: String,
    modversions: bool,
}

impl Expected {
    fn read(kernel: &Kernel) -> Result<Self> {
        let (_, flavor) = kernel.release.rsplit_once('-').context("no flavor")?;
        let kabi = kernel.release.replace('-', "_");
        let mut files = kernel.modules()?;
        let digests = digests(&files)?;
        files.push(kernel.vmlinuz.clone());
        let installed = |path: &Path| -> Result<String> {
            let path = path.strip_prefix(&kernel.root)?;
            Ok(Path::new("/").join(path).display().to_string())
        };
        let by_path = |tags: Tags| -> Result<BTreeMap<String, BTreeSet<String>>> {
            tags.into_iter()
                .map(|(path, tags)| Ok((installed(&path)?, tags)))
                .collect()
        };
        let mut all = Vec::new();
        for (kind, generator, options) in GENERATORS {
            let options = [&["--kabi", &kabi], options].concat();
            all.push((kind, by_path(tags(generator, &options, &files)?)?));
        }
        let digests = digests
            .into_iter()
            .map(|(path, digest)| Ok((installed(&path)?, digest)))
            .collect::<Result<_>>()?;
        let symvers = kernel.symvers.as_ref().context("no symvers")?;
        let symvers = fs::read_to_string(symvers)?;
        Ok(Self {
            tags: all,
            digests,
            flavor: flavor.to_owned(),
            modversions: symvers.lines().any(|line| !line.starts_with("0x00000000")),
        })
    }

    /// Exactly the generators' tags and the package's own; each module as it was; nothing that
    /// runs; no changelog; no requirement on a kernel version.
    fn check(&self, shown: &Shown) -> Result<()> {
        for kind in [
            "Provide",
            "Require",
            "Recommend",
            "Suggest",
            "Supplement",
            "Enhance",
        ] {
            let mut wanted = self.own(kind, shown)?;
            for (_, by_path) in self.tags.iter().filter(|(of, _)| *of == kind) {
                let tags = shown.files.keys().filter_map(|path| by_path.get(path));
                wanted.extend(tags.flatten().cloned());
            }
            let found = shown.tags.get(kind).cloned().unwrap_or_default();
            differ::sets(&format!("{kind}s"), &found, &wanted)?;
        }
        for (path, digest) in &shown.files {
            let source = self.digests.get(path);
            ensure!(
                source.is_none_or(|source| source == digest),
                "{path} is not as it was"
            );
        }
        ensure!(shown.scripts.is_empty(), "scriptlets: {:?}", shown.scripts);
        ensure!(
            shown.changelog == 0,
            "{} changelog entries",
            shown.changelog
        );
        let requires = shown.tags.get("Require").into_iter().flatten();
        let on_kernel = requires.filter(|tag| tag.starts_with("kernel-")).count();
        ensure!(
            on_kernel == 0 || !self.modversions,
            "requires a kernel version"
        );
        Ok(())
    }

    /// Tags a package has for its name.
    fn own(&self, kind: &str, shown: &Shown) -> Result<BTreeSet<String>> {
        let dashes: Vec<usize> = shown.nvr.rmatch_indices('-').map(|(at, _)| at).collect();
        let (name, evr) = shown.nvr.split_at(*dashes.get(1).context("no version")?);
        let evr = evr.trim_start_matches('-');
        let stem = name.strip_suffix(&format!("-kmp-{}", self.flavor));
        Ok(match (kind, stem) {
            ("Provide", stem) => BTreeSet::from([
                format!("{name} = {evr}"),
                format!("{name}(x86-64) = {evr}"),
                "multiversion(kernel)".to_owned(),
                stem.map_or_else(
                    || "installonlypkg(kernel)".to_owned(),
                    |stem| format!("{stem}-kmp = {evr}"),
                ),
            ]),
            ("Enhance", Some(_)) => BTreeSet::from([format!("kernel-{}", self.flavor)]),
            _ => BTreeSet::new(),
        })
    }
}

/// Every kmod() and ksym() that is required is provided, in the same version.
fn closed<'s>(all: impl Iterator<Item = &'s Shown> + Clone) -> Result<()> {
    let tags = |kind: &'static str| -> BTreeSet<&String> {
        let tags = all
            .clone()
            .filter_map(move |shown| shown.tags.get(kind))
            .flatten();
        tags.filter(|tag| tag.starts_with("kmod(") || tag.starts_with("ksym("))
            .collect()
    };
    let (provided, required) = (tags("Provide"), tags("Require"));
    let missing: Vec<_> = required.difference(&provided).take(5).collect();
    ensure!(missing.is_empty(), "required and not provided: {missing:?}");
    Ok(())
}

/// A source with a long changelog: no package carries it, and the image has it as a file.
#[test]
fn the_changelog_is_in_the_image_alone() -> Result<()> {
    const ENTRIES: usize = 1000;
    let (directory, part) = part_of_bookworm("kernel/drivers/usb/common")?;
    let mut spec = fs::read_to_string(modular::example())?
        .trim_end()
        .to_owned();
    ensure!(spec.ends_with("%changelog"), "the example ends in {spec:?}");
    for entry in (0..ENTRIES).rev() {
        spec += &format!(
            "\n* Mon Nov 23 2026 A Packager <a@example.org> - {entry}\n- 100%% of change {entry}\n"
        );
    }
    let file = directory.path().join("kernel.spec");
    fs::write(&file, spec)?;
    let tree = part.root.display().to_string();
    let top = directory.path().join("top");
    let built = Rpm::host()?.build(&file, &top, &[("kernel_tree", &tree)], &[])?;
    let all = shown(&built.rpms)?;
    ensure!(all.len() > 1, "{}", built.log);
    let mut files = Vec::new();
    for (rpm, shown) in &all {
        ensure!(
            shown.changelog == 0,
            "{}: {} entries",
            shown.nvr,
            shown.changelog
        );
        let found = shown.files.keys().find(|path| path.ends_with("/changelog"));
        files.extend(found.map(|path| (rpm, path)));
    }
    let [(rpm, path)] = files[..] else {
        anyhow::bail!("changelogs in {files:?}");
    };
    ensure!(
        rpm.display().to_string().contains("-image-"),
        "{}",
        rpm.display()
    );
    let unpack = "rpm2cpio \"$1\" | cpio --quiet -i --to-stdout \"*$2\"";
    let text = run(tool("sh")?.args(["-c", unpack, "sh"]).arg(rpm).arg(path))?;
    let entries = text
        .lines()
        .filter(|line| line.starts_with("* Mon"))
        .count();
    ensure!(entries == ENTRIES, "{entries} entries in {path}");
    ensure!(
        text.contains("- 100% of change 0\n"),
        "macros are left in {path}"
    );
    Ok(())
}

/// What a module says of itself stays text, whatever it says.
#[test]
fn a_description_runs_nothing() -> Result<()> {
    let (directory, part) = part_of_bookworm("kernel/drivers/usb/common")?;
    let module = part
        .modules()?
        .into_iter()
        .find(|path| path.ends_with("usb-common.ko"));
    let module = module.context("usb-common.ko")?;
    let proof = directory.path().join("proof");
    let touch = format!("touch {}", proof.display());
    let hostile = format!(
        "description=%({touch}) %{{lua:os.execute('{touch}')}}\n%prep\n{touch}\n%post\n{touch}\n\
         %{{!?x:%({touch})}}\0"
    );
    let modinfo = directory.path().join("modinfo");
    run(tool("objcopy")?
        .args(["-O", "binary", "--only-section=.modinfo"])
        .args(["--set-section-flags", ".modinfo=alloc"])
        .arg(&module)
        .arg(&modinfo))?;
    let fields = String::from_utf8(fs::read(&modinfo)?)?;
    fs::write(&modinfo, format!("{hostile}{fields}"))?;
    run(tool("objcopy")?
        .arg("--update-section")
        .arg(format!(".modinfo={}", modinfo.display()))
        .arg(&module))?;
    let top = directory.path().join("top");
    let built = modular::packages(&Rpm::host()?, &part, &top, &[])?;
    ensure!(
        !proof.exists(),
        "a description was executed:\n{}",
        built.log
    );
    let all = shown(&built.rpms)?;
    let shown = all
        .values()
        .find(|shown| shown.nvr.starts_with("usb-common-kmp"));
    let shown = shown.context("no package")?;
    ensure!(shown.scripts.is_empty(), "{:?}", shown.scripts);
    ensure!(
        shown.text.contains(&touch),
        "the description is lost: {}",
        shown.text
    );
    Ok(())
}

/// Tags kept beside the build are used only for the files and options they were made from.
#[test]
fn stale_tags_are_not_used() -> Result<()> {
    let (directory, part) = part_of_bookworm("kernel/drivers/usb/common")?;
    let expected = Expected::read(&part)?;
    let tree = part.root.display().to_string();
    let spec = fs::read_to_string(modular::example())?;
    let state = "%{__kmpkit_state}";
    for (name, meddle) in [
        (
            "a list is lost",
            format!("rm {state}/__ksym_requires_requires"),
        ),
        (
            "files changed",
            format!(
                "sed -i 's/^ksym/x/' {state}/__*; find %{{buildroot}} -type f -exec touch {{}} +"
            ),
        ),
        (
            "options changed",
            format!("sed -i 's/^ksym/x/' {state}/__*; sed -i '1s/suse/redhat/' {state}/stamps"),
        ),
    ] {
        let file = directory.path().join("kernel.spec");
        let install = format!("\n%kmp_install\n{meddle}\n");
        fs::write(&file, spec.replace("\n%kmp_install\n", &install))?;
        let top = directory.path().join("top");
        let built = Rpm::host()?.build(&file, &top, &[("kernel_tree", &tree)], &[])?;
        for (rpm, shown) in shown(&built.rpms)? {
            expected
                .check(&shown)
                .with_context(|| format!("{name}: {}", rpm.display()))?;
        }
        fs::remove_dir_all(&top)?;
    }
    Ok(())
}

/// The image beside the modules with links to it in boot/, compressed symvers, files that are no
/// modules in a directory of their own, links, and what depmod once wrote.
#[test]
fn a_merged_layout_is_packaged_once() -> Result<()> {
    let (directory, part) = part_of_bookworm("kernel/drivers/usb/common")?;
    let modules = &part.modules_dir;
    for (from, name) in [
        (&part.vmlinuz, "vmlinuz"),
        (&part.system_map, "System.map"),
        (&part.config, "config"),
        (part.symvers.as_ref().context("no symvers")?, "symvers"),
    ] {
        fs::rename(from, modules.join(name))?;
        std::os::unix::fs::symlink(modules.join(name), from)?;
    }
    run(tool("gzip")?.arg(modules.join("symvers")))?;
    fs::create_dir(modules.join("vdso"))?;
    fs::write(modules.join("vdso/vdso64.so"), "no module")?;
    std::os::unix::fs::symlink("vdso64.so", modules.join("vdso/vdso.so"))?;
    std::os::unix::fs::symlink(
        "usb-common.ko",
        modules.join("kernel/drivers/usb/common/link.ko"),
    )?;
    fs::write(modules.join("modules.dep"), "")?;
    let built = modular::packages(&Rpm::host()?, &part, &directory.path().join("top"), &[])?;
    let all = shown(&built.rpms)?;
    let image = all.values().find(|shown| shown.nvr.contains("-image-"));
    let image = image.context("no image package")?;
    let below = format!("/lib/modules/{}", part.release);
    let files: BTreeSet<String> = image
        .files
        .keys()
        .map(|path| path.replace(&below, "."))
        .collect();
    let wanted = [
        ".",
        "./System.map",
        "./config",
        "./modules.builtin",
        "./modules.builtin.modinfo",
        "./modules.order",
        "./symvers.gz",
        "./vdso",
        "./vdso/vdso.so",
        "./vdso/vdso64.so",
        "./vmlinuz",
    ];
    differ::sets("the image", &files, &wanted.map(str::to_owned).into())?;
    let provides = image.tags.get("Provide").context("no provides")?;
    ensure!(
        provides.iter().any(|tag| tag.starts_with("ksym(")),
        "no ksym()"
    );
    Ok(())
}

/// A tree that cannot be packaged fails the build with a line that says why.
#[test]
fn a_bad_tree_fails_the_build() -> Result<()> {
    let (_directory, part) = part_of_bookworm("kernel/drivers/usb/common")?;
    let common = part.modules_dir.join("kernel/drivers/usb/common");
    let good = common.join("usb-common.ko");
    let refused = |reason: &str| -> Result<()> {
        let top = tempfile::tempdir()?;
        let error = modular::packages(&Rpm::host()?, &part, top.path(), &[]).err();
        let log = format!(
            "{:#}",
            error.with_context(|| format!("built in spite of: {reason}"))?
        );
        ensure!(log.contains(reason), "no {reason:?} in\n{log}");
        Ok(())
    };
    for (name, reason) in [
        ("cut.ko", "cut.ko: damaged ELF file"),
        ("%(id).ko", "characters other than"),
        ("usb-common.ko.gz", "no name tells them apart"),
    ] {
        let bad = common.join(name);
        let mut bytes = fs::read(&good)?;
        if name == "cut.ko" {
            bytes.truncate(5000);
        }
        fs::write(&bad, bytes)?;
        refused(reason)?;
        fs::remove_file(&bad)?;
    }
    let proof = part.root.join("proof");
    let bad = part.modules_dir.join("%(touch ${IFS}proof)");
    fs::write(&bad, "no module")?;
    refused("no such names in a package")?;
    ensure!(!proof.exists(), "a file name was executed");
    fs::remove_file(&bad)?;
    for (name, value) in [
        ("kmp_kabi", "6.1;true"),
        ("kmp_kabi", "6.1-50"),
        ("kmp_flavor", "a b"),
    ] {
        let top = tempfile::tempdir()?;
        let built = modular::packages(&Rpm::host()?, &part, top.path(), &[(name, value)]);
        ensure!(built.is_err(), "built with {name} {value}");
    }
    fs::remove_file(&part.vmlinuz)?;
    refused("no kernel image for")
}
