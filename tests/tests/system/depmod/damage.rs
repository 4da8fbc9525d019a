//! Modules that are not as they should be: kmod lists them all the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmod_index::Index;
use kmpkit_tests::depmod::{Left, compare, compare_with, left_by};
use kmpkit_tests::index_differ;
use kmpkit_tests::kmod::Kmod;
use kmpkit_tests::modules_tree::ModulesTree;
use kmpkit_tests::tools::{run, tool};

use crate::depmod::scene::{empty, small};

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    for at in 0..bytes.len() {
        if bytes.get(at..).is_some_and(|rest| rest.starts_with(from)) {
            if let Some(place) = bytes.get_mut(at..at + to.len()) {
                place.copy_from_slice(to);
            }
        }
    }
}

/// soundcore made to use a symbol of snd, which uses its.
fn looped(tree: &ModulesTree) -> Result<()> {
    tree.edit("kernel/soundcore.ko", |bytes| {
        replace(
            bytes,
            b"\0__register_chrdev\0",
            b"\0snd_major\0\0\0\0\0\0\0\0\0",
        );
    })
}

#[test]
fn a_loop() -> Result<()> {
    let tree = small()?;
    looped(&tree)?;
    let left = compare(&tree, &[])?;
    ensure!(!left.success && left.files.is_empty());
    ensure!(left.stderr.contains("Cycle detected: "), "{}", left.stderr);
    ensure!(
        left.stderr
            .contains("Found 2 modules in dependency cycles!"),
        "{}",
        left.stderr
    );
    compare(&tree, &["-n"]).map(drop)
}

#[test]
fn a_module_that_needs_itself() -> Result<()> {
    let tree = empty()?;
    tree.usual(&["soundcore", "snd"])?;
    tree.edit("kernel/soundcore.ko", |bytes| {
        replace(
            bytes,
            b"\0__register_chrdev\0",
            b"\0sound_class\0\0\0\0\0\0\0",
        );
    })?;
    compare(&tree, &[]).map(drop)
}

#[test]
fn old_indexes_outlive_a_loop() -> Result<()> {
    let tree = small()?;
    let run_ours = |success: bool| -> Result<()> {
        let mut command = kmpkit_tests::depmod::ours()?;
        let output = command
            .arg("-b")
            .arg(tree.root())
            .arg(&tree.release)
            .output()?;
        ensure!(output.status.success() == success);
        Ok(())
    };
    run_ours(true)?;
    let before = std::fs::read(tree.path("modules.dep.bin")?)?;
    looped(&tree)?;
    run_ours(false)?;
    ensure!(std::fs::read(tree.path("modules.dep.bin")?)? == before);
    Ok(())
}

#[test]
fn corrupt_modules() -> Result<()> {
    let tree = small()?;
    tree.copy("nbd", "kernel/half.ko")?;
    tree.edit("kernel/half.ko", |bytes| bytes.truncate(bytes.len() / 2))?;
    tree.copy("nbd", "kernel/header.ko")?;
    tree.edit("kernel/header.ko", |bytes| bytes.truncate(64))?;
    tree.write("kernel/nothing.ko", "")?;
    tree.write("kernel/short.ko", "\x7fELF")?;
    tree.write("kernel/text.ko", "no module at all\n")?;
    tree.write("kernel/zeros.ko", vec![0; 10_000])?;
    tree.packed("nbd", "xz", "kernel/cut.ko.xz")?;
    tree.edit("kernel/cut.ko.xz", |bytes| {
        bytes.truncate(bytes.len() - 100)
    })?;
    tree.packed("nbd", "zstd", "kernel/spoilt.ko.zst")?;
    tree.edit("kernel/spoilt.ko.zst", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xff);
    })?;
    tree.copy("fuse", "updates/fuse.ko")?;
    tree.edit("updates/fuse.ko", |bytes| bytes.truncate(1000))?;
    let left = compare(&tree, &[])?;
    ensure!(
        left.success && left.levels.get("ERROR") >= Some(&9),
        "{}",
        left.stderr
    );
    Ok(())
}

