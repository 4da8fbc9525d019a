//! Checks that generators print nothing for paths where there is no file, and succeed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tagging::GENERATORS;

/// What rpm asks about and is no module, kernel image or symvers file: what `%ghost` names before a
/// scriptlet makes it, directories, links to them, and a FIFO, which would never end.
fn no_files(root: &Path) -> Vec<PathBuf> {
    let modules = root.join("lib/modules/6");
    fs::create_dir_all(modules.join("directory.ko/inner")).unwrap();
    fs::create_dir_all(modules.join("vmlinuz")).unwrap();
    fs::create_dir_all(root.join("opt/elsewhere")).unwrap();
    fs::create_dir_all(root.join("boot/symvers-6.gz")).unwrap();
    symlink("directory.ko", modules.join("link.ko")).unwrap();
    symlink("/opt/elsewhere", modules.join("out.ko")).unwrap();
    let fifo = modules.join("fifo.ko");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    // A symvers file beside an image that is to come says nothing of what is there now.
    fs::write(
        modules.join("symvers"),
        "0x1\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n",
    )
    .unwrap();
    let names = [
        "made-later.ko",
        "made-later.ko.xz",
        "directory.ko",
        "link.ko",
        "out.ko",
        "vmlinuz",
    ];
    let mut paths: Vec<_> = names.iter().map(|name| modules.join(name)).collect();
    paths.push(fifo);
    paths.extend([root.join("boot/vmlinuz-6"), root.join("boot/symvers-6.gz")]);
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
    for words in [
        "made-later.ko: it does not exist, so it has no tags",
        "directory.ko: a directory, so it has no tags",
        "fifo.ko: neither a file nor a link, so it has no tags",
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
}
