//! Turns names and tags into a repository of empty rpms, for scenarios that need no real kernel.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::tools::{need, run, tool};

/// A package without files.
#[derive(Debug, Clone)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version, without a release.
    pub version: String,
    /// Release.
    pub release: String,
    /// Tag as in a spec, such as `Provides`, and its value.
    pub tags: Vec<(String, String)>,
}

/// Builds the packages into `dir`, which becomes a repository.
pub fn repository(packages: &[Package], dir: &Path) -> Result<()> {
    need(&["rpmbuild", "createrepo_c"])?;
    fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    for (number, spec) in specs(packages).iter().enumerate() {
        let work = tempfile::tempdir().context("temporary directory")?;
        let file = work.path().join("packages.spec");
        fs::write(&file, spec).with_context(|| format!("write {}", file.display()))?;
        let mut rpmbuild = tool("rpmbuild")?;
        rpmbuild.args([
            "-bb",
            "--quiet",
            "--define",
            &format!("_topdir {}", work.path().display()),
        ]);
        rpmbuild.args(["--define", &format!("_rpmdir {}", dir.display())]);
        rpmbuild.args([
            "--define",
            "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        ]);
        run(rpmbuild.arg(&file)).with_context(|| format!("spec {number}:\n{spec}"))?;
    }
    createrepo(dir)
}

/// Makes the metadata of a directory of rpms.
pub fn createrepo(dir: &Path) -> Result<()> {
    run(tool("createrepo_c")?.arg("--quiet").arg(dir)).map(drop)
}

/// One spec for each further version of a name, as a spec can hold a name once.
fn specs(packages: &[Package]) -> Vec<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut specs: Vec<String> = Vec::new();
    for package in packages {
        let count = seen.entry(&package.name).or_insert(0);
        if specs.len() == *count {
            specs.push(
                "Name: scenario-source\nVersion: 0\nRelease: 0\nSummary: x\nLicense: x\nBuildArch: noarch\n%description\nx\n"
                    .to_owned(),
            );
        }
        if let Some(spec) = specs.get_mut(*count) {
            let Package {
                name,
                version,
                release,
                ..
            } = package;
            let _ = writeln!(
                spec,
                "%package -n {name}\nSummary: x\nVersion: {version}\nRelease: {release}\nAutoReqProv: no"
            );
            for (tag, value) in &package.tags {
                let _ = writeln!(spec, "{tag}: {}", value.replace('%', "%%"));
            }
            let _ = writeln!(spec, "%description -n {name}\nx\n%files -n {name}");
        }
        *count += 1;
    }
    specs
}
