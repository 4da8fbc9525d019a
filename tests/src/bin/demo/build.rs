//! Turns a kernel tree into a repository: rpmbuild with a count of finished packages, createrepo_c.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use kmpkit_tests::Kernel;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::modular;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::{command_line, tail, tool};

use crate::Options;
use crate::steps::Steps;

/// Builds all packages of the kernel and gives the repository they are in.
pub fn packages(steps: &mut Steps, kernel: &Kernel, options: &Options) -> Result<PathBuf> {
    let top = options.work.join("rpmbuild");
    let repo = options.work.join("repo");
    for dir in [&top, &repo] {
        if dir.exists() {
            fs::remove_dir_all(dir).with_context(|| format!("remove {}", dir.display()))?;
        }
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    }
    let modules = kernel.modules()?.len();
    steps.run(&format!("rpmbuild: packages of {modules} modules"), |bar| {
        rpmbuild(bar, kernel, options, &top, &repo)
    })?;
    steps.run("createrepo_c", |_| createrepo(&repo))?;
    Ok(repo)
}

fn rpmbuild(
    bar: &ProgressBar,
    kernel: &Kernel,
    options: &Options,
    top: &Path,
    repo: &Path,
) -> Result<()> {
    let log = top.join("rpmbuild.log");
    let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let mut command = tool("rpmbuild")?;
    command.args([
        "-bb",
        "--define",
        &format!("kernel_tree {}", kernel.root.display()),
    ]);
    command.args(["--define", &format!("_topdir {}", top.display())]);
    command.args(["--define", &format!("_rpmdir {}", repo.display())]);
    command.args(["--define", "_binary_payload w7.zstdio"]);
    if let Some(policy) = &options.policy {
        let file = match policy.ends_with(".toml") {
            true => policy.clone(),
            false => modular::policy(policy),
        };
        command.args(["--define", &format!("kmp_policy {file}")]);
    }
    command.arg(&options.spec);
    command.env("RPM_CONFIGDIR", Stage::get()?.rpm_config());
    command.stdout(out.try_clone()?).stderr(out);
    let line = command_line(&command);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start: {line}"))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let built = count(repo)?;
        bar.set_message(if built == 0 {
            "(reading modules)".to_owned()
        } else {
            format!("({built} written)")
        });
        sleep(Duration::from_millis(500));
    };
    if !status.success() {
        let said = fs::read_to_string(&log).unwrap_or_default();
        bail!(
            "{status} from: {line}\n{}\nall of it: {}",
            tail(&said, 25),
            log.display()
        );
    }
    Ok(())
}

fn count(repo: &Path) -> Result<usize> {
    let mut files = Vec::new();
    walk(repo, &mut files)?;
    Ok(files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "rpm"))
        .count())
}
