//! File systems that take no files, and runs that are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kmod_index::Index;
use kmpkit_tests::depmod::{FILES, ours};
use kmpkit_tests::kmod::answer;
use kmpkit_tests::modules_tree::ModulesTree;
use kmpkit_tests::need_mounts;
use kmpkit_tests::tools::tool;

use crate::depmod::scene::small;

/// Runs a shell script in mounts of its own.
pub(super) fn script(script: &str, args: &[&Path]) -> Result<String> {
    let mut command = tool("unshare")?;
    command.args([
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-e",
        "-c",
        script,
        "sh",
    ]);
    let output = answer(command.args(args))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    Ok(text(&output.stdout))
}

fn program() -> Result<PathBuf> {
    Ok(ours()?.get_program().into())
}

fn indexes(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.contains("modules.") {
            found.insert(name.clone(), fs::read(directory.join(name))?);
        }
    }
    Ok(found)
}

/// What our depmod does with a tree on a small file system that is full but for some bytes.
#[test]
fn a_full_file_system_changes_nothing() -> Result<()> {
    need_mounts("mounting")?;
    let tree = small()?;
    let out = tree.root().join("out");
    fs::create_dir_all(&out)?;
    let said = script(
        r#"mount -t tmpfs -o size=2m tmpfs "$3"
           dir="$3/lib/modules/$4"
           mkdir -p "$dir"
           for name in modules.dep modules.dep.bin modules.alias.bin; do echo old > "$dir/$name"; done
           for room in 0 4 20 40 60; do
               dd if=/dev/zero of="$3/fill" bs=1k count=$((2048 - 12 - room)) 2> /dev/null || true
               status=0
               "$1" -b "$2" -o "$3" "$4" 2> "$2/said" || status=$?
               rm "$3/fill"
               echo "$room $status $(ls -A "$dir" | tr '\n' ' ') $(cat "$dir"/* | tr '\n' ' ') $(grep -c 'No space left' "$2/said")"
           done"#,
        &[&program()?, tree.root(), &out, Path::new(&tree.release)],
    )?;
    println!("{said}");
    ensure!(said.lines().count() == 5);
    for line in said.lines() {
        ensure!(
            line.ends_with(" 1 modules.alias.bin modules.dep modules.dep.bin  old old old  1"),
            "{line}"
        );
    }
    Ok(())
}

#[test]
fn a_read_only_file_system_changes_nothing() -> Result<()> {
    need_mounts("mounting")?;
    let tree = small()?;
    let said = script(
        r#""$1" -b "$2" "$3" 2> /dev/null
           rm "$2/lib/modules/$3/kernel/fuse.ko"
           mount --bind "$2" "$2"
           mount -o remount,ro,bind "$2"
           status=0
           "$1" -b "$2" "$3" 2>&1 || status=$?
           echo "$status $(ls -A "$2/lib/modules/$3" | wc -l)""#,
        &[&program()?, tree.root(), Path::new(&tree.release)],
    )?;
    ensure!(said.contains("Read-only file system"), "{said}");
    // The eleven indexes and kernel/.
    ensure!(said.trim_end().ends_with("\n1 12"), "{said}");
    Ok(())
}

/// What makes an index unfit for others.
type Spoil<'s> = dyn Fn(&Path) -> std::io::Result<()> + 's;

/// Indexes are regular files that all can read, whatever was there and whatever umask a run has.
#[test]
fn indexes_are_for_all_to_read() -> Result<()> {
    let tree = small()?;
    let elsewhere = tree.root().join("elsewhere");
    let spoil: [(&str, &Spoil<'_>); 5] = [
        ("nothing", &|_| Ok(())),
        ("mode", &|path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        }),
        ("owner", &|path| chown(path, Some(65_534), None)),
        ("link", &|path| {
            fs::rename(path, &elsewhere)?;
            symlink(&elsewhere, path)
        }),
        ("dangling link", &|path| {
            fs::remove_file(path)?;
            symlink("nowhere", path)
        }),
    ];
    let store = tree.root().join("facts");
    for options in [&["-a"][..], &["-A"], &["--full"], &["--store"]] {
        for (what, spoil) in &spoil {
            for name in FILES
                .into_iter()
                .filter(|name| tree.path(name).is_ok_and(|path| path.exists()))
            {
                spoil(&tree.path(name)?).with_context(|| format!("{what} {name}"))?;
            }
            let mut command = tool("sh")?;
            command
                .args(["-c", "umask 077; exec \"$@\"", "sh"])
                .arg(program()?)
                .args(options);
            if options == ["--store"] {
                command.arg(&store);
            }
            let output = answer(command.arg("-b").arg(tree.root()).arg(&tree.release))?;
            ensure!(output.status.success(), "{output:?}");
            for name in FILES {
                let meta = fs::symlink_metadata(tree.path(name)?)?;
                ensure!(
                    meta.is_file() && meta.mode() & 0o7777 == 0o644 && meta.uid() == 0,
                    "{options:?}, {what}: {name} {meta:?}"
                );
            }
        }
    }
    ensure!(fs::read_dir(tree.directory())?.count() == 12);
    Ok(())
}

