//! Builds the repository of the demonstration, and says how far rpmbuild is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kmpkit_tests::Kernel;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::modular;
use kmpkit_tests::once::beside;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::{command_line, tail, tool};

use crate::Options;
use crate::steps::{Progress, Steps};

/// Builds all packages of the kernel and gives the repository they are in.
///
/// The repository of an earlier run is there until the new one is complete.
pub fn repository(steps: &mut Steps, kernel: &Kernel, options: &Options) -> Result<PathBuf> {
    let top = options.work.join("rpmbuild");
    let repo = options.work.join("repo");
    let new = beside(&repo, ".new");
    for dir in [&top, &new] {
        remove(dir)?;
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    }
    let modules = kernel.modules()?.len();
    let step = format!("rpmbuild: packages of {modules} modules");
    steps.run(&step, |progress| {
        rpmbuild(progress, kernel, options, &top, &new)
    })?;
    steps.run("createrepo_c: the repository's metadata", |_| {
        createrepo(&new)
    })?;
    remove(&repo)?;
    fs::rename(&new, &repo).with_context(|| format!("rename {}", new.display()))?;
    Ok(repo)
}

/// Removes a directory, if it is there.
pub fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("remove {}", dir.display()))?;
    }
    Ok(())
}

fn rpmbuild(
    progress: &Progress,
    kernel: &Kernel,
    options: &Options,
    top: &Path,
    repo: &Path,
) -> Result<()> {
    let log = top.join("rpmbuild.log");
    let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let mut command = command(kernel, options, top, repo)?;
    command.stdout(out.try_clone()?).stderr(out);
    let line = command_line(&command);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start: {line}"))?;
    let said = || String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        progress.say(&stage(&said(), packages(repo)?));
        sleep(Duration::from_millis(500));
    };
    if !status.success() {
        bail!(
            "{status} from: {line}\n{}\nall of it: {}",
            tail(&said(), 25),
            log.display()
        );
    }
    Ok(())
}

fn command(kernel: &Kernel, options: &Options, top: &Path, repo: &Path) -> Result<Command> {
    let mut defines = vec![
        format!("kernel_tree {}", kernel.root.display()),
        format!("_topdir {}", top.display()),
        format!("_rpmdir {}", repo.display()),
        "_binary_payload w7.zstdio".to_owned(),
    ];
    if let Some(policy) = &options.policy {
        let file = match policy.ends_with(".toml") {
            true => policy.clone(),
            false => modular::policy(policy),
        };
        defines.push(format!("kmp_policy {file}"));
    }
    let mut command = tool("rpmbuild")?;
    command.arg("-bb");
    for define in &defines {
        command.args(["--define", define]);
    }
    command.arg(&options.spec);
    command.env("RPM_CONFIGDIR", Stage::get()?.rpm_config());
    Ok(command)
}

/// What rpmbuild is at, by what it has printed and how many packages it has written.
fn stage(log: &str, written: usize) -> String {
    let gathered = log.matches("Processing files: ").count();
    if written > 0 {
        format!("writes packages: {written} of {gathered}")
    } else if gathered > 0 {
        format!("gathers files and dependencies: {gathered} packages")
    } else if log.contains("Executing(%install)") {
        "copies modules, plans packages, computes dependencies".to_owned()
    } else {
        "reads modules, plans packages".to_owned()
    }
}

/// How many packages are in a directory.
fn packages(repo: &Path) -> Result<usize> {
    let mut files = Vec::new();
    walk(repo, &mut files)?;
    Ok(files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "rpm"))
        .count())
}
