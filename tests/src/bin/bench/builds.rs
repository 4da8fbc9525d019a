//! Turns a kernel into packages by each rpm, with all tags and with none, and the times into ratios.
//!
//! Both sides plan, copy, pack and write the same packages by the same spec. Without tags none are
//! kept beside the build, and the only file attribute rpm knows matches no file.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kmpkit_tests::rpmbuild::{Built, Rpm};
use kmpkit_tests::{Kernel, cache_dir, modular};
use tempfile::TempDir;

use crate::measure::{Bench, spinner};
use crate::table::{Row, Table};
use crate::trees::of_size;

/// What a build without any dependency generator defines.
const NONE: [(&str, &str); 2] = [
    ("__kmpkit_keep_tags", "%{nil}"),
    ("__kmpkit_path", "^/nowhere$"),
];

/// Builds of one kernel by one rpm.
struct Builds<'k> {
    rpm: Rpm,
    kernel: &'k Kernel,
    top: TempDir,
    defines: Vec<(&'static str, String)>,
}

impl<'k> Builds<'k> {
    fn new(rpm: Rpm, kernel: &'k Kernel, policy: Option<&str>) -> Result<Self> {
        let mut defines = vec![
            ("_binary_payload", "w3.zstdio".to_owned()),
            ("kmp_system_policy", "/nonexistent".to_owned()),
        ];
        if let Some(name) = policy {
            defines.push(("kmp_policy", modular::policy(name)));
        }
        Ok(Self {
            rpm,
            kernel,
            top: tempfile::tempdir_in(cache_dir())?,
            defines,
        })
    }

    fn build(&self, more: &[(&str, &str)]) -> Result<Built> {
        let own = self.defines.iter();
        let mut defines: Vec<_> = own.map(|(name, value)| (*name, value.as_str())).collect();
        defines.extend(more);
        let built = modular::packages(&self.rpm, self.kernel, self.top.path(), &defines)?;
        std::fs::remove_dir_all(self.top.path()).context("packages")?;
        Ok(built)
    }

    /// The time of a build and the number of its packages.
    fn time(&self, more: &[(&str, &str)]) -> Result<(Duration, usize)> {
        let start = Instant::now();
        let built = self.build(more)?;
        Ok((start.elapsed(), built.rpms.len()))
    }
}

/// Every rpm there is, with what it is called.
fn rpms() -> Result<Vec<(String, Rpm)>> {
    let bar = spinner("the rpms of three releases", None)?;
    let rpms = [Rpm::host()?, Rpm::suite("trixie")?, Rpm::suite("sid")?];
    bar.finish_and_clear();
    let named = |rpm: Rpm| Ok((rpm.version()?.replace("RPM version", "rpm"), rpm));
    rpms.into_iter().map(named).collect()
}

/// The whole kernel, a package for each module and by the default policy.
pub fn builds(bench: &Bench) -> Result<Table> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let mut rows = Vec::new();
    for (version, rpm) in rpms()? {
        for (what, policy) in [
            ("a package a module", Some("per-module")),
            ("default policy", None),
        ] {
            let builds = Builds::new(rpm.clone(), &kernel, policy)?;
            let names = [
                &*format!("{version}, {what}, all tags"),
                "the same, no generators",
            ];
            let all = || builds.time(&[]).map(|(time, _)| time);
            let none = || builds.time(&NONE).map(|(time, _)| time);
            rows.push(Row::of(&bench.in_turn(names, 3, all, none)?, 1.25));
        }
        let builds = Builds::new(rpm.clone(), &kernel, None)?;
        let debuginfo = ("kernel_debuginfo", "1");
        let names = [
            &*format!("{version}, default policy, debuginfo, all tags"),
            "the same, no generators",
        ];
        let all = || builds.time(&[debuginfo]).map(|(time, _)| time);
        let none = || {
            builds
                .time(&[&NONE[..], &[debuginfo]].concat())
                .map(|(time, _)| time)
        };
        rows.push(Row::of(&bench.in_turn(names, 3, all, none)?, None));
        rows.push(processes(&rpm, &version, &kernel)?);
    }
    Ok(Table {
        title: format!("rpmbuild of the whole Linux {}", kernel.release),
        rows,
    })
}

/// How many programs a build executes for each module.
fn processes(rpm: &Rpm, version: &str, kernel: &Kernel) -> Result<Row> {
    let executed = |modules: usize| {
        let tree = of_size(kernel, modules)?;
        let log = tree.path().join("executed");
        let builds = Builds::new(rpm.traced(&log), &tree.kernel, Some("per-module"))?;
        builds.build(&[])?;
        let text = std::fs::read_to_string(&log).context("what was executed")?;
        Ok::<_, anyhow::Error>(text.lines().filter(|line| line.contains("execve(")).count())
    };
    let [few, many] = [100, 200];
    let (of_few, of_many) = (executed(few)?, executed(many)?);
    let each = of_many.abs_diff(of_few) as f64 / (many - few) as f64;
    Ok(Row::count(
        &format!("{version}, programs executed for each module"),
        &format!("{few} and {many} modules"),
        each,
        0.0,
        of_many,
    ))
}

/// The time for a package where there are ever more of them.
pub fn growth(bench: &Bench) -> Result<Table> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let mut rows = Vec::new();
    for modules in [1000, 2000, 4000, 8000] {
        let tree = of_size(&kernel, modules)?;
        let builds = Builds::new(Rpm::host()?, &tree.kernel, Some("per-module"))?;
        let each = |more: &[(&str, &str)]| {
            let (time, packages) = builds.time(more)?;
            Ok(time / u32::try_from(packages).context("packages")?)
        };
        let names = [
            &*format!("one of {modules} packages, all tags"),
            "one, no generators",
        ];
        rows.push(Row::of(
            &bench.in_turn(names, 3, || each(&[]), || each(&NONE))?,
            None,
        ));
    }
    Ok(Table {
        title: format!("rpmbuild of ever more modules of Linux {}", kernel.release),
        rows,
    })
}
