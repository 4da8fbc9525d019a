//! Finds the macros by which a spec names the files of a kernel tree.

use std::path::{Path, PathBuf};

use kmodule::Kernelrelease;
use modtree::KernelFiles;

/// Returns the `kmp_*` macros of the kernel in `tree`, each with its value: where the files are, and
/// where the image package installs them.
pub fn tree_macros(tree: &KernelFiles) -> Vec<(&'static str, String)> {
    let release = &tree.release;
    let evr = evr(release);
    let (version, build) = evr.split_once('-').unwrap_or((&evr, "1"));
    let mut macros = vec![
        ("kmp_root", tree.root.display().to_string()),
        ("kmp_kernelrelease", release.to_string()),
        ("kmp_tree_flavor", release.flavor().to_owned()),
        ("kmp_tree_kabi", release.as_str().replace('-', "_")),
        ("kmp_version", version.to_owned()),
        ("kmp_release", build.to_owned()),
        ("kmp_modules_dir", below_root(tree, tree.modules.path())),
    ];
    for (from, to, source) in [
        ("kmp_image_source", "kmp_image", &tree.image),
        ("kmp_system_map_source", "kmp_system_map", &tree.system_map),
        ("kmp_config_source", "kmp_config", &tree.config),
    ] {
        macros.push((from, source.display().to_string()));
        macros.push((to, installed(tree, source)));
    }
    if let Some(symvers) = &tree.symvers {
        macros.push(("kmp_symvers_source", symvers.display().to_string()));
    }
    macros
}

/// Returns version and release for the packages of a kernel. They are what the kernelrelease has
/// before the flavor: upstream's version, then the build.
pub fn evr(release: &Kernelrelease) -> String {
    let base = release.as_str().rsplit_once('-');
    let base = base.map_or(release.as_str(), |(base, _)| base);
    let (version, build) = base.split_once('-').unwrap_or((base, "1"));
    format!("{version}-{}", build.replace('-', "_"))
}

/// The installed path of a file. Files in boot/ or beside the modules keep their paths. Others go to
/// /boot, with the release in their name.
fn installed(tree: &KernelFiles, source: &Path) -> String {
    let in_place =
        source.starts_with(tree.root.join("boot")) || source.starts_with(tree.modules.path());
    if in_place {
        return below_root(tree, source);
    }
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    format!("/boot/{}-{}", name.trim_start_matches('.'), tree.release)
}

fn below_root(tree: &KernelFiles, path: &Path) -> String {
    let path: PathBuf = tree.below_root(path);
    path.display().to_string()
}