/// What is cut, longer than it should be, or in another format than its name says.
#[test]
fn compressed_oddly() -> Result<()> {
    let tree = small()?;
    let packed = |with: &str, options: &[&str]| -> Result<Vec<u8>> {
        let path = tree.root().join("packed");
        let out = fs::File::create(&path)?;
        let status = tool(with)?
            .arg("-c")
            .args(options)
            .arg(tree.module("fuse")?)
            .stdout(out)
            .status()?;
        ensure!(status.success(), "{with} {options:?}");
        Ok(fs::read(path)?)
    };
    let [xz, zstd] = [packed("xz", &[])?, packed("zstd", &["--content-size"])?];
    let zeros = [0; 512];
    let behind: [(&str, &[u8]); 4] = [
        ("newline", b"\n"),
        ("zeros", &zeros),
        ("twice", &xz),
        ("text", b"xyz"),
    ];
    for (name, behind) in behind {
        let path = format!("kernel/{name}.ko.xz");
        tree.write(&path, [&xz, behind].concat())?;
    }
    tree.write("kernel/lzma.ko.xz", packed("xz", &["--format=lzma"])?)?;
    tree.write(
        "kernel/raw.ko.xz",
        packed("xz", &["--format=raw", "--lzma1"])?,
    )?;
    tree.write("kernel/bzip2.ko.xz", packed("bzip2", &[])?)?;
    let left = compare(&tree, &[])?;
    ensure!(left.success, "{}", left.stderr);

    // kmod 30 reads zstd as a stream.
    let [_, kmod_34] = Kmod::all()?;
    tree.write("kernel/whole.ko.zst", &zstd)?;
    tree.write("kernel/two.ko.zst", [&zstd[..], &zstd].concat())?;
    tree.write("kernel/behind.ko.zst", [&zstd[..], b"\n"].concat())?;
    tree.write("kernel/cut.ko.zst", &zstd[..zstd.len() - 1])?;
    tree.write(
        "kernel/unsized.ko.zst",
        packed("zstd", &["--no-content-size"])?,
    )?;
    // A frame that decoders skip, and an empty one.
    let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd";
    tree.write("kernel/skip_first.ko.zst", [&skipped[..], &zstd].concat())?;
    tree.write("kernel/skip_last.ko.zst", [&zstd[..], skipped].concat())?;
    let left = compare_with(&kmod_34, &tree, &[])?;
    let aliases = String::from_utf8_lossy(&left.files["modules.alias"]).into_owned();
    let has = |name: &str| {
        aliases
            .lines()
            .any(|line| line.ends_with(&format!(" {name}")))
    };
    for (name, wanted) in [
        ("zeros", true),
        ("twice", true),
        ("whole", true),
        ("skip_last", true),
        ("newline", false),
        ("unsized", false),
        ("two", false),
        ("lzma", false),
    ] {
        ensure!(has(name) == wanted, "{name}: {aliases}");
    }
    Ok(())
}

/// Of gzip that is cut, or longer than it should be, zlib gives what the program gzip gives, too; kmod
/// takes it. Debian builds kmod without zlib, so both are compared with a plain module.
#[test]
fn gzip_that_is_cut_or_too_long() -> Result<()> {
    let tree = small()?;
    let gzip = |arguments: &[&str], file: &Path| -> Result<Vec<u8>> {
        Ok(tool("gzip")?.args(arguments).arg(file).output()?.stdout)
    };
    let whole = gzip(&["-c"], tree.module("snd-pcm")?)?;
    let mut packed: Vec<(String, Vec<u8>)> = Vec::new();
    for cut in (1..=100).step_by(3).chain([8, 9, 10, 11, 12, 1000, 20_000]) {
        packed.push((format!("cut {cut}"), whole[..whole.len() - cut].to_vec()));
    }
    let behind: [&[u8]; 6] = [b"", b"\n", &[0; 512], b"\x1f", b"xyz", &whole];
    for behind in behind {
        packed.push((format!("{behind:?}"), [&whole, behind].concat()));
    }
    let texts = ["modules.alias", "modules.symbols", "modules.softdep"];
    for (what, bytes) in packed {
        let path = tree.write("kernel/snd-pcm.ko.gz", bytes)?;
        let plain = gzip(&["-dc"], &path)?;
        tree.remove("kernel/snd-pcm.ko")?;
        let ours = left_by(kmpkit_tests::depmod::ours()?, &tree, &[])?;
        tree.remove("kernel/snd-pcm.ko.gz")?;
        tree.write("kernel/snd-pcm.ko", plain)?;
        let theirs = left_by(kmpkit_tests::depmod::ours()?, &tree, &[])?;
        for text in texts {
            ensure!(ours.files[text] == theirs.files[text], "{what}: {text}");
        }
        let symbols = String::from_utf8_lossy(&ours.files["modules.symbols"]).into_owned();
        let is_read = symbols.contains("symbol:snd_pcm_new ");
        let is_whole = !what.starts_with("cut ") || what.len() < "cut 10".len();
        ensure!(is_read || !is_whole, "{what}: {}", ours.stderr);
    }
    let mut spoilt = whole.clone();
    let checksum = spoilt.len() - 8;
    spoilt[checksum] ^= 1;
    tree.remove("kernel/snd-pcm.ko")?;
    tree.write("kernel/snd-pcm.ko.gz", spoilt)?;
    let left = left_by(kmpkit_tests::depmod::ours()?, &tree, &[])?;
    ensure!(
        left.stderr.contains("snd-pcm.ko.gz: broken gzip"),
        "{}",
        left.stderr
    );
    Ok(())
}

