//! `kmp trigger`: brings the indexes and initrds of kernels up to date when rpm runs a file trigger.
//!
//! rpm runs it as the interpreter of the triggers of its own package. So it needs no shell and,
//! linked statically, nothing else of the root. What rpm says of files only tells which releases to
//! look at; what counts is what the directory of a release holds. Initrds follow when indexes are
//! right.

mod changed_files;
mod fixed_names;
mod initrd;
mod kernel_files;
mod outcome;
#[doc(hidden)]
pub mod parsers;
mod releases;
mod script;
mod settle;
mod spool;
mod update;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use facts::FactsHome;
use log::LevelFilter;

use changed_files::ChangedFiles;
use initrd::Initrds;
use releases::MODULE_DIRECTORIES;
use script::{Moment, Script};
use settle::{logged, settle};
use spool::Spool;

use crate::command_line::refused;
use crate::environment::Environment;

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

/// Runs the command line, whose first word is passed over; messages have this name.
pub(crate) fn run(name: &str, args: Vec<OsString>, environment: Environment) -> ExitCode {
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => return refused(&error),
    };
    // Warnings of depmod would come again with each package.
    crate::log::start(name.to_owned(), LevelFilter::Error);
    let home = environment.facts_home();
    let initrds = Initrds::new(Path::new("/"), environment.kernel_install_bypass);
    match options.run(&initrds, home.as_ref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If stderr is closed, nobody is left to tell.
            let _ = writeln!(io::stderr(), "{name}: ERROR: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// Whether everything is right now.
    fn run(&self, initrds: &Initrds, home: Option<&FactsHome>) -> Result<bool> {
        let Script { moment, watched } = Script::read(&self.script)?;
        match moment {
            Moment::Un => Ok(mark(&ChangedFiles::read(&watched)?)),
            Moment::In => {
                let changed = ChangedFiles::read(&watched)?;
                let changed = |directory: &Path| changed.releases(directory);
                Ok(settle(Path::new("/"), changed, initrds, home))
            }
            // Another version takes over.
            Moment::PreUn if self.count.is_some_and(|count| count > 0) => Ok(true),
            // No later moment comes after these, so all that is marked is done.
            Moment::PostUn => Ok(settle(Path::new("/"), nothing, initrds, home)),
            Moment::PreUn => {
                let settled = settle(Path::new("/"), nothing, initrds, home);
                FactsHome::of_system(Path::new("/")).remove_all();
                Ok(settled)
            }
        }
    }
}

/// No releases but the marked ones.
fn nothing(_: &Path) -> Result<BTreeSet<String>> {
    Ok(BTreeSet::new())
}

/// Marks the releases that are about to change; says whether all could be.
fn mark(changed: &ChangedFiles) -> bool {
    let mut good = true;
    for directory in MODULE_DIRECTORIES.map(Path::new) {
        let spool = Spool::new(Path::new("/"), directory);
        let releases = logged(changed.releases(directory), &mut good);
        for release in releases.unwrap_or_default() {
            logged(spool.add(&release), &mut good);
        }
    }
    good
}
