//! Several files for one module, and modules outside the usual directory.

use std::os::unix::fs::symlink;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::depmod::{FILES, Left, compare, left_by, ours};
use kmpkit_tests::modules_tree::ModulesTree;

use crate::depmod::scene::{empty, small};

/// The line of modules.dep that begins with one of these paths.
fn listed(left: &Left, module: &str) -> Result<String> {
    let dep = left.files.get("modules.dep").context("no modules.dep")?;
    let dep = String::from_utf8_lossy(dep);
    let paths = dep.lines().filter_map(|line| line.split_once(':'));
    let mut found = paths.filter(|(path, _)| path.contains(&format!("/{module}.")));
    let (path, _) = found
        .next()
        .with_context(|| format!("{module} is not listed"))?;
    ensure!(found.next().is_none(), "{module} is listed twice");
    Ok(path.to_owned())
}

fn configured(tree: &ModulesTree, text: &str) -> Result<Left> {
    let file = tree.root().join("depmod.conf");
    std::fs::write(&file, text)?;
    compare(tree, &["-C", &file.to_string_lossy()])
}

#[test]
fn updates_extra_and_weak_updates() -> Result<()> {
    let tree = small()?;
    tree.copy("fuse", "updates/fuse.ko")?;
    tree.copy("tun", "extra/tun.ko")?;
    let other = tree.root().join("lib/modules/5.0/extra");
    std::fs::create_dir_all(&other)?;
    std::fs::copy(tree.module("loop")?, other.join("loop.ko"))?;
    tree.link("../../5.0/extra/loop.ko", "weak-updates/loop.ko")?;
    tree.link("../../5.0/extra", "weak-updates/whole")?;
    let left = compare(&tree, &[])?;
    ensure!(listed(&left, "fuse")? == "updates/fuse.ko");
    let left = configured(&tree, "search updates extra weak-updates built-in\n")?;
    ensure!(listed(&left, "tun")? == "extra/tun.ko");
    ensure!(listed(&left, "loop")?.starts_with("weak-updates/"));
    let left = configured(&tree, "search built-in extra\n")?;
    ensure!(listed(&left, "tun")? == "kernel/tun.ko");
    configured(
        &tree,
        "search extra\nsearch updates built-in weak-updates\n",
    )?;
    configured(&tree, "search weak-updates/whole weak-updates built-in\n").map(drop)
}

#[test]
fn two_in_one_search_directory() -> Result<()> {
    let tree = small()?;
    for directory in ["b", "a", "d/e", "c"] {
        tree.copy("fuse", &format!("updates/{directory}/fuse.ko"))?;
        tree.copy("loop", &format!("extra/{directory}/loop.ko"))?;
    }
    compare(&tree, &[])?;
    configured(&tree, "search extra updates built-in\n")?;
    configured(&tree, "search extra/d updates/a extra updates built-in\n")?;
    configured(&tree, "search built-in updates updates/a\n").map(drop)
}

#[test]
fn two_outside_any_search_directory() -> Result<()> {
    let tree = small()?;
    for directory in ["b", "a", "d/e", "c"] {
        tree.copy("fuse", &format!("kernel/{directory}/fuse.ko"))?;
        tree.copy("snd-pcm", &format!("{directory}/snd_pcm.ko"))?;
    }
    compare(&tree, &[])?;
    configured(&tree, "search updates\n")?;
    configured(&tree, "search built-in\n").map(drop)
}

#[test]
fn overrides() -> Result<()> {
    let tree = small()?;
    for directory in ["extra", "kernel/old", "updates"] {
        tree.copy("fuse", &format!("{directory}/fuse.ko"))?;
        tree.packed("snd-pcm", "xz", &format!("{directory}/snd-pcm.ko.xz"))?;
    }
    let left = configured(
        &tree,
        "override fuse * kernel/old\noverride snd-pcm ^6 extra\n",
    )?;
    ensure!(listed(&left, "fuse")? == "kernel/old/fuse.ko");
    ensure!(listed(&left, "snd-pcm")? == "extra/snd-pcm.ko.xz");
    let left = configured(
        &tree,
        "override fuse ^5 kernel/old\noverride snd_pcm * extra\n",
    )?;
    ensure!(listed(&left, "fuse")? == "updates/fuse.ko");
    ensure!(listed(&left, "snd-pcm")? == "updates/snd-pcm.ko.xz");
    configured(&tree, "override fuse * kernel/old\noverride fuse * extra\n").map(drop)
}

