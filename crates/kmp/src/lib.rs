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
#[command(
    name = "kmp",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli;

/// What one run is to do. A link to the program named `kmp-<name>` runs it, too.
struct Subcommand {
    name: &'static str,
    /// Its options, for help and manual pages.
    options: fn() -> Command,
    /// Whether help and manual pages leave it out.
    is_hidden: bool,
    /// Runs a command line, whose first word is passed over; messages have the name.
    run: fn(&str, Vec<OsString>, Environment) -> ExitCode,
}

/// All subcommands.
static SUBCOMMANDS: [Subcommand; 2] = [
    Subcommand {
        name: "depmod",
        options: depmod::Options::command,
        is_hidden: false,
        run: |name, args, environment| depmod::run(name, args, &environment),
    },
    Subcommand {
        name: "trigger",
        options: trigger::Options::command,
        is_hidden: true,
        run: trigger::run,
    },
];

/// Runs the command line, program name first.
pub fn run(mut args: Vec<OsString>, environment: Environment) -> ExitCode {
    let called = args.first().map(Path::new).and_then(Path::file_name);
    let called = called.and_then(OsStr::to_str).unwrap_or_default();
    // depmod itself may be a link, too.
    let by_link = subcommand(called.strip_prefix("kmp-").unwrap_or(called));
    let by_word = || subcommand(args.get(1)?.to_str()?);
    let (subcommand, name) = if let Some(subcommand) = by_link {
        (subcommand, called.to_owned())
    } else if let Some(subcommand) = by_word() {
        args.remove(0);
        (subcommand, format!("kmp {}", subcommand.name))
    } else {
        return match command().try_get_matches_from(args) {
            // Options that stand before a subcommand; none of them does anything.
            Ok(_) => ExitCode::FAILURE,
            Err(error) => refused(&error),
        };
    };
    (subcommand.run)(&name, args, environment)
}

fn subcommand(name: &str) -> Option<&'static Subcommand> {
    SUBCOMMANDS.iter().find(|known| known.name == name)
}

/// The options of all subcommands, for manual pages.
pub fn command() -> Command {
    let subcommands = SUBCOMMANDS.iter().map(|subcommand| {
        let options = (subcommand.options)().name(subcommand.name);
        options.hide(subcommand.is_hidden)
    });
    Cli::command().subcommands(subcommands)
}
