//! Compiles the kernels that modules are tried in.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::directories::project;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::tools::tail;
use kmpkit_tests::{Chroot, Kernel, Place, cache_dir, once};

use crate::compiled_kernel::Sources;

/// The suite whose kernel sources are taken, with its compiler and its pahole.
const SUITE: &str = "sid";

const TOOLS: &[&str] = &[
    "bc",
    "bison",
    "dwarves",
    "file",
    "flex",
    "gcc",
    "libc6-dev",
    "libelf-dev",
    "libssl-dev",
    "make",
    "openssl",
    "perl",
    "python3",
    "xz-utils",
];

/// Two kernels of one release.
pub(in crate::loader) struct Kernels {
    pub(in crate::loader) first: Kernel,
    /// The same with more types in its BTF.
    pub(super) second: Kernel,
    /// The key that signs modules for both, with its certificate.
    pub(super) key: PathBuf,
}

impl Kernels {
    /// Those in the cache; compiles them if sources or configuration are others than then.
    pub(in crate::loader) fn get() -> Result<Self> {
        let sources = Sources::get(SUITE)?;
        let input = project().join("tests/tests/system/loader/compiled");
        let name = format!("loader-kernels-{}-{:016x}", sources.version, hash(&input)?);
        let directory = cache_dir().join(name);
        once(&directory, |partial| compile(&sources, &input, partial))?;
        Ok(Self {
            first: Kernel::from_tree(&directory.join("first"))?,
            second: Kernel::from_tree(&directory.join("second"))?,
            key: directory.join("key.pem"),
        })
    }
}

fn compile(sources: &Sources, input: &Path, top: &Path) -> Result<()> {
    let chroot = Chroot::get(SUITE, TOOLS, &cache_dir())?;
    let log_path = top.join("build.log");
    let log = File::create(&log_path).with_context(|| log_path.display().to_string())?;
    let archives = sources.archive.parent().context("no directory")?;
    let status = Place::Chroot(chroot)
        .command("nice", &[archives, input, top])?
        .arg("sh")
        .arg(input.join("build.sh"))
        .arg(&sources.archive)
        .args([input, top])
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .context("build.sh")?;
    let log = fs::read_to_string(&log_path).with_context(|| log_path.display().to_string())?;
    ensure!(status.success(), "no kernel:\n{}", tail(&log, 40));
    Ok(())
}

/// A number for what the kernels are made of beside their sources.
fn hash(input: &Path) -> Result<u64> {
    let mut files = Vec::new();
    walk(input, &mut files)?;
    files.retain(|path| path.extension().is_none_or(|end| end != "rs"));
    files.sort();
    let mut hasher = DefaultHasher::new();
    for path in files {
        hasher.write(&fs::read(&path).with_context(|| path.display().to_string())?);
    }
    Ok(hasher.finish())
}