/// Values of an index by key.
fn read(directory: &Path, name: &str) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let bytes = fs::read(directory.join(name))?;
    let mut all = Vec::new();
    let take = |key: &[u8], values: &[(u32, &[u8])]| {
        all.extend(
            values
                .iter()
                .map(|(_, value)| (key.to_vec(), value.to_vec())),
        );
    };
    Index::new(&bytes)
        .and_then(|index| index.for_each(take))
        .with_context(|| name.to_owned())?;
    Ok(all)
}

/// What modprobe relies on.
fn is_usable(directory: &Path) -> Result<()> {
    let modules: BTreeSet<_> = read(directory, "modules.dep.bin")?
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    for name in ["modules.alias.bin", "modules.symbols.bin"] {
        for (key, value) in read(directory, name)? {
            ensure!(
                modules.contains(&value),
                "{name}: {} leads to {}, which modules.dep.bin lacks",
                String::from_utf8_lossy(&key),
                String::from_utf8_lossy(&value)
            );
        }
    }
    Ok(())
}

/// Modules come and go while runs are killed after ever longer times.
#[test]
fn killed_runs_leave_what_modprobe_can_use() -> Result<()> {
    killed(60)
}

#[test]
#[ignore = "test-all"]
fn killed_runs_a_thousand_times() -> Result<()> {
    killed(1000)
}

fn killed(times: usize) -> Result<()> {
    let tree = small()?;
    let directory = tree.directory();
    let depmod = || -> Result<Command> {
        let mut command = ours()?;
        command.arg("--store").arg(tree.root().join("facts"));
        command.arg("-b").arg(tree.root()).arg(&tree.release);
        Ok(command)
    };
    ensure!(answer(&mut depmod()?)?.status.success());
    let mut midst = 0;
    for number in 0..times {
        let (gone, come) = match number % 3 {
            0 => ("fuse", "tun"),
            1 => ("tun", "loop"),
            _ => ("loop", "fuse"),
        };
        let path = tree.path(&format!("kernel/{gone}.ko"))?;
        if path.exists() {
            fs::remove_file(path)?;
        }
        tree.copy(come, &format!("kernel/{come}.ko"))?;
        let mut child = depmod()?.stderr(std::process::Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_micros(300 * (number as u64 % 60)));
        child.kill()?;
        child.wait()?;
        is_usable(&directory).with_context(|| format!("kill {number}"))?;
        let unfinished = |name: &String| !FILES.contains(&name.as_str());
        midst += usize::from(indexes(&directory)?.keys().any(unfinished));
        if number % 10 == 9 {
            mended(&tree, &depmod)?;
        }
    }
    println!("{midst} of {times} were killed while files were being written");
    mended(&tree, &depmod)
}

/// One more run leaves what a run in a clean directory does.
fn mended(tree: &ModulesTree, depmod: &dyn Fn() -> Result<Command>) -> Result<()> {
    let directory = tree.directory();
    ensure!(answer(&mut depmod()?)?.status.success());
    let after = indexes(&directory)?;
    for name in after.keys() {
        fs::remove_file(directory.join(name))?;
    }
    ensure!(answer(&mut depmod()?)?.status.success());
    let clean = indexes(&directory)?;
    ensure!(after.keys().eq(clean.keys()), "{:?}", after.keys());
    ensure!(after == clean);
    Ok(())
}

#[test]
fn concurrent_runs_wait_for_each_other() -> Result<()> {
    let tree = small()?;
    let mut children = Vec::new();
    for number in 0..8 {
        if number == 4 {
            fs::remove_file(tree.path("kernel/fuse.ko")?)?;
        }
        let mut command = ours()?;
        command.arg("--store").arg(tree.root().join("facts"));
        command.arg("-b").arg(tree.root()).arg(&tree.release);
        children.push(command.stderr(std::process::Stdio::null()).spawn()?);
    }
    for mut child in children {
        ensure!(child.wait()?.success());
    }
    is_usable(&tree.directory())?;
    let names = indexes(&tree.directory())?;
    ensure!(
        names
            .keys()
            .eq(FILES.iter().copied().collect::<BTreeSet<_>>()),
        "{:?}",
        names.keys()
    );
    ensure!(!String::from_utf8_lossy(&names["modules.dep"]).contains("fuse"));
    Ok(())
}