#[test]
fn namespaces_are_taken_for_symbols() -> Result<()> {
    let tree = empty()?;
    for module in [
        "usb-storage",
        "ums-alauda",
        "usbcore",
        "usb-common",
        "scsi_mod",
    ] {
        let path = tree.copy(module, &format!("kernel/{module}.ko"))?;
        run(tool("objcopy")?.arg("--strip-unneeded").arg(path))?;
    }
    let left = compare(&tree, &[])?;
    let symbols = String::from_utf8_lossy(&left.files["modules.symbols"]).into_owned();
    ensure!(
        symbols.contains("symbol:USB_STORAGE usb_storage"),
        "{symbols}"
    );
    Ok(())
}

#[test]
fn modules_stripped_of_everything() -> Result<()> {
    let tree = small()?;
    for (option, module) in [
        ("--strip-all", "usbcore"),
        ("--remove-section=.modinfo", "snd"),
        ("--remove-section=__versions", "snd-timer"),
        ("--rename-section=__ksymtab_strings=other", "snd-pcm"),
    ] {
        run(tool("objcopy")?
            .arg(option)
            .arg(tree.path(&format!("kernel/{module}.ko"))?))?;
    }
    compare(&tree, &[]).map(drop)
}

#[test]
fn odd_aliases() -> Result<()> {
    let tree = small()?;
    let changes: [(&str, &[u8], &[u8]); 6] = [
        (
            "e1000e",
            b"alias=pci:v00008086d000015",
            b"alias=pci:]00008086d000015",
        ),
        ("xhci-pci", b"alias=pci:v", b"alias=[ci:v"),
        ("fuse", b"alias=devname:fuse", b"alias\0devname:fuse"),
        (
            "tun",
            b"alias=char-major-10-200",
            b"alias=char-major-10-20x",
        ),
        (
            "btrfs",
            b"alias=char-major-10-234",
            b"alias=char-major-10-*34",
        ),
        ("loop", b"alias=block-major-7-*", b"alias=-[-]-\n or-7-*"),
    ];
    for (module, from, to) in changes {
        let mut count = 0;
        tree.edit(&format!("kernel/{module}.ko"), |bytes| {
            count = bytes
                .windows(from.len())
                .filter(|window| *window == from)
                .count();
            replace(bytes, from, to);
        })?;
        ensure!(
            count > 0,
            "{module} has no {}",
            String::from_utf8_lossy(from)
        );
    }
    compare(&tree, &[]).map(drop)
}

/// The keys of an index.
fn keys(left: &Left, name: &str) -> Result<BTreeSet<Vec<u8>>> {
    let mut keys = BTreeSet::new();
    let bytes = left.files.get(name).with_context(|| name.to_owned())?;
    Index::new(bytes)?.for_each(|key, _| {
        keys.insert(key.to_vec());
    })?;
    Ok(keys)
}

