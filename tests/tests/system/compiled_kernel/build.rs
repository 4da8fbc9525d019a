//! Turns the kernel sources of a suite into packages, by `examples/kernel.spec` and the compiler
//! and rpm of that suite.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use kmpkit_tests::apt::Apt;
use kmpkit_tests::directories::project;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::place::Place;
use kmpkit_tests::rpmbuild::Built;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::tail;
use kmpkit_tests::{Chroot, cache_dir, once};

/// What the spec's BuildRequires are called in Debian, and rpm.
const TOOLS: &[&str] = &[
    "bc",
    "bison",
    "file",
    "flex",
    "gcc",
    "libc6-dev",
    "libelf-dev",
    "libssl-dev",
    "make",
    "openssl",
    "rpm",
    "xz-utils",
];

/// The archive of a suite's kernel sources and the kernel version they are.
pub(crate) struct Sources {
    pub(crate) archive: PathBuf,
    pub(crate) version: String,
}

/// Compiles the kernel of a suite below `top` and packages it.
///
/// # Errors
/// rpmbuild fails; the error has the end of what it printed, `<top>/rpmbuild.log` has all.
pub(super) fn packages(suite: &str, top: &Path) -> Result<Built> {
    let sources = Sources::get(suite)?;
    let spec = lay_out(&sources, top)?;
    let chroot = Chroot::get(suite, TOOLS, &cache_dir())?;
    Stage::get()?.install(chroot.root())?;
    let log_path = top.join("rpmbuild.log");
    let output = File::create(&log_path).with_context(|| log_path.display().to_string())?;
    // rpm's database there does not know Debian's packages: --nodeps.
    let status = Place::Chroot(chroot)
        .command("rpmbuild", &[top])?
        .args(["-bb", "--nodeps", "--define"])
        .arg(format!("_topdir {}", top.display()))
        .args(["--define", &format!("kernel_version {}", sources.version)])
        .args(["--define", "kmp_dialect suse"])
        .arg(&spec)
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .context("rpmbuild")?;
    let log = fs::read_to_string(&log_path).with_context(|| log_path.display().to_string())?;
    ensure!(
        status.success(),
        "rpmbuild of {} failed:\n{}",
        spec.display(),
        tail(&log, 40)
    );
    let mut rpms = Vec::new();
    walk(&top.join("RPMS"), &mut rpms)?;
    rpms.sort();
    Ok(Built { rpms, log })
}

/// Puts the sources and the spec where rpmbuild wants them; gives the spec.
fn lay_out(sources: &Sources, top: &Path) -> Result<PathBuf> {
    let directory = top.join("SOURCES");
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    let examples = project().join("examples");
    let copy = |from: &Path| -> Result<PathBuf> {
        let to = directory.join(from.file_name().context("a file without name")?);
        fs::copy(from, &to).with_context(|| format!("copy {}", from.display()))?;
        Ok(to)
    };
    copy(&sources.archive)?;
    copy(&examples.join("kernel.config"))?;
    copy(&examples.join("kernel.spec"))
}

impl Sources {
    /// The suite's current kernel sources, in `<cache>/<suite>-source`.
    pub(crate) fn get(suite: &str) -> Result<Sources> {
        let directory = cache_dir().join(format!("{suite}-source"));
        once(&directory, |partial| {
            let apt_dir = directory.with_extension("apt");
            let apt = Apt::new(&apt_dir, suite, "amd64")?;
            let metapackage = ["linux-source".to_owned()];
            apt.unpack(&apt.release_closure(&metapackage)?, partial)?;
            let of = apt.show(&metapackage)?.pop().context("no linux-source")?;
            fs::write(partial.join("version"), upstream(&of.version))?;
            fs::remove_dir_all(&apt_dir).with_context(|| apt_dir.display().to_string())
        })?;
        let mut archives = Vec::new();
        walk(&directory.join("usr/src"), &mut archives)?;
        archives.retain(|path| path.to_string_lossy().ends_with(".tar.xz"));
        match archives.as_slice() {
            [archive] => Ok(Sources {
                archive: archive.clone(),
                version: fs::read_to_string(directory.join("version"))?,
            }),
            _ => bail!("{}: {archives:?} is not one archive", directory.display()),
        }
    }
}

/// The version of the kernel in the version of a package of Debian.
fn upstream(version: &str) -> &str {
    let end = version.find(|c: char| c != '.' && !c.is_ascii_digit());
    end.and_then(|end| version.get(..end)).unwrap_or(version)
}

#[test]
fn debian_revisions_are_no_part_of_the_kernel_version() {
    assert_eq!(upstream("6.12.117-1"), "6.12.117");
    assert_eq!(upstream("6.16.3+deb13-1~bpo1"), "6.16.3");
    assert_eq!(upstream("7.0~rc4-1~exp1"), "7.0");
}
