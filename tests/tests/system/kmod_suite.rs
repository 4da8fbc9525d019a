//! kmod's own tests of depmod, from the sources in Debian's archive, with `kmp depmod` in the place of
//! depmod.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::apt::Apt;
use kmpkit_tests::once::{lock, once};
use kmpkit_tests::stage::Stage;
use kmpkit_tests::{Chroot, cache_dir};

const SUITE: &str = "trixie";
const PACKAGES: [&str; 11] = [
    "gcc",
    "libc6-dev",
    "liblzma-dev",
    "libzstd-dev",
    "linux-headers-amd64",
    "make",
    "meson",
    "pkgconf",
    "xz-utils",
    "zlib1g-dev",
    "zstd",
];

/// Where the chroot sees the build: the programs have the path in them.
const INSIDE: &str = "/kmod";

/// Builds the tests and the modules that they use.
const BUILD: &str = r#"
cd /kmod
tar xf *.orig.tar.*
mv kmod-*/ source
# The limit of two seconds for a test is one for idle machines.
sed -i 's/^#define TEST_TIMEOUT_USEC .*/#define TEST_TIMEOUT_USEC 120 * USEC_PER_SEC/' source/testsuite/testsuite.c
grep -q 'TEST_TIMEOUT_USEC 120' source/testsuite/testsuite.c
meson setup -Dbuild-tests=true -Dmanpages=false -Dopenssl=disabled build source
export KDIR=$(ls -d /usr/src/linux-headers-*-amd64)
ninja -C build depmod testsuite/test-depmod testsuite/path.so testsuite/uname.so testsuite/stamp-rootfs
"#;

/// Runs each test in a new root and prints the names of those that fail.
const RUN: &str = r#"
cd /kmod/build
names=$(testsuite/test-depmod --list | sed -n 's/^\t\([a-z_0-9]*\),.*/\1/p')
export KDIR=$(ls -d /usr/src/linux-headers-*-amd64)
ninja testsuite/stamp-rootfs > ../log 2>&1 || { cat ../log >&2; exit 1; }
ln -sf "$1" depmod
for name in $names; do
	testsuite/test-depmod "$name" >> ../log 2>&1 && echo "passed $name" || echo "failed $name"
done
"#;

/// The tests show a program another root and another kernel with libraries that they preload, which a
/// static program does not load. It gets a real root instead.
const OURS: &str = r#"#!/bin/sh
unset LD_PRELOAD
cp /kmod/ours "$TESTSUITE_ROOTFS/depmod"
exec chroot "$TESTSUITE_ROOTFS" /depmod "$@" "$TESTSUITE_UNAME_R"
"#;

struct Suite {
    directory: PathBuf,
    chroot: Chroot,
}

impl Suite {
    fn build() -> Result<Suite> {
        let directory = cache_dir().join(format!("kmod-tests-{SUITE}"));
        let chroot = Chroot::get(SUITE, &PACKAGES, &cache_dir())?;
        once(&directory, |partial| {
            let apt = tempfile::tempdir()?;
            Apt::sources(apt.path(), SUITE)?.upstream_source("kmod", partial)?;
            let chroot = chroot.clone().with_bind(partial, Path::new(INSIDE));
            chroot.run(BUILD).map(drop)
        })?;
        let chroot = chroot.with_bind(&directory, Path::new(INSIDE));
        Ok(Suite { directory, chroot })
    }

    /// The tests that fail with a program in the place of depmod, of how many, and what they printed.
    fn failures(&self, depmod: &str) -> Result<(Vec<String>, usize, String)> {
        let script = format!("set -- {depmod}\n{RUN}");
        let said = self.chroot.run(&script)?;
        let failed = said.lines().filter_map(|line| line.strip_prefix("failed "));
        let log = fs::read(self.directory.join("log")).context("log")?;
        Ok((
            failed.map(str::to_owned).collect(),
            said.lines().count(),
            String::from_utf8_lossy(&log).into_owned(),
        ))
    }
}

#[test]
#[ignore = "test-all"]
fn kmods_tests_of_depmod() -> Result<()> {
    let suite = Suite::build()?;
    let _alone = lock(&suite.directory)?;
    let (failed, tests, log) = suite.failures("kmod")?;
    ensure!(
        tests >= 11 && failed.is_empty(),
        "with kmod's own depmod, of {tests} tests {failed:?} fail here:\n{log}"
    );

    let ours = Stage::get()?.root().join("usr/sbin/kmp");
    fs::copy(ours, suite.directory.join("ours"))?;
    let program = suite.directory.join("ours.sh");
    fs::write(&program, OURS)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let (failed, tests, log) = suite.failures("/kmod/ours.sh")?;
    ensure!(
        tests >= 11 && failed.is_empty(),
        "with kmp depmod, of {tests} tests {failed:?} fail:\n{log}"
    );
    Ok(())
}
