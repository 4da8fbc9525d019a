//! What kmp-split prints where, and what its messages name.

use std::process::Stdio;

use crate::small_tree::{Ran, SmallTree};

fn tree() -> SmallTree {
    SmallTree::of(&[("fs/a.ko", &["name=a"]), ("fs/b.ko", &["name=b"])])
}

#[test]
fn a_failure_prints_a_line_for_rpm_only_into_a_spec() {
    let tree = tree();
    for (command, options, into_spec) in [
        ("plan", &["--policy", "/no/such"][..], false),
        ("explain", &["no-such-module"], false),
        ("plan", &["--no-such-option"], false),
        ("no-such-command", &[], false),
        ("spec", &["--lists", "/l", "--policy", "/no/such"], true),
        ("spec", &["--no-such-option"], true),
        ("tree", &[], true),
    ] {
        let ran = tree.run(command, options);
        let stdout = if into_spec {
            "%files -n kmp-split-failed-see-the-error-above\n"
        } else {
            ""
        };
        assert!(!ran.ok && !ran.stderr.is_empty(), "{command}: {ran:?}");
        assert_eq!(ran.stdout, stdout, "{command} {options:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let tree = tree();
    let mut plan = tree.command("plan");
    let mut plan = plan
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(plan.stdout.take());
    let output = plan.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn the_page_goes_to_stdout_for_a_dash() {
    let ran = tree().run("report", &["--html", "-"]);
    assert!(
        ran.ok && ran.stdout.starts_with("<!DOCTYPE html>"),
        "{ran:?}"
    );
    assert!(!std::path::Path::new("-").exists());
}

#[test]
fn messages_name_the_file_that_was_asked_for() {
    let tree = tree();
    let directory = tree.root().display().to_string();
    for (file, reason) in [
        (
            "/no/such/page.html",
            "No such file or directory (os error 2)",
        ),
        (&*directory, "Is a directory (os error 21)"),
    ] {
        let Ran { ok, stderr, .. } = tree.run("report", &["--html", file]);
        assert!(!ok);
        assert_eq!(stderr, format!("kmp-split: {file}: {reason}\n"));
    }
}

/// People copy the names of files, and those that lsmod prints.
#[test]
fn a_module_is_provided_by_both_spellings_of_its_name() {
    let tree = SmallTree::of(&[("drivers/gpu/virtio-gpu.ko", &["name=virtio_gpu"])]);
    for (dialect, other) in [("suse", "virtio-gpu"), ("redhat", "virtio_gpu")] {
        let ran = tree.run("spec", &["--lists", "/lists", "--dialect", dialect]);
        let tag = format!("\nProvides: kmod({other}.ko) = 6.1.0_50_amd64\n");
        assert!(ran.stdout.contains(&tag), "{dialect}: {ran:?}");
        assert_eq!(
            ran.stdout.matches("Provides: kmod(").count(),
            1,
            "{dialect}"
        );
    }
}
