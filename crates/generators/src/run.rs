//! Runs a generator: reads its command line and stdin, prints tags, and refuses what is wrong.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{ArgMatches, FromArgMatches};
use deptag::{refusal, serve};
use kmodule::Reader;
use tagging::{FileTags, Generator, Tagger};

use crate::command::{command, output};
use crate::options::CommonOptions;

/// Runs a generator with the arguments, stdin and stdout of the process.
///
/// rpm ignores the exit status. So every failure, be it a wrong option or policy, also prints a line
/// that rpm refuses.
pub fn run(generator: &'static Generator, args: Vec<OsString>) -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn"))
        .format_timestamp(None)
        .init();
    refuse_on_panic(generator.name);
    let matches = match command(generator).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return refuse(generator.name, &error.to_string()),
    };
    match answer(generator, &matches) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => refuse(generator.name, &format!("{error:#}")),
    }
}

/// Answers all paths on stdin. Returns whether all files could be read.
fn answer(generator: &Generator, matches: &ArgMatches) -> Result<bool> {
    let name = generator.name;
    let options = CommonOptions::from_arg_matches(matches)?;
    let output = output(generator, matches).context("the generator has no output")?;
    let build_root = std::env::var_os("RPM_BUILD_ROOT").map(PathBuf::from);
    let inputs = options.inputs(build_root);
    let kind = output.types.of(inputs.rules.dialect);
    let tagger = Tagger::new(vec![output], inputs)?;
    let (mut reader, mut tags) = (Reader::new(), FileTags::default());
    let add = |path: &Path, lines: &mut Vec<u8>| {
        tags.clear();
        tagger
            .tags(path, &mut reader, &mut tags)
            .map_err(|error| complain(name, format!("{:#}", anyhow::Error::from(error))))?;
        let tags = tags.of(kind).tags();
        log::debug!("{}: {} tags", path.display(), tags.len());
        tags.write_lines(lines);
        Ok(())
    };
    let stdout = io::BufWriter::new(io::stdout().lock());
    Ok(serve(
        name,
        options.protocol(),
        io::stdin().lock(),
        stdout,
        add,
    )?)
}

/// Makes a panic print a refused line. Otherwise rpm would take what was printed so far for all tags.
fn refuse_on_panic(name: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        let reason = complain(name, panic.to_string().replace('\n', " "));
        // The lock and the buffer of stdout may be in use, so this writes past them. Tags in the
        // buffer are lost. The line break ends a line of which rpm got only a part.
        if let Ok(stdout) = io::stdout().as_fd().try_clone_to_owned() {
            let _ = writeln!(File::from(stdout), "\n{}", refusal(name, &reason));
        }
    }));
}

/// Reports why there are no tags at all, and makes rpm refuse the package.
pub fn refuse(name: &str, reason: &str) -> ExitCode {
    let reason = complain(name, reason.trim_end().to_owned());
    println!("{}", refusal(name, &reason));
    // If nobody reads the paths that rpm writes, rpm fails itself, with a less clear message.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    ExitCode::FAILURE
}

/// Reports a reason on stderr, and gives it back.
fn complain(name: &str, reason: String) -> String {
    // If stderr is closed, there is nowhere to report that.
    let _ = writeln!(io::stderr(), "{name}: {reason}");
    reason
}
