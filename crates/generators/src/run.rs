//! Command line and stdin in, tags and exit status out.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use deptag::{REFUSED, serve};
use kmodule::Reader;
use tagging::{Part, Tagger, Tags};

use crate::options::Options;

/// A dependency generator.
pub trait Generator: clap::Parser {
    /// The options it shares with the others.
    fn options(&self) -> &Options;

    /// What it prints of a file.
    fn part(&self) -> Part;
}

/// Runs a generator on the command line, stdin and stdout of the process.
///
/// rpm does not look at the exit status, so every failure, a wrong option or
/// policy included, also prints a line that rpm refuses.
pub fn run<G: Generator>() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn"))
        .format_timestamp(None)
        .init();
    let name = G::command().get_name().to_owned();
    refuse_on_panic(&name);
    let generator = match G::try_parse() {
        Ok(generator) => generator,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return refuse(&name, &error.to_string()),
    };
    match answer(&name, &generator) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => refuse(&name, &format!("{error:#}")),
    }
}

fn answer<G: Generator>(name: &str, generator: &G) -> Result<bool> {
    let (part, options) = (generator.part(), generator.options());
    let build_root = std::env::var_os("RPM_BUILD_ROOT").map(PathBuf::from);
    let sources = options.sources(build_root);
    let kind = part.kind(sources.rules.dialect);
    let tagger = Tagger::new(vec![part], sources)?;
    let (mut reader, mut tags) = (Reader::new(), Tags::default());
    let add = |path: &Path, lines: &mut Vec<u8>| {
        tags.clear();
        tagger
            .tags(path, &mut reader, &mut tags)
            .map_err(|error| complain(name, &format!("{:#}", anyhow::Error::from(error))))?;
        let tags = tags.of(kind).tags();
        log::debug!("{}: {} tags", path.display(), tags.len());
        tags.write_lines(lines);
        Ok::<_, ()>(())
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

/// What a generator that dies has printed would count as all there is.
fn refuse_on_panic(name: &str) {
    let name = name.to_owned();
    std::panic::set_hook(Box::new(move |panic| {
        complain(&name, &panic.to_string().replace('\n', " "));
        // Past the lock and the buffer of stdout, which may be in use: tags still in the
        // buffer are lost, and a line of which rpm got a part has to end.
        if let Ok(stdout) = io::stdout().as_fd().try_clone_to_owned() {
            let _ = writeln!(File::from(stdout), "\n{}", refusal(&name));
        }
    }));
}

fn refuse(name: &str, reason: &str) -> ExitCode {
    complain(name, reason.trim_end());
    println!("{}", refusal(name));
    // rpm fails on its own account, and less clearly, when nobody reads the
    // paths it writes.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    ExitCode::FAILURE
}

/// A tag that rpm refuses.
fn refusal(name: &str) -> String {
    format!("{name}-failed = {REFUSED}")
}

fn complain(name: &str, reason: &str) {
    // Nothing is left to tell it to if stderr is closed.
    let _ = writeln!(io::stderr(), "{name}: {reason}");
}
