//! The tables and the verdict at the end: what is installed and why, its size, what it drives.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::tools::tool;
use kmpkit_tests::{BootReport, Modalias, Reason, Zypp, reasons, run, why};

/// What the demo has to tell.
pub struct Summary {
    built: usize,
    installed: BTreeMap<String, Reason>,
    downloaded: [u64; 2],
    unpacked: [u64; 2],
    buses: Vec<(String, usize, usize, usize)>,
}

/// A package of the repository: bytes of the rpm and bytes it installs.
type Sizes = BTreeMap<String, (u64, u64)>;

impl Summary {
    /// Reads the root's rpm database and the repository's packages.
    pub fn collect(
        zypp: &Zypp,
        repo: &Path,
        image: &str,
        hardware: &[Modalias],
        report: &BootReport,
        whole: &BootReport,
    ) -> Result<Summary> {
        let installed = reasons(&zypp.query(why::QUERY)?, &[image], hardware)?;
        let sizes = sizes(repo)?;
        let mut downloaded = [0, sizes.values().map(|s| s.0).sum()];
        let mut unpacked = [0, sizes.values().map(|s| s.1).sum()];
        for name in installed.keys() {
            let (rpm, files) = sizes
                .get(name)
                .with_context(|| format!("{name}: not in {}", repo.display()))?;
            downloaded[0] += rpm;
            unpacked[0] += files;
        }
        let whole_bound = whole.by_bus();
        let bound = |bus: &str| whole_bound.get(bus).map_or(0, |b| b.1);
        let buses = report
            .by_bus()
            .iter()
            .map(|(bus, (all, own))| ((*bus).to_owned(), *all, *own, bound(bus)))
            .collect();
        Ok(Summary {
            built: sizes.len(),
            installed,
            downloaded,
            unpacked,
            buses,
        })
    }

    /// Whether the few packages drive what all of them do.
    pub fn verdict(&self, report: &BootReport, whole: &BootReport) -> Verdict {
        let whole = whole.bound();
        Verdict {
            packages: format!("{} of {}", self.installed.len(), self.built),
            size: format!(
                "{} of {} MB",
                mb(self.downloaded[0]),
                mb(self.downloaded[1])
            ),
            devices: whole.len(),
            missing: whole
                .difference(&report.bound())
                .map(|(bus, place, driver)| format!("{bus} {place}: {driver}"))
                .collect(),
        }
    }

    /// Prints the tables.
    pub fn print(&self) {
        println!(
            "\nInstalled: {} of {} packages",
            self.installed.len(),
            self.built
        );
        let width = self.installed.keys().map(String::len).max().unwrap_or(0);
        for (name, reason) in &self.installed {
            println!("  {name:width$}  {}", describe(reason));
        }
        println!("\n{:<12} {:>10} {:>14}", "MB", "installed", "whole kernel");
        for (what, [own, all]) in [("downloaded", self.downloaded), ("on disk", self.unpacked)] {
            println!("{what:<12} {:>10} {:>14}", mb(own), mb(all));
        }
        println!(
            "\n{:<12} {:>10} {:>14} {:>14}",
            "bus", "devices", "with a driver", "whole kernel"
        );
        for (bus, all, own, whole) in &self.buses {
            println!("{bus:<12} {all:>10} {own:>14} {whole:>14}");
        }
    }
}

/// What the demonstration has shown.
pub struct Verdict {
    packages: String,
    size: String,
    /// How many devices have a driver in the whole kernel.
    devices: usize,
    /// Which of them have none in the installed root.
    missing: Vec<String>,
}

impl Verdict {
    /// Success where no driver is missing.
    pub fn exit_code(&self) -> ExitCode {
        match self.missing.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict {
            packages,
            size,
            devices,
            missing,
        } = self;
        if missing.is_empty() {
            return write!(
                f,
                "Passed: {packages} packages ({size}) drive all {devices} devices that the whole kernel drives."
            );
        }
        write!(
            f,
            "Failed: {packages} packages ({size}) leave {} of {devices} devices without the driver that the \
             whole kernel has:",
            missing.len()
        )?;
        missing
            .iter()
            .try_for_each(|device| write!(f, "\n  {device}"))
    }
}

fn describe(reason: &Reason) -> String {
    match reason {
        Reason::Requested => "requested".to_owned(),
        Reason::Hardware(device) => {
            let name = device.path.rsplit('/').next().unwrap_or_default();
            let alias: String = device.modalias.chars().take(48).collect();
            let dots = if alias.len() < device.modalias.len() {
                "…"
            } else {
                ""
            };
            format!("hardware {name} {alias}{dots}")
        }
        Reason::Dependency(of) => match of.as_slice() {
            [one] => format!("dependency of {one}"),
            [first, rest @ ..] => format!("dependency of {first} and {} more", rest.len()),
            [] => "dependency".to_owned(),
        },
        Reason::Unknown => "unknown".to_owned(),
    }
}

fn sizes(repo: &Path) -> Result<Sizes> {
    let mut files = Vec::new();
    walk(repo, &mut files)?;
    files.retain(|f| f.extension().is_some_and(|e| e == "rpm"));
    files.sort();
    let format = "%{NAME} %{LONGSIZE}\n";
    let out = run(tool("rpm")?
        .args(["-qp", "--nosignature", "--nodigest", "--qf", format])
        .args(&files))?;
    let lines: Vec<&str> = out.lines().collect();
    if lines.len() != files.len() {
        bail!(
            "{}: rpm shows {} of {} packages",
            repo.display(),
            lines.len(),
            files.len()
        );
    }
    files
        .iter()
        .zip(lines)
        .map(|(file, line)| size(file, line))
        .collect()
}

fn size(file: &Path, line: &str) -> Result<(String, (u64, u64))> {
    let (name, bytes) = line
        .split_once(' ')
        .with_context(|| format!("rpm -qp said {line:?}"))?;
    let rpm = file
        .metadata()
        .with_context(|| format!("stat {}", file.display()))?
        .len();
    Ok((
        name.to_owned(),
        (
            rpm,
            bytes
                .parse()
                .with_context(|| format!("rpm -qp said {line:?}"))?,
        ),
    ))
}

fn mb(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
