//! Turns a distribution kernel into packages, virtual hardware into the few that it needs, and
//! these into a machine that boots.

mod build;
mod steps;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use kmpkit_tests::drive::drive;
use kmpkit_tests::modular::example;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::{Kernel, Machine, Zypp, cache_dir, need, need_root};

use crate::steps::Steps;

/// From kernel tree to booted machine: packages by policy, chosen by hardware.
#[derive(Debug, Parser)]
struct Options {
    /// Directory for packages, repository and root; what an earlier run left is removed
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

fn main() -> Result<()> {
    let options = Options::parse();
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
    let mut steps = Steps::default();

    steps.run("build kmpkit", |_| Stage::get())?;
    let kernel = steps.run("kernel and headers from the archive", |_| kernel(&options))?;
    let repo = match &options.repo {
        Some(repo) => repo.clone(),
        None => build::packages(&mut steps, &kernel, &options)?,
    };
    let machine = Machine::full();
    let aliases = steps.run("machine without modules: read its hardware", |_| {
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

    table::Summary::collect(&zypp, &repo, &image, &driven.hardware, report, &whole)?.print();
    steps.print();
    println!(
        "\nThe packages are in {0}; try: rpm -qp --supplements {0}/*/*e1000*.rpm",
        repo.display()
    );
    println!("The installed root is {}", zypp.root().display());
    let missing: Vec<_> = whole.bound().difference(&report.bound()).cloned().collect();
    if !missing.is_empty() {
        bail!("devices with a driver in the whole kernel, but not here: {missing:#?}");
    }
    Ok(())
}

fn kernel(options: &Options) -> Result<Kernel> {
    match &options.suite {
        Some(suite) => Kernel::from_archive(suite, "amd64", &cache_dir()),
        None => Kernel::from_env_or_archive(&own_suite()?, "amd64", &cache_dir()),
    }
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
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("remove {}", root.display()))?;
    }
    Zypp::new(&root, &[("kmp", repo)])
}
