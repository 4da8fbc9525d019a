//! Turns a kernel tree into the packages and the repository of a modular kernel, by
//! `examples/modular-kernel.spec`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::directories::project;
use crate::kernel::{Kernel, walk};
use crate::rpmbuild::{Built, Rpm};
use crate::rpms::createrepo;
use crate::tools::run;

/// The spec file of the example.
pub fn example() -> PathBuf {
    project().join("examples/modular-kernel.spec")
}

/// One of the policies that are shipped beside the default one.
pub fn policy(name: &str) -> String {
    let path = project().join("policy").join(name).with_extension("toml");
    path.display().to_string()
}

/// Builds the packages of a kernel below `top` with the payload compressed little, by the default
/// policy unless `defines` say otherwise.
pub fn packages(rpm: &Rpm, kernel: &Kernel, top: &Path, defines: &[(&str, &str)]) -> Result<Built> {
    let root = kernel.root.display().to_string();
    let mut all = vec![
        ("kernel_tree", root.as_str()),
        ("_binary_payload", "w1.zstdio"),
        // rpm warns if it cannot find the host's own name.
        ("_buildhost", "localhost"),
    ];
    all.extend(defines);
    let sees = [&*kernel.root, &*project().join("policy")];
    let built = rpm.build(&example(), top, &all, &sees)?;
    let warnings = built
        .log
        .lines()
        .filter(|line| line.starts_with("warning:"))
        // Of generators that a package defined itself, by rpm since 4.20 with or without ours.
        .filter(|line| !line.contains("unexpected argument to non-parametric macro"));
    let warnings: Vec<_> = warnings.collect();
    ensure!(warnings.is_empty(), "rpm warns: {}", warnings.join("\n"));
    Ok(built)
}

/// The file in which a build below `top` left what softdeps lead to.
pub fn softdeps(kernel: &Kernel, top: &Path) -> Result<PathBuf> {
    let wanted = format!("kmpkit-{}/softdeps", kernel.release);
    let mut files = Vec::new();
    walk(&top.join("BUILD"), &mut files)?;
    let found = files.into_iter().find(|path| path.ends_with(&wanted));
    found.with_context(|| format!("no {wanted} in {}", top.join("BUILD").display()))
}

/// Builds the packages and makes a repository of them.
pub fn repository(
    rpm: &Rpm,
    kernel: &Kernel,
    top: &Path,
    defines: &[(&str, &str)],
) -> Result<PathBuf> {
    packages(rpm, kernel, top, defines)?;
    let repo = top.join("RPMS");
    createrepo(&repo)?;
    Ok(repo)
}

/// A tree of the same kernel with only the modules in (or below) `paths`, such as
/// `kernel/drivers/usb`, and its `Module.symvers`.
pub fn part(kernel: &Kernel, root: &Path, paths: &[&str]) -> Result<Kernel> {
    let below = kernel.modules_dir.strip_prefix(&kernel.root)?;
    let modules = root.join(below);
    let copy = |from: &Path, to: &Path| -> Result<()> {
        let parent = to.parent().context("no parent")?;
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        run(std::process::Command::new("cp")
            .args(["-a", "-T"])
            .arg(from)
            .arg(to))
        .map(drop)
    };
    let boot = root.join("boot");
    for (from, name) in [
        (Some(&kernel.vmlinuz), "vmlinuz"),
        (Some(&kernel.system_map), "System.map"),
        (Some(&kernel.config), "config"),
        (kernel.symvers.as_ref(), "symvers"),
    ] {
        if let Some(from) = from {
            copy(from, &boot.join(format!("{name}-{}", kernel.release)))?;
        }
    }
    for list in [
        "modules.builtin",
        "modules.builtin.modinfo",
        "modules.order",
    ] {
        let from = kernel.modules_dir.join(list);
        if from.exists() {
            copy(&from, &modules.join(list))?;
        }
    }
    for path in paths {
        copy(&kernel.modules_dir.join(path), &modules.join(path))?;
    }
    Kernel::from_tree(root)
}
