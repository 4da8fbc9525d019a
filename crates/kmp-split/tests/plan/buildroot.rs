//! `lists` changes no directory but the buildroot of an rpmbuild, unless the user wants it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::small_tree::{RELEASE, Ran, SmallTree};

const POLICY: &str =
    "[[module]]\nmatch = \"b\"\nexclude = true\n[[module]]\nmatch = \"a\"\ninitrd = true\n";

fn tree() -> SmallTree {
    SmallTree::of(&[("fs/a.ko", &["name=a"]), ("fs/b.ko", &["name=b"])])
}

fn lists(tree: &SmallTree, buildroot: &Path, of_rpmbuild: Option<&Path>, more: &[&str]) -> Ran {
    let policy = tree.file("policy.toml", POLICY);
    let mut command = tree.command("lists");
    command
        .args(["--policy", &policy, "--buildroot"])
        .arg(buildroot);
    command.arg("--lists").arg(tree.root().join("lists"));
    if let Some(of_rpmbuild) = of_rpmbuild {
        command.env("RPM_BUILD_ROOT", of_rpmbuild);
    }
    Ran::of(command.args(more))
}

#[test]
fn a_tree_outside_of_rpmbuild_is_left_alone() {
    let tree = tree();
    let other = tempfile::tempdir().unwrap();
    let before = tree.files();
    for of_rpmbuild in [None, Some(other.path()), Some(Path::new("/no/such"))] {
        let ran = lists(&tree, &tree.root(), of_rpmbuild, &[]);
        assert!(!ran.ok, "{ran:?}");
        for told in [
            "rpmbuild does not run on this directory, so nothing was changed",
            "lists would remove kernel/fs/b.ko and write kmpkit-initrd.list, modules.dep, ",
            "--force",
        ] {
            assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
        }
        assert_eq!(ran.stdout, "");
        assert_eq!(tree.files(), before);
        assert!(!tree.root().join("lists").exists());
    }
}

#[test]
fn a_buildroot_of_rpmbuild_and_a_forced_one_are_changed() {
    for forced in [false, true] {
        let tree = tree();
        let root = tree.root();
        let ran = match forced {
            true => lists(&tree, &root, None, &["--force"]),
            // Another name of the same directory.
            false => lists(&tree, &root, Some(&root.join("lib/..")), &[]),
        };
        assert!(ran.ok, "{ran:?}");
        let files = tree.files();
        assert!(!files.contains(&"kernel/fs/b.ko".to_owned()), "{files:?}");
        assert!(files.contains(&"modules.dep".to_owned()), "{files:?}");
        let marked = fs::read_to_string(tree.modules().join("kmpkit-initrd.list"));
        assert_eq!(marked.unwrap(), "a\n");
        let again = lists(&tree, &root, None, &[]);
        assert!(again.ok, "nothing is left to change: {again:?}");
    }
}

#[test]
fn links_lead_to_no_change_outside() {
    let tree = tree();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("target");
    for name in ["modules.dep", "kmpkit-initrd.list"] {
        symlink(&target, tree.modules().join(name)).unwrap();
    }
    let ran = lists(&tree, &tree.root(), None, &["--force"]);
    assert!(ran.ok, "{ran:?}");
    assert!(!target.exists());

    let copy = tempfile::tempdir().unwrap();
    fs::create_dir_all(copy.path().join("lib/modules")).unwrap();
    symlink(
        tree.modules(),
        copy.path().join("lib/modules").join(RELEASE),
    )
    .unwrap();
    let before = tree.files();
    let ran = lists(&tree, copy.path(), None, &["--force"]);
    assert!(!ran.ok && ran.stderr.contains("a link leads to"), "{ran:?}");
    assert_eq!(tree.files(), before);
}
