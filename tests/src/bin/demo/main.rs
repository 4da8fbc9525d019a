//! Shows a modular kernel: splits the distribution's kernel into packages, lets zypper choose what a
//! virtual machine needs, and boots that.

mod build;
mod steps;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use kmpkit_tests::drive::drive;
use kmpkit_tests::modular::example;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::{Kernel, Machine, Zypp, cache_dir, need, need_root};

use crate::steps::Steps;
use crate::table::{Summary, Verdict};

const WHAT_HAPPENS: &str = "\
1. rpmbuild splits the distribution's kernel into packages.
2. A virtual machine boots the kernel image without modules and lists its hardware.
3. zypper installs the image and what this hardware needs into an empty root. The machine boots this
   root. New hardware may appear behind new drivers; then this is done again.
4. The machine boots the whole kernel, to compare.
";

/// From a kernel to a booted machine: packages by policy, chosen by hardware.
#[derive(Debug, Parser)]
struct Options {
    /// Directory for packages, repository and root; what an earlier run left is replaced
    #[arg(long, default_value = "/var/tmp/kmpkit-demo")]
    work: PathBuf,
    /// Suite whose current kernel is used; without it this system's, or the tree in KERNEL_TREE
    #[arg(long)]
    suite: Option<String>,
    /// The spec that packages a kernel tree
    #[arg(long, default_value_os_t = example())]
    spec: PathBuf,
    /// A shipped policy such as per-module, or a policy file, instead of the default one
    #[arg(long)]
    policy: Option<String>,
    /// A repository that is already built
    #[arg(long)]
    repo: Option<PathBuf>,
}

fn main() -> ExitCode {
    match demo(&Options::parse()) {
        Ok(verdict) => {
            println!("\n{verdict}");
            verdict.exit_code()
        }
        Err(error) => {
            eprintln!("\nFailed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo(options: &Options) -> Result<Verdict> {
    need(&[
        "apt-get",
        "rpmbuild",
        "createrepo_c",
        "zypper",
        "qemu-system-x86_64",
        "busybox",
        "modprobe",
    ])?;
    need_root("installing packages into a root")?;
    println!(
        "\n{WHAT_HAPPENS}\nAll of it is in {}.\n",
        options.work.display()
    );
    let mut steps = Steps::default();

    steps.run(
        "make install: kmpkit, beside a copy of rpm's configuration",
        |_| Stage::get(),
    )?;
    let kernel = kernel(&mut steps, options)?;
    let repo = match &options.repo {
        Some(repo) => repo.clone(),
        None => build::repository(&mut steps, &kernel, options)?,
    };
    let machine = Machine::full();
    let aliases = steps.run("machine without modules: lists its hardware", |_| {
        machine.modaliases(&kernel)
    })?;
    let flavor = kernel.release.rsplit('-').next().unwrap_or_default();
    let image = format!("kernel-{flavor}-image");
    let mut zypp = zypp(&options.work, &repo)?;
    let driven = drive(&machine, &mut zypp, &image, aliases, &mut |name, work| {
        steps.run(name, |_| work())
    })?;
    let report = driven.boots.last().context("no boot")?;
    let whole = steps.run("machine with the whole kernel, to compare", |_| {
        machine.boot_kernel(&kernel)
    })?;

    let summary = Summary::collect(&zypp, &repo, &image, &driven.hardware, report, &whole)?;
    summary.print();
    steps.print();
    println!(
        "\nThe packages are in {0}; try: rpm -qp --supplements {0}/*/*e1000*.rpm",
        repo.display()
    );
    println!("The installed root is {}", zypp.root().display());
    Ok(summary.verdict(report, &whole))
}

fn kernel(steps: &mut Steps, options: &Options) -> Result<Kernel> {
    if options.suite.is_none() && std::env::var_os("KERNEL_TREE").is_some() {
        return steps.run("kernel: KERNEL_TREE", |_| {
            Kernel::from_env_or_archive("", "amd64", &cache_dir())
        });
    }
    let suite = match &options.suite {
        Some(suite) => suite.clone(),
        None => own_suite()?,
    };
    steps.run(&format!("kernel and headers of Debian {suite}"), |_| {
        Kernel::from_archive(&suite, "amd64", &cache_dir())
    })
}

fn own_suite() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").context("/etc/os-release")?;
    let suite = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(suite
        .context("/etc/os-release: no VERSION_CODENAME; give --suite")?
        .trim_matches('"')
        .to_owned())
}

fn zypp(work: &Path, repo: &Path) -> Result<Zypp> {
    let root = work.join("root");
    build::remove(&root)?;
    Zypp::new(&root, &[("kmp", repo)])
}
