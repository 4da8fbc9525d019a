//! Runs the subcommand that a command line names, or the name the program was called by.

mod command_line;
mod depmod;
mod environment;
mod log;
mod trigger;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser};

use command_line::refused;

pub use environment::Environment;

#[doc(hidden)]
pub use trigger::parsers;

/// Keep the modules of installed kernels in order
///
/// A link to this program named kmp-depmod runs `kmp depmod`. rpm runs it by the link kmp-trigger: kmpkit-triggers(7).
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

/// Runs the command line, program name first.
pub fn run(mut args: Vec<OsString>, environment: Environment) -> ExitCode {
    let called = args.first().map(Path::new).and_then(Path::file_name);
    let called = called
        .and_then(OsStr::to_str)
        .unwrap_or_default()
        .to_owned();
    match called.as_str() {
        "kmp-depmod" | "depmod" => depmod::run(&called, args, &environment),
        _ if args.get(1).is_some_and(|name| name == "depmod") => {
            args.remove(0);
            depmod::run("kmp depmod", args, &environment)
        }
        "kmp-trigger" => trigger::run(&called, args, environment),
        _ if args.get(1).is_some_and(|name| name == "trigger") => {
            args.remove(0);
            trigger::run("kmp trigger", args, environment)
        }
        _ => match Cli::try_parse_from(args) {
            // Options that stand before a subcommand; none of them does anything.
            Ok(_) => ExitCode::FAILURE,
            Err(error) => refused(&error),
        },
    }
}

/// The options of all subcommands, for manual pages.
pub fn command() -> Command {
    Cli::command()
}
