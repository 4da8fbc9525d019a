//! The options of depmod(8).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::depmod::{FILES, compare, ours};
use kmpkit_tests::kmod::{Kmod, answer};
use kmpkit_tests::{Kernel, cache_dir};

use crate::depmod::scene::small;

#[test]
fn show() -> Result<()> {
    let left = compare(&small()?, &["-n"])?;
    ensure!(left.files.is_empty() && !left.stdout.is_empty());
    compare(&small()?, &["--dry-run", "--all"])?;
    compare(&small()?, &["--sho", "-A"]).map(drop)
}

#[test]
fn verbose_tells_who_needs_whom() -> Result<()> {
    let tree = small()?;
    let left = compare(&tree, &["-v"])?;
    let said = String::from_utf8_lossy(&left.stdout).into_owned();
    ensure!(said.contains("usbcore.ko needs \"usb_"), "{said}");
    compare(&tree, &["-vn"]).map(drop)
}

#[test]
fn missing_symbols() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let tree = small()?;
    let map = kernel.system_map.to_string_lossy().into_owned();
    let link = kernel.symvers.context("no symvers")?;
    let symvers = tree.root().join("Module.symvers");
    // Where kmod 34 can see them, too.
    fs::copy(link, &symvers)?;
    let map_here = tree.root().join("System.map");
    fs::copy(map, &map_here)?;
    let text = fs::read_to_string(&symvers)?;
    let changed = text
        .replacen("\tprintk\t", "\tno_printk\t", 1)
        .replacen("0x", "0x1", 500);
    let other = tree.root().join("other.symvers");
    fs::write(
        &other,
        changed + "bad line\n0xzz\tx\tvmlinux\n0x1\ty\tvmlinux\n",
    )?;
    let odd_map = tree.root().join("odd.map");
    fs::write(
        &odd_map,
        "no\nffff R __ksymtab_printk\nffff R other\nffff  R __ksymtab_x\n",
    )?;
    for (options, file) in [
        (["-e", "-E"], &symvers),
        (["-e", "-E"], &other),
        (["-e", "-F"], &map_here),
        (["-e", "-F"], &odd_map),
        (["-w", "-E"], &symvers),
        (["-e", "-E"], &tree.root().join("none")),
    ] {
        let file = file.to_string_lossy();
        compare(&tree, &[options[0], options[1], &file])?;
    }
    compare(&tree, &["-e"])?;
    compare(&tree, &["-P", "_"])?;
    compare(&tree, &["-P", "p"])?;
    compare(&tree, &["-w"]).map(drop)
}

#[test]
fn named_files() -> Result<()> {
    let tree = small()?;
    let path = |name: &str| tree.directory().join(name).to_string_lossy().into_owned();
    let (core, common) = (path("kernel/usbcore.ko"), path("kernel/usb-common.ko"));
    let outside = tree.root().join("fuse.ko");
    fs::copy(tree.module("fuse")?, &outside)?;
    let outside = outside.to_string_lossy();
    compare(&tree, &[&core, &common, &outside])?;
    compare(&tree, &["-n", &common, &core])?;
    compare(&tree, &[&common, &common])?;
    compare(&tree, &[&common, "relative.ko"])?;
    compare(&tree, &[&path("kernel/none.ko")])?;
    compare(&tree, &["-a", &common]).map(drop)
}

#[test]
fn quick() -> Result<()> {
    let tree = small()?;
    let left = compare(&tree, &["-A"])?;
    ensure!(!left.files.is_empty());
    let files = |files: &BTreeMap<String, Vec<u8>>| -> Result<()> {
        for (name, bytes) in files {
            tree.write(name, bytes)?;
        }
        Ok(())
    };
    // Older and newer than every module.
    for (age, written) in [(1_000_000, true), (0, false)] {
        for kmod in Kmod::all()? {
            for mut command in [kmod.tool("depmod", tree.root())?, ours()?] {
                files(&left.files)?;
                tree.write("modules.dep", "here before\n")?;
                let time = SystemTime::now() - Duration::from_secs(age);
                fs::File::options()
                    .write(true)
                    .open(tree.path("modules.dep")?)?
                    .set_modified(time)?;
                command
                    .args(["-A", "-b"])
                    .arg(tree.root())
                    .arg(&tree.release);
                ensure!(answer(&mut command)?.status.success());
                let is_new = fs::read(tree.path("modules.dep")?)? != b"here before\n";
                ensure!(is_new == written, "{command:?}");
            }
        }
    }
    Ok(())
}

