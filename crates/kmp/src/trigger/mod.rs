//! `kmp trigger`: one of rpm's file triggers in, right indexes for each kernel it is about out.
//!
//! rpm runs it as the interpreter of the triggers of the package it is in, so it needs no shell
//! and, linked statically, nothing else of the root. Which files came and went only says which
//! releases to look at: what is so is what the directory of a release says. When indexes are right,
//! initrds follow.

mod initrd;
mod releases;
mod script;
mod spool;
mod update;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use log::LevelFilter;

use initrd::Initrds;
use script::{Moment, Script};
use spool::Spool;

/// Where modules lie.
const MODULES: [&str; 2] = ["/lib/modules", "/usr/lib/modules"];

/// Answer a trigger of rpm
///
/// rpm runs this for the triggers of its package: kmpkit-triggers(7). SCRIPT has a moment and the
/// watched directories; paths below them are read from stdin.
#[derive(Parser, Debug)]
#[command(name = "kmp-trigger", version)]
pub struct Options {
    /// The script rpm made of the trigger
    script: PathBuf,
    /// How many packages of this name there will be, as rpm tells scriptlets
    count: Option<u32>,
}

/// Runs the command line, whose first word is passed over, under a name for messages; `bypass` is
/// what KERNEL_INSTALL_BYPASS says.
pub(crate) fn run(name: &str, args: Vec<OsString>, bypass: Option<OsString>) -> ExitCode {
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => return crate::refused(&error),
    };
    // Of what kmod's depmod warns it would warn with each package.
    crate::log::start(name.to_owned(), LevelFilter::Error);
    match options.run(&Initrds::new(Path::new("/"), bypass)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell it to if stderr is closed.
            let _ = writeln!(io::stderr(), "{name}: ERROR: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// Whether everything is right now.
    fn run(&self, initrds: &Initrds) -> Result<bool> {
        let Script { moment, watched } = Script::read(&self.script)?;
        match moment {
            Moment::Un => {
                let told = Told::read(&watched)?;
                for watched in MODULES.map(Path::new) {
                    Spool::new(Path::new("/"), watched).add(&told.releases(watched)?)?;
                }
                Ok(true)
            }
            Moment::In => {
                let told = Told::read(&watched)?;
                settle(|watched| told.releases(watched), initrds)
            }
            // Another version takes over.
            Moment::PreUn if self.count.is_some_and(|count| count > 0) => Ok(true),
            // After the last of these nobody comes, so what is marked is done.
            Moment::PostUn | Moment::PreUn => settle(|_| Ok(BTreeSet::new()), initrds),
        }
    }
}

/// What rpm tells of files that came or will go.
struct Told {
    paths: Vec<u8>,
    /// Whether some are configuration of depmod, which is about every kernel.
    configure: bool,
}

impl Told {
    fn read(watched: &[PathBuf]) -> Result<Self> {
        let mut paths = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut paths)
            .context("the list of files")?;
        let mut others = watched
            .iter()
            .filter(|path| !MODULES.map(Path::new).contains(&path.as_path()));
        Ok(Self {
            configure: others.any(|other| releases::below(&paths, other).next().is_some()),
            paths,
        })
    }

    /// Which releases below a directory with modules this is about.
    fn releases(&self, directory: &Path) -> Result<BTreeSet<String>> {
        match self.configure {
            true => releases::in_directory(directory),
            false => Ok(releases::of_paths(&self.paths, directory)),
        }
    }
}

/// Updates the releases told of each directory with modules and those marked, each once, and takes
/// the marks away; then initrds. One that fails does not keep the others from it.
fn settle(told: impl Fn(&Path) -> Result<BTreeSet<String>>, initrds: &Initrds) -> Result<bool> {
    let mut good = true;
    // Where /usr is merged, a kernel has a name below either directory.
    let mut seen = BTreeSet::new();
    for watched in MODULES.map(Path::new) {
        let spool = Spool::new(Path::new("/"), watched);
        let mut releases = spool.releases()?;
        releases.extend(told(watched)?);
        let mut right = Vec::new();
        for release in releases {
            let directory = watched.join(&release);
            if !seen.insert(directory.canonicalize().unwrap_or(directory)) {
                spool.remove(&release)?;
                continue;
            }
            let updated = update::update(watched, &release);
            spool.remove(&release)?;
            match updated {
                Ok(()) => right.push(release),
                Err(error) => {
                    log::error!("{}/{release}: {error:#}", watched.display());
                    good = false;
                }
            }
        }
        good &= initrds.update(watched, &right);
    }
    Ok(good)
}