/// kmod 34 stops, and kmod 30 writes beyond its tables; here nothing is lost but what no index can hold.
#[test]
fn names_that_are_not_ascii() -> Result<()> {
    let tree = small()?;
    tree.edit("kernel/fuse.ko", |bytes| {
        replace(bytes, b"alias=fs-fuse", "alias=fs-füs".as_bytes())
    })?;
    tree.edit("kernel/usb-common.ko", |bytes| {
        replace(
            bytes,
            b"\0__crc_usb_speed_string\0",
            "\0__crc_usb_speed_strüg\0".as_bytes(),
        )
    })?;
    tree.copy("tun", "kernel/tün.ko")?;
    compare(&tree, &["-n"])?;
    let left = left_by(kmpkit_tests::depmod::ours()?, &tree, &[])?;
    ensure!(left.success && left.files.len() == 11, "{}", left.stderr);
    let said = |text: &str| left.stderr.matches(text).count();
    ensure!(
        said("ERROR: \"fs_füs\" of \"fuse\" is left out of modules.alias.bin") == 1,
        "{}",
        left.stderr
    );
    ensure!(
        said("of \"tün\" is left out of modules.alias.bin") > 0,
        "{}",
        left.stderr
    );
    let aliases = keys(&left, "modules.alias.bin")?;
    ensure!(aliases.contains(&b"devname:fuse"[..]) && aliases.contains(&b"fs_btrfs"[..]));
    ensure!(aliases.iter().all(|key| key.is_ascii()));
    let modules = keys(&left, "modules.dep.bin")?;
    // All of the scene but the one that is no key.
    ensure!(modules.len() == 14 && modules.iter().all(|key| key.is_ascii()));
    ensure!(
        keys(&left, "modules.symbols.bin")?
            .iter()
            .all(|key| key.is_ascii())
    );
    // A directory is not a key.
    tree.remove("kernel/tün.ko")?;
    tree.copy("nbd", "kernel/ü/nbd.ko")?;
    tree.copy("fuse", "kernel/fuse.ko")?;
    tree.copy("usb-common", "kernel/usb-common.ko")?;
    let [kmod_30, _] = Kmod::all()?;
    let theirs = left_by(kmod_30.tool("depmod", tree.root())?, &tree, &[])?;
    let ours = left_by(kmpkit_tests::depmod::ours()?, &tree, &["--compat", "30"])?;
    ensure!(ours.files.len() == theirs.files.len());
    for (name, bytes) in &ours.files {
        index_differ::same(name, bytes, &theirs.files[name])?;
    }
    Ok(())
}

/// A symbol longer than any buffer of kmod's is one among others.
#[test]
fn long_symbols() -> Result<()> {
    let [_, kmod_34] = Kmod::all()?;
    for length in [1_000, 1_017, 4_080, 4_089, 4_090, 4_096, 10_000] {
        let tree = small()?;
        let module = tree.copy("usb-common", "kernel/long.ko")?;
        let name = "s".repeat(length);
        let renamed = format!("__crc_usb_speed_string=__crc_{name}");
        run(tool("objcopy")?
            .args(["--redefine-sym", &renamed])
            .arg(module))?;
        let left = compare_with(&kmod_34, &tree, &[])?;
        let symbols = keys(&left, "modules.symbols.bin")?;
        let longest = symbols.iter().map(Vec::len).max();
        ensure!(longest == Some("symbol:".len() + length), "{longest:?}");
        let ours = left_by(kmpkit_tests::depmod::ours()?, &tree, &["--compat", "30"])?;
        ensure!(ours.success && keys(&ours, "modules.symbols.bin")? == symbols);
    }
    Ok(())
}

/// Single bytes changed in the parts of a module that lead to all others.
#[test]
fn changed_bytes() -> Result<()> {
    let tree = empty()?;
    tree.usual(&["snd", "snd-timer"])?;
    let plain = std::fs::read(tree.module("soundcore")?)?;
    // Where the section table is: at byte 40 of the header.
    let mut table = [0; 8];
    table.copy_from_slice(&plain[40..48]);
    let table = usize::try_from(u64::from_le_bytes(table))?;
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let [_, kmod_34] = Kmod::all()?;
    let mut compared = 0;
    for number in 0..200 {
        let at = match number % 4 {
            0 => random(64),
            1 => random(plain.len()),
            _ => table + random(plain.len() - table),
        };
        let mut changed = plain.clone();
        changed[at] = random(256) as u8;
        tree.write("kernel/soundcore.ko", changed)?;
        if left_by(kmod_34.tool("depmod", tree.root())?, &tree, &["-n"])?.died {
            continue;
        }
        compare_with(&kmod_34, &tree, &[])
            .with_context(|| format!("byte {at} of {}", plain.len()))?;
        compared += 1;
    }
    println!("compared {compared} modules");
    ensure!(compared > 150);
    Ok(())
}
