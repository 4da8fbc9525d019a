//! Checks that generators print nothing for paths where there is no file, and succeed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tagging::GENERATORS;

/// What `%ghost` names before a scriptlet makes it.
fn no_files(root: &Path) -> Vec<PathBuf> {
    let modules = root.join("lib/modules/6");
    fs::create_dir_all(&modules).unwrap();
    // A symvers file beside an image that is to come says nothing of what is there now.
    fs::write(
        modules.join("symvers"),
        "0x1\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n",
    )
    .unwrap();
    let names = ["made-later.ko", "made-later.ko.xz", "vmlinuz"];
    let mut paths: Vec<_> = names.iter().map(|name| modules.join(name)).collect();
    paths.push(root.join("boot/vmlinuz-6"));
    paths
}

fn answer(generator: &str, options: &[&str], root: &Path, paths: &[PathBuf], log: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kmpkit-generator"))
        .arg0(generator)
        .args(options)
        .env("RPM_BUILD_ROOT", root)
        .env("RUST_LOG", log)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for path in paths {
        writeln!(stdin, "{}", path.display()).unwrap();
    }
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_no_file_has_no_tags() {
    let root = tempfile::tempdir().unwrap();
    let paths = no_files(root.path());
    let policy = root.path().join("policy.toml");
    fs::write(
        &policy,
        "[[module]]\nmatch = ['made-later', 'directory']\nprovides = ['x']\n",
    )
    .unwrap();
    let policy = policy.to_str().unwrap();
    for generator in GENERATORS {
        let mut options = vec!["--policy", policy];
        if generator.needs_policy() {
            options.extend(["--type", "provides"]);
        }
        let output = answer(generator.name, &options, root.path(), &paths, "warn");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", generator.name);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "",
            "{}",
            generator.name
        );
        assert_eq!(said, "", "{}", generator.name);
    }
}

#[test]
fn that_there_is_no_file_is_said_at_debug_level() {
    let root = tempfile::tempdir().unwrap();
    let paths = no_files(root.path());
    let output = answer("ksym-provides", &[], root.path(), &paths, "debug");
    let said = String::from_utf8_lossy(&output.stderr);
    for words in ["made-later.ko: it does not exist, so it has no tags"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
}