/// Packages' modules are as old as their builds, and what is gone has no time.
#[test]
fn quick_after_a_package_came_or_went() -> Result<()> {
    let tree = small()?;
    let listed = || -> Result<bool> {
        let mut command = ours()?;
        command.arg("--store").arg(tree.root().join("facts"));
        command
            .args(["-A", "-b"])
            .arg(tree.root())
            .arg(&tree.release);
        ensure!(answer(&mut command)?.status.success());
        Ok(fs::read_to_string(tree.path("modules.dep")?)?.contains("nbd.ko"))
    };
    ensure!(!listed()?);
    // Facts of files that were just written are not kept.
    std::thread::sleep(Duration::from_millis(50));
    tree.copy("tun", "kernel/tun.ko")?;
    ensure!(!listed()?);
    let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
    let module = tree.copy("nbd", "kernel/nbd.ko")?;
    fs::File::options()
        .write(true)
        .open(&module)?
        .set_modified(long_ago)?;
    ensure!(listed()?);
    fs::remove_file(module)?;
    ensure!(!listed()?);
    Ok(())
}

/// Files that do not change are not written, but `-A` must see that they were made again.
#[test]
fn quick_after_a_run_that_changed_nothing() -> Result<()> {
    let tree = small()?;
    let depmod = |options: &[&str]| -> Result<()> {
        let mut command = ours()?;
        command
            .args(options)
            .arg("-b")
            .arg(tree.root())
            .arg(&tree.release);
        ensure!(answer(&mut command)?.status.success());
        Ok(())
    };
    depmod(&[])?;
    let dep = tree.path("modules.dep")?;
    let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
    fs::File::options()
        .write(true)
        .open(&dep)?
        .set_modified(long_ago)?;
    depmod(&[])?;
    ensure!(fs::metadata(&dep)?.modified()? > long_ago + Duration::from_secs(1000));
    Ok(())
}

#[test]
fn other_directories() -> Result<()> {
    let tree = small()?;
    let [_, kmod_34] = Kmod::all()?;
    fs::rename(tree.root().join("lib"), tree.root().join("usr"))?;
    let run =
        |mut command: std::process::Command, out: &Path| -> Result<BTreeMap<String, Vec<u8>>> {
            command
                .arg("-b")
                .arg(tree.root())
                .args(["-m", "//usr/modules", "-o"])
                .arg(out);
            command.arg(&tree.release);
            let output = answer(&mut command)?;
            ensure!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let directory = out.join("usr/modules").join(&tree.release);
            FILES
                .iter()
                .map(|name| Ok((name.to_string(), fs::read(directory.join(name))?)))
                .collect()
        };
    let theirs = run(
        kmod_34.tool("depmod", tree.root())?,
        &tree.root().join("out/theirs"),
    )?;
    let ours = run(ours()?, &tree.root().join("out/ours"))?;
    ensure!(theirs == ours);
    Ok(())
}

/// An empty root is the current directory, as it is for kmod; makefiles pass `-b "$(INSTALL_MOD_PATH)"`.
#[test]
fn empty_values() -> Result<()> {
    let tree = small()?;
    let left =
        |mut command: Command, options: &[&str]| -> Result<(bool, BTreeMap<&str, Vec<u8>>)> {
            command.args(options).arg(&tree.release);
            let success = answer(&mut command)?.status.success();
            let mut files = BTreeMap::new();
            for file in FILES {
                let path = tree.path(file)?;
                if let Ok(bytes) = fs::read(&path) {
                    fs::remove_file(&path)?;
                    files.insert(file, bytes);
                }
            }
            Ok((success, files))
        };
    let root = tree.root().to_string_lossy().into_owned();
    let here = ["-b", &root, "-C", "/none"];
    let cases: [(&[&str], bool); 8] = [
        (&["-b", "", "-C", "/none"], true),
        (&["--basedir=", "-C", "/none"], true),
        (&["-b", "", "-o", "", "-C", "/none"], true),
        (&["-b", "", "-C", ""], true),
        (&["-C", "", "-b", &root], true),
        (&[&here[..], &["-m", ""]].concat(), false),
        (&[&here[..], &["-e", "-E", ""]].concat(), true),
        (&[&here[..], &["-F", "", "-e"]].concat(), true),
    ];
    for (options, is_of_30) in cases {
        for kmod in Kmod::all()? {
            // kmod 30 has none of -m and -o.
            if kmod.version == "30" && (!is_of_30 || options.contains(&"-o")) {
                continue;
            }
            let mut command = ours()?;
            command.args(["--compat", kmod.version]);
            command.current_dir(tree.root());
            let ours = left(command, options)?;
            let mut theirs = kmod.tool("env", tree.root())?;
            theirs.arg("-C").arg(tree.root());
            theirs.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "depmod"]);
            let theirs = left(theirs, options)?;
            ensure!(
                ours == theirs,
                "{kmod} {options:?}: {} {}",
                ours.1.len(),
                theirs.1.len()
            );
        }
    }
    Ok(())
}

