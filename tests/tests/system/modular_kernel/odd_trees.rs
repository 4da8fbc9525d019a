//! Turns kernel trees and spec files that are out of the ordinary into packages that are not, or
//! into failed builds.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use kmod_index::IndexFile;
use kmpkit_tests::query::shown;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::{differ, modular};

use crate::modular_kernel::packages::{Expected, part_of_bookworm};

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
    let more = directory.path().join("older-entries");
    fs::write(
        &more,
        "* Mon Nov 23 2026 A Packager <a@example.org> - old\n- END_OF_CHANGELOG\n",
    )?;
    spec = spec.replace("%changelog\n", "%if 1\n%changelog\n");
    spec += &format!("\n%include {}\n%endif\n", more.display());
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
    ensure!(entries == ENTRIES + 1, "{entries} entries in {path}");
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

/// Tags kept beside the build are used only for the files, options and policies they were made
/// from.
#[test]
fn stale_tags_are_not_used() -> Result<()> {
    let (directory, part) = part_of_bookworm("kernel/drivers/usb/common")?;
    let expected = Expected::read(&part, None)?;
    let tree = part.root.display().to_string();
    let spec = fs::read_to_string(modular::example())?;
    let policies = directory.path().join("policies");
    fs::create_dir(&policies)?;
    let policies = policies.display().to_string();
    let tags = "%{__kmpkit_state}/tags";
    let wrong = format!("sed -i 's/^ksym/x/' {tags}/requires");
    for (name, meddle) in [
        ("a list is lost", format!("rm {tags}/requires")),
        ("a list is cut", format!("echo > {tags}/requires")),
        ("the index is lost", format!("{wrong}; rm {tags}/index")),
        (
            "files changed",
            format!("{wrong}; find %{{buildroot}} -type f -exec touch {{}} +"),
        ),
        (
            "options changed",
            format!("{wrong}; sed -i '1s/suse/redhat/' {tags}/index"),
        ),
        (
            "a policy came",
            format!("{wrong}; touch -d tomorrow {policies}/late.toml {policies}"),
        ),
    ] {
        let file = directory.path().join("kernel.spec");
        let split = format!(" %kmp_split {meddle}\n");
        fs::write(&file, spec.replace(" %kmp_split\n", &split))?;
        let top = directory.path().join("top");
        let defines = [("kernel_tree", &*tree), ("kmp_system_policy", &policies)];
        let built = Rpm::host()?.build(&file, &top, &defines, &[])?;
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
    let ghosts = IndexFile::NAMES.map(|name| format!("./{name}"));
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
    let wanted = wanted
        .map(str::to_owned)
        .into_iter()
        .chain(ghosts)
        .collect();
    differ::sets("the image", &files, &wanted)?;
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
        ("usb-common.ko.gz", "the same module as"),
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
    refused("are safe in lists of files")?;
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