#[test]
fn external_directories() -> Result<()> {
    let tree = small()?;
    let outside = |name: &str| {
        tree.root()
            .join("opt")
            .join(name)
            .to_string_lossy()
            .into_owned()
    };
    for (module, name) in [
        ("fuse", "one"),
        ("fuse", "two"),
        ("loop", "two"),
        ("nbd", "one"),
    ] {
        tree.copy(module, &format!("{}/sub/{module}.ko", outside(name)))?;
    }
    let (one, two, none) = (outside("one"), outside("two"), outside("none"));
    let external = format!("external * {one}\nexternal ^6 {two}\nexternal * {none}\n");
    for search in [
        "",
        "search external built-in\n",
        "search built-in external\n",
        "search updates external extra built-in\n",
        "search external\n",
    ] {
        let left = configured(&tree, &format!("{external}{search}"))?;
        ensure!(listed(&left, "nbd")?.starts_with(&one), "{search}");
    }
    let slash = format!("external * {one}/\nsearch external built-in\n");
    configured(&tree, &slash)?;
    // A directory whose path goes on where that of the release ends.
    let beside = format!("{}-x", tree.directory().display());
    tree.copy("fuse", &format!("{beside}/updates/fuse.ko"))?;
    let beside = format!("external * {beside}\noverride fuse * x/updates\n");
    configured(&tree, &beside).map(drop)
}

#[test]
fn directories_that_are_passed_over() -> Result<()> {
    let tree = small()?;
    let outside = tree.root().join("usr/src/linux");
    tree.copy("nbd", &format!("{}/nbd.ko", outside.display()))?;
    for link in ["build", "source", "kernel/build"] {
        tree.link(&outside.to_string_lossy(), link)?;
    }
    tree.copy("nbd", "kernel/old/nbd.ko")?;
    tree.copy("dummy", "kernel/tmp/dummy.ko")?;
    tree.copy("ext4", ".hidden/ext4.ko")?;
    tree.link("nowhere", "kernel/dangling.ko")?;
    tree.link("fuse.ko", "kernel/other_fuse.ko")?;
    tree.link("/dev/null", "kernel/device.ko")?;
    compare(&tree, &[])?;
    configured(&tree, "exclude old\nexclude tmp loop.ko\n").map(drop)
}

/// kmod goes round until it has no more files or names. Here a directory is not entered again on the
/// way from itself, so the indexes are those of a tree without such links.
#[test]
fn links_that_lead_in_circles() -> Result<()> {
    let tree = empty()?;
    tree.usual(&["fuse", "tun"])?;
    let other = tree.root().join("other");
    std::fs::create_dir_all(&other)?;
    std::fs::copy(tree.module("loop")?, other.join("loop.ko"))?;
    tree.link(&other.to_string_lossy(), "extra")?;
    let wanted = compare(&tree, &[])?;
    ensure!(listed(&wanted, "loop")? == "extra/loop.ko");
    tree.link("../..", "kernel/up/again")?;
    for link in ["x", "y", "kernel/x", "kernel/y"] {
        tree.link(".", link)?;
    }
    symlink(tree.directory(), other.join("back"))?;
    let left = left_by(ours()?, &tree, &[])?;
    ensure!(left.files == wanted.files, "{}", left.stderr);
    for name in FILES {
        tree.write(name, "old")?;
    }
    left_by(ours()?, &tree, &["-A"])?;
    Ok(())
}

/// Without a circle, links to links are as many paths; so many are enough.
#[test]
fn links_that_lead_to_links() -> Result<()> {
    let tree = empty()?;
    tree.usual(&["fuse"])?;
    for number in 0..30 {
        for link in ["x", "y"] {
            tree.link(&format!("../d{}", number + 1), &format!("d{number}/{link}"))?;
        }
    }
    tree.copy("tun", "d30/tun.ko")?;
    let left = left_by(ours()?, &tree, &[])?;
    ensure!(
        left.success && listed(&left, "fuse")? == "kernel/fuse.ko",
        "{}",
        left.stderr
    );
    Ok(())
}

#[test]
fn mixed_compression_and_odd_names() -> Result<()> {
    let tree = small()?;
    tree.packed("nbd", "xz", "kernel/nbd.ko.xz")?;
    tree.packed("ext4", "zstd", "kernel/ext4.ko.zst")?;
    tree.packed("jbd2", "xz", "kernel/jbd2.ko")?;
    tree.copy("mbcache", "kernel/mbcache.ko.zst")?;
    tree.packed("crc16", "bzip2", "kernel/crc16.ko.bz2")?;
    for name in [
        "a.b.ko",
        "dummy.ko.debug",
        ".ko",
        ".x.ko",
        "UPPER-case.ko",
        "with blank.ko",
        "top-level.ko",
        "x.ko.ko",
        "ko",
    ] {
        tree.copy("dummy", &format!("kernel/odd/{name}"))?;
    }
    tree.copy("dummy", "at-the-top.ko")?;
    tree.write(
        "modules.order",
        "at-the-top.ko\nkernel/ext4.ko\nkernel/odd/a.ko\nkernel/odd/a.b.ko\nkernel/nbd.ko.xz\n",
    )?;
    compare(&tree, &[]).map(drop)
}

#[test]
fn a_copy_that_vanishes_brings_the_other_back() -> Result<()> {
    let tree = small()?;
    let update = tree.copy("fuse", "updates/fuse.ko")?;
    ensure!(listed(&compare(&tree, &[])?, "fuse")? == "updates/fuse.ko");
    std::fs::remove_file(update)?;
    ensure!(listed(&compare(&tree, &[])?, "fuse")? == "kernel/fuse.ko");
    Ok(())
}

#[test]
fn no_module_at_all() -> Result<()> {
    compare(&empty()?, &[]).map(drop)
}
