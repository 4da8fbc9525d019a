//! Where facts are kept between runs, and where none are.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::depmod::ours;
use kmpkit_tests::kmod::{Kmod, answer};
use kmpkit_tests::modules_tree::ModulesTree;
use kmpkit_tests::need_mounts;

use crate::depmod::publishing::script;
use crate::depmod::scene::small;

/// All files below a directory with their bytes, but modules.
fn files(directory: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut rest = vec![directory.to_owned()];
    while let Some(inside) = rest.pop() {
        for entry in fs::read_dir(inside)? {
            let path = entry?.path();
            let is_module = path.extension().is_some_and(|end| end == "ko");
            match path.is_dir() {
                true => rest.push(path),
                false if is_module => {}
                false => {
                    all.insert(path.strip_prefix(directory)?.to_owned(), fs::read(&path)?);
                }
            }
        }
    }
    Ok(all)
}

/// A build of a package or an image gets what kmod's depmod leaves: the same files with the same bytes
/// each time.
#[test]
fn builds_get_nothing_but_indexes() -> Result<()> {
    let [_, kmod_34] = Kmod::all()?;
    let left = |tree: &ModulesTree, mut command: std::process::Command| {
        command.arg("-b").arg(tree.root()).arg(&tree.release);
        ensure!(answer(&mut command)?.status.success());
        files(tree.root())
    };
    let [one, two, theirs] = [small()?, small()?, small()?];
    let by_kmod = left(&theirs, kmod_34.tool("depmod", theirs.root())?)?;
    ensure!(left(&one, ours()?)? == by_kmod);
    ensure!(left(&one, ours()?)? == by_kmod, "the second run left more");
    ensure!(left(&two, ours()?)? == by_kmod);
    let out = two.root().join("out");
    let mut command = ours()?;
    command.arg("-o").arg(&out);
    left(&two, command)?;
    let beside = fs::read_dir(&out)?.count();
    ensure!(beside == 1, "{beside} beside lib");
    let mut command = ours()?;
    command.arg("-n");
    let before = files(one.root())?;
    ensure!(left(&one, command)? == before);
    Ok(())
}

/// Whoever asks for it gets a store, where he says and for any root.
#[test]
fn a_store_that_is_asked_for() -> Result<()> {
    let trees = [small()?, small()?];
    // Facts of files that were just written are not kept.
    std::thread::sleep(Duration::from_millis(50));
    let home = tempfile::tempdir()?;
    for (number, tree) in trees.iter().enumerate() {
        for read in [14, 0] {
            let mut command = ours()?;
            command.arg("--store").arg(home.path());
            command.arg("-vvv").arg("-b").arg(tree.root());
            let output = answer(command.arg(&tree.release))?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            ensure!(output.status.success(), "{said}");
            ensure!(said.contains(&format!("Made {{ read: {read} }}")), "{said}");
        }
        ensure!(fs::read_dir(home.path())?.count() == number + 1);
    }
    ensure!(
        !files(trees[0].root())?
            .keys()
            .any(|path| path.ends_with("depmod"))
    );
    Ok(())
}

/// Nothing is written through a link of a tree that others may write, nor outside of a root.
#[test]
fn links_of_a_root_lead_nowhere_else() -> Result<()> {
    let tree = small()?;
    let host = tempfile::tempdir()?;
    let victim = host.path().join("victim");
    fs::write(&victim, "untouched")?;
    let there = host.path().join("lib/modules").join(&tree.release);
    fs::create_dir_all(&there)?;
    // The root has the directory by the same absolute path that the host has.
    let inside = tree.root().join(there.strip_prefix("/")?);
    fs::create_dir_all(inside.parent().context("no parent")?)?;
    fs::rename(tree.directory(), &inside)?;
    fs::remove_dir_all(tree.root().join("lib"))?;
    symlink(host.path().join("lib"), tree.root().join("lib"))?;
    let home = tempfile::tempdir()?;
    let run = || -> Result<std::process::Output> {
        let mut command = ours()?;
        command.arg("--store").arg(home.path());
        answer(command.arg("-b").arg(tree.root()).arg(&tree.release))
    };
    let output = run()?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(fs::read_dir(&there)?.count() == 0);
    ensure!(inside.join("modules.dep.bin").is_file());
    let place = fs::read_dir(home.path())?
        .next()
        .context("no store")??
        .path();
    for link in [
        inside.join("modules.dep"),
        inside.join(".modules.dep.kmp-depmod-run"),
        place.join("running"),
        place.join("depmod"),
    ] {
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        symlink(&victim, &link)?;
        let output = run()?;
        ensure!(output.status.success(), "{output:?}");
        ensure!(
            fs::read_to_string(&victim)? == "untouched",
            "{}",
            link.display()
        );
    }
    Ok(())
}

/// In the system itself facts are kept in /var, one store for all paths of a directory, and go with the
/// kernel, whoever removes it; where a build must be reproducible, none are kept.
#[test]
fn the_stores_of_a_system() -> Result<()> {
    need_mounts("mounting")?;
    let tree = small()?;
    std::thread::sleep(Duration::from_millis(50));
    let plugin = Path::new("/usr/lib/kernel/install.d/50-depmod.install");
    let said = script(
        r#"mkdir -p /lib/modules
           mount --bind "$2/lib/modules" /lib/modules
           mount -t tmpfs tmpfs /var/lib
           cp -a "/lib/modules/$3" /lib/modules/6.9.9-other
           kept() { cd /var/lib; echo "$1: $(find . -type f | LC_ALL=C sort | tr '\n' ' ')"; cd /; }
           SOURCE_DATE_EPOCH=1 "$1" "$3"
           kept reproducible
           "$1" "$3"
           "$1" -m /usr/lib/modules "$3"
           "$1" 6.9.9-other
           kept both
           echo "read: $("$1" -vvv "$3" 2>&1 | grep -o 'Made.*')"
           KERNEL_INSTALL_VERBOSE=0 "$4" remove "$3" "/boot/$3"
           rm -r "/lib/modules/$3/kernel"
           rmdir "/lib/modules/$3"
           rm -r /lib/modules/6.9.9-other/kernel/fuse.ko
           "$1" 6.9.9-other
           kept one
           rm -r /lib/modules/6.9.9-other
           mkdir -p /lib/modules/6.9.9-third
           "$1" 6.9.9-third
           kept none
           rm -r /lib/modules/6.9.9-third"#,
        &[
            ours()?.get_program().as_ref(),
            tree.root(),
            Path::new(&tree.release),
            plugin,
        ],
    )?;
    let line = |name: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.map(str::to_owned)
            .with_context(|| format!("no {name} in {said}"))
    };
    let of = |release: &str| format!("./kmpkit/facts/{}%2F{release}/depmod ", modules());
    ensure!(line("reproducible")?.is_empty(), "{said}");
    ensure!(
        line("both")? == [of(&tree.release), of("6.9.9-other")].concat(),
        "{said}"
    );
    ensure!(line("read")? == "Made { read: 0 }", "{said}");
    ensure!(line("one")? == of("6.9.9-other"), "{said}");
    ensure!(line("none")? == of("6.9.9-third"), "{said}");
    Ok(())
}

/// The path of /lib/modules without links, as it is in the names of stores.
fn modules() -> String {
    let merged = fs::canonicalize("/lib").unwrap_or_default();
    format!(
        "{}%2Fmodules",
        merged
            .display()
            .to_string()
            .trim_start_matches('/')
            .replace('/', "%2F")
    )
}
