//! Runs the dependency generator that the program is called as.
//!
//! All generators are one program, of which `make install` makes a hard link for each name.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use generators::{refuse, run};
use tagging::GENERATORS;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let program = args.first().and_then(|path| Path::new(path).file_name());
    let program = program.unwrap_or_default().to_string_lossy();
    match GENERATORS
        .iter()
        .find(|generator| generator.name == program)
    {
        Some(generator) => run(generator, args),
        None => refuse(
            "kmpkit-generator",
            &format!(
                "no generator is called \"{program}\"; call one of {}",
                names()
            ),
        ),
    }
}

fn names() -> String {
    let names: Vec<_> = GENERATORS.iter().map(|generator| generator.name).collect();
    names.join(", ")
}
