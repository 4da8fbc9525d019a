//! Command line and stdin in, tags and exit status out.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use deptag::{REFUSED, TagRules, TagSet, serve};

use crate::options::Options;

/// A dependency generator.
pub trait Generator: clap::Parser {
    /// The options it shares with the others.
    fn options(&self) -> &Options;

    /// Reads what the tags of all files depend on, before the first is asked for.
    ///
    /// # Errors
    /// It cannot be read, so that no file gets tags.
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    /// The tags of one file; none for a file that is not its business.
    ///
    /// # Errors
    /// The file is its business but it, or a file an option names, cannot be
    /// read.
    fn tags(&self, rules: &TagRules, path: &Path) -> Result<TagSet>;
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
    let mut generator = match G::try_parse() {
        Ok(generator) => generator,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return refuse(&name, &error.to_string()),
    };
    let prepared = generator.prepare();
    match prepared.and_then(|()| answer(&name, &generator)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => refuse(&name, &format!("{error:#}")),
    }
}

fn answer<G: Generator>(name: &str, generator: &G) -> Result<bool> {
    let rules = generator.options().rules();
    let protocol = generator.options().protocol();
    let stdout = io::BufWriter::new(io::stdout().lock());
    let tags = |path: &Path| {
        generator
            .tags(&rules, path)
            .inspect_err(|error| complain(name, &format!("{error:#}")))
    };
    Ok(serve(name, protocol, io::stdin().lock(), stdout, tags)?)
}

fn refuse(name: &str, reason: &str) -> ExitCode {
    complain(name, reason.trim_end());
    println!("{name}-failed = {REFUSED}");
    // rpm fails on its own account, and less clearly, when nobody reads the
    // paths it writes.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    ExitCode::FAILURE
}

fn complain(name: &str, reason: &str) {
    // Nothing is left to tell it to if stderr is closed.
    let _ = writeln!(io::stderr(), "{name}: {reason}");
}
