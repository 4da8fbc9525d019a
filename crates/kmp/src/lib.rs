//! Turns a command line into the run of one subcommand, told by its name or by that of the link
//! the program was called by.

mod depmod;
mod log;
mod trigger;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser};

/// Keep the modules of installed kernels in order
///
/// Each subcommand is also a command of its own by a link to this program: kmp-depmod. rpm runs it by another, kmp-trigger: kmpkit-triggers(7).
#[derive(Parser, Debug)]
#[command(name = "kmp", version)]
struct Cli {
    #[command(subcommand)]
    command: Subcommand,
}

#[derive(clap::Subcommand, Debug)]
enum Subcommand {
    Depmod(depmod::Options),
    #[command(hide = true)]
    Trigger(trigger::Options),
}

/// Runs the command line, program name first. `bypass` is what KERNEL_INSTALL_BYPASS says, by which
/// whoever builds an image keeps initrds out of it.
pub fn run(mut args: Vec<OsString>, bypass: Option<OsString>) -> ExitCode {
    let called = args.first().map(Path::new).and_then(Path::file_name);
    let called = called
        .and_then(OsStr::to_str)
        .unwrap_or_default()
        .to_owned();
    match called.as_str() {
        "kmp-depmod" | "depmod" => depmod::run(&called, args),
        _ if args.get(1).is_some_and(|name| name == "depmod") => {
            args.remove(0);
            depmod::run("kmp depmod", args)
        }
        "kmp-trigger" => trigger::run(&called, args, bypass),
        _ if args.get(1).is_some_and(|name| name == "trigger") => {
            args.remove(0);
            trigger::run("kmp trigger", args, bypass)
        }
        _ => match Cli::try_parse_from(args) {
            // Options before a subcommand; there are none that leave one.
            Ok(_) => ExitCode::FAILURE,
            Err(error) => refused(&error),
        },
    }
}

/// The options of all subcommands, for manual pages.
pub fn command() -> Command {
    Cli::command()
}

/// Help and version are no failures.
fn refused(error: &clap::Error) -> ExitCode {
    // Nothing is left to tell it to if the stream is closed.
    let _ = error.print();
    match error.use_stderr() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