/// A root of openSUSE has modules in usr/lib/modules, and its lib need not lead there.
#[test]
fn the_directory_that_has_the_release() -> Result<()> {
    let tree = small()?;
    let wanted = compare(&tree, &[])?.files;
    let run = |options: &[&str]| -> Result<bool> {
        let mut command = ours()?;
        command.args(options).arg("-b").arg(tree.root());
        Ok(answer(command.arg(&tree.release))?.status.success())
    };
    fs::create_dir(tree.root().join("usr"))?;
    fs::rename(tree.root().join("lib"), tree.root().join("usr/lib"))?;
    // Another release is no reason to look there.
    fs::create_dir_all(tree.root().join("lib/modules/5.0"))?;
    let there = tree.root().join("usr/lib/modules").join(&tree.release);
    for options in [&[][..], &["--compat", "30"]] {
        ensure!(run(options)?, "{options:?}");
        for name in ["modules.dep", "modules.alias"] {
            ensure!(fs::read(there.join(name))? == wanted[name], "{name}");
            fs::remove_file(there.join(name))?;
        }
    }
    ensure!(!run(&["-m", "/lib/modules"])?);
    ensure!(!there.join("modules.dep").exists());
    // Where both have it, the default counts.
    let here = tree.root().join("lib/modules").join(&tree.release);
    fs::create_dir_all(here.join("kernel"))?;
    ensure!(run(&[])? && here.join("modules.dep").exists() && !there.join("modules.dep").exists());
    Ok(())
}

#[test]
fn command_lines_that_are_refused() -> Result<()> {
    let tree = small()?;
    for kmod in Kmod::all()? {
        for args in [
            &["nonsense"][..],
            &["--nonsense"],
            &["-P", "ab", "6.1.0"],
            &["-b", "/none", "6.1.0"],
            &["-b"],
            &["-C"],
            &["/absolute.ko"],
        ] {
            let mut command = ours()?;
            command.args(["--compat", kmod.version]);
            for mut command in [kmod.tool("depmod", tree.root())?, command] {
                let output = answer(command.args(args))?;
                ensure!(output.status.code() == Some(1), "{command:?}: {output:?}");
                ensure!(!output.stderr.is_empty());
            }
        }
        for args in [&["--version"][..], &["--help"], &["-V"], &["-h"]] {
            let output = answer(ours()?.args(["--compat", kmod.version]).args(args))?;
            ensure!(
                output.status.success() && !output.stdout.is_empty(),
                "{args:?}"
            );
        }
    }
    Ok(())
}

/// Scripts look for the first line, and messages name the command that was called.
#[test]
fn version_and_usage() -> Result<()> {
    for kmod in Kmod::all()? {
        let output = answer(ours()?.args(["--compat", kmod.version, "-V"]))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut theirs = kmod.tool("depmod", Path::new("/tmp"))?;
        let theirs = answer(theirs.arg("-V"))?.stdout;
        let theirs = String::from_utf8_lossy(&theirs).into_owned();
        // Theirs may go on with a minor number.
        let first = said.lines().next().unwrap_or_default();
        ensure!(
            theirs.starts_with(first) && first.starts_with("kmod version "),
            "{said} {theirs}"
        );
    }
    let kmp = ours()?.get_program().to_owned();
    let kmp = Path::new(&kmp).with_file_name("kmp");
    let output = answer(Command::new(kmp).args(["depmod", "--nonsense"]))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(said.contains("Usage: kmp depmod "), "{said}");
    let output = answer(ours()?.arg("--nonsense"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(said.contains("Usage: kmp-depmod "), "{said}");
    Ok(())
}

/// What kmod takes for an option is the same option here, whatever options we have beside.
#[test]
fn abbreviated_options() -> Result<()> {
    let tree = small()?;
    let none = tree.root().join("none").to_string_lossy().into_owned();
    compare(&tree, &["--e", "--f", &none])?;
    compare(&tree, &["--c", &none, "--verb"])?;
    compare(&tree, &["--co", &none, "--sh"])?;
    let list = tree.root().join("list");
    fs::write(&list, "no\n0xzz\tx\tvmlinux\tE\n")?;
    for (option, wrong) in [
        ("-F", "list:1: invalid line: no"),
        ("-E", "list:2: Invalid symbol version 0xzz"),
    ] {
        let output = answer(
            ours()?
                .args(["-e", option])
                .arg(&list)
                .arg("-b")
                .arg(tree.root())
                .arg(&tree.release),
        )?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(said.contains(wrong), "{said}");
    }
    Ok(())
}

#[test]
fn options_only_kmod_30_has() -> Result<()> {
    let tree = small()?;
    let [kmod_30, _] = Kmod::all()?;
    kmpkit_tests::depmod::compare_with(&kmod_30, &tree, &["-u", "-q", "-r", "-m"])?;
    kmpkit_tests::depmod::compare_with(&kmod_30, &tree, &["--map", "--quiet"]).map(drop)
}

/// A message has the system's reason once.
#[test]
fn a_reason_comes_once() -> Result<()> {
    let output = answer(ours()?.args(["-b", "/nowhere", "6.1"]))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success());
    ensure!(stderr.matches("No such file").count() == 1, "{stderr}");
    Ok(())
}
