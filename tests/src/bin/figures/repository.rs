//! Turns a kernel and a split into a repository, and that into what it weighs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::Kernel;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::modular::repository;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::{run, tool};

use crate::split::Split;

/// What the demonstration compresses with: of a size that a distribution would ship.
const PAYLOAD: &str = "w7.zstdio";

/// What a client may read of the metadata; createrepo_c also makes databases, which zypper leaves
/// alone.
const METADATA: [&str; 3] = ["-primary.xml.", "-filelists.xml.", "-other.xml."];

/// A repository of one kernel.
#[derive(Debug)]
pub struct Repository {
    /// Directory with rpms and repodata.
    pub dir: PathBuf,
    /// Name of the image package.
    pub image: String,
    /// Bytes of each package's rpm, by the package's name.
    pub rpms: BTreeMap<String, u64>,
    /// Bytes of primary, filelists and other.
    pub metadata: u64,
    /// Bytes of a list that has the file name of each rpm on a line, as the notice of an update
    /// names them.
    pub notice: u64,
    kmp_suffix: String,
}

impl Repository {
    /// Builds the packages below `top`, or takes those of an earlier run.
    pub fn of(kernel: &Kernel, split: Split, top: &Path, reuse: bool) -> Result<Self> {
        let dir = top.join("RPMS");
        if !(reuse && dir.join("repodata/repomd.xml").exists()) {
            build(kernel, split, top)?;
        }
        let rpms = files(&dir, |name| name.ends_with(".rpm"))?;
        let metadata = files(&dir.join("repodata"), |name| {
            METADATA.iter().any(|part| name.contains(part))
        })?;
        ensure!(
            metadata.len() == METADATA.len(),
            "{}: {} of {} metadata files",
            dir.display(),
            metadata.len(),
            METADATA.len()
        );
        let line = |(rpm, _): &(PathBuf, u64)| rpm.file_name().unwrap_or_default().len() + 1;
        let flavor = kernel.release.rsplit('-').next().unwrap_or_default();
        Ok(Self {
            image: format!("kernel-{flavor}-image"),
            kmp_suffix: format!("-kmp-{flavor}"),
            metadata: metadata.iter().map(|(_, bytes)| bytes).sum(),
            notice: rpms.iter().map(line).sum::<usize>() as u64,
            rpms: by_name(&rpms)?,
            dir,
        })
    }

    /// Kernel module packages and their bytes.
    pub fn kmps(&self) -> impl Iterator<Item = (&str, u64)> {
        let kmp = |(name, _): &(&String, &u64)| name.ends_with(&self.kmp_suffix);
        let rpms = self.rpms.iter().filter(kmp);
        rpms.map(|(name, bytes)| (name.as_str(), *bytes))
    }

    /// How many packages have no files of their own: patterns, and the one that requires all.
    pub fn without_files(&self) -> usize {
        self.rpms.len() - self.kmps().count() - 1
    }

    /// Bytes of the image package.
    pub fn image_bytes(&self) -> u64 {
        self.rpms.get(&self.image).copied().unwrap_or_default()
    }

    /// Bytes of all rpms.
    pub fn bytes(&self) -> u64 {
        self.rpms.values().sum()
    }
}

fn build(kernel: &Kernel, split: Split, top: &Path) -> Result<()> {
    if top.exists() {
        fs::remove_dir_all(top).with_context(|| format!("remove {}", top.display()))?;
    }
    fs::create_dir_all(top).with_context(|| format!("create {}", top.display()))?;
    let policy = split.policy(top)?;
    let mut defines = vec![("kmp_dialect", "suse"), ("_binary_payload", PAYLOAD)];
    defines.extend(policy.as_deref().map(|file| ("kmp_policy", file)));
    let repo = repository(&Rpm::host()?, kernel, top, &defines)?;
    // Smaller than the gzip that this createrepo_c takes by itself, as today's default, zstd, is.
    let mut createrepo = tool("createrepo_c")?;
    createrepo.args(["--quiet", "--general-compress-type", "xz"]);
    run(createrepo.arg(&repo))?;
    // As large as the kernel, and nobody looks at it again.
    for left in ["BUILD", "BUILDROOT"] {
        let left = top.join(left);
        if left.exists() {
            fs::remove_dir_all(&left).with_context(|| format!("remove {}", left.display()))?;
        }
    }
    Ok(())
}

/// The files below a directory whose names are wanted, and their bytes.
pub fn files(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    walk(dir, &mut found)?;
    found.retain(|file| {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(&wanted)
    });
    found.sort();
    let sized = |file: PathBuf| {
        let bytes = file
            .metadata()
            .with_context(|| file.display().to_string())?;
        Ok((file, bytes.len()))
    };
    found.into_iter().map(sized).collect()
}

fn by_name(rpms: &[(PathBuf, u64)]) -> Result<BTreeMap<String, u64>> {
    let names = run(tool("rpm")?
        .args(["-qp", "--nosignature", "--nodigest", "--qf", "%{NAME}\n"])
        .args(rpms.iter().map(|(file, _)| file)))?;
    let names: Vec<String> = names.lines().map(str::to_owned).collect();
    let bytes = rpms.iter().map(|(_, bytes)| *bytes);
    let by_name: BTreeMap<String, u64> = names.into_iter().zip(bytes).collect();
    ensure!(
        by_name.len() == rpms.len(),
        "{} names of {} packages",
        by_name.len(),
        rpms.len()
    );
    Ok(by_name)
}
