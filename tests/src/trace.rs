//! Turns a command into what strace says of it: which directories depmod's work was done in, and
//! how long that took.
//!
//! Each run of depmod locks the directory of its release once, whatever it then does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::tools::tool;

/// Open files of a login.
const FILES: &str = "--nofile=1024:1024";

/// A command below strace.
pub struct Trace {
    line: Vec<OsString>,
    envs: Vec<(OsString, Option<OsString>)>,
    log: tempfile::NamedTempFile,
}

impl Trace {
    /// Traces a command and all it starts.
    pub fn new(command: &Command) -> Result<Trace> {
        let program = std::iter::once(command.get_program());
        let envs = command.get_envs();
        Ok(Trace {
            line: program.chain(command.get_args()).map(Into::into).collect(),
            envs: envs
                .map(|(name, value)| (name.into(), value.map(Into::into)))
                .collect(),
            log: tempfile::NamedTempFile::new().context("temporary file")?,
        })
    }

    /// The command to run instead.
    pub fn command(&self) -> Result<Command> {
        let mut strace = tool("strace")?;
        strace.args(["-f", "-qq", "-y", "-ttt", "--seccomp-bpf"]);
        strace.args(["-e", "trace=flock,execve,exit_group", "-o"]);
        strace.arg(self.log.path()).args(&self.line);
        for (name, value) in &self.envs {
            match value {
                Some(value) => strace.env(name, value),
                None => strace.env_remove(name),
            };
        }
        limited(&strace)
    }

    /// How often each directory of a release was locked, by its path below the root.
    pub fn locks(&self) -> Result<BTreeMap<String, usize>> {
        let mut locks = BTreeMap::new();
        for path in self.text()?.lines().filter_map(locked) {
            *locks.entry(path).or_default() += 1;
        }
        Ok(locks)
    }

    /// Seconds that processes of a program took, all together, and how many there were.
    pub fn seconds_of(&self, program: &str) -> Result<(f64, usize)> {
        let mut started: BTreeMap<String, f64> = BTreeMap::new();
        let (mut sum, mut count) = (0.0, 0);
        for line in self.text()?.lines() {
            let mut words = line.split_whitespace();
            let (Some(process), Some(time)) = (words.next(), words.next()) else {
                continue;
            };
            let time: f64 = time.parse().with_context(|| line.to_owned())?;
            if line.contains(&format!(" execve(\"{program}\"")) {
                started.insert(process.to_owned(), time);
            } else if line.contains(" exit_group(") {
                if let Some(start) = started.remove(process) {
                    sum += time - start;
                    count += 1;
                }
            }
        }
        Ok((sum, count))
    }

    fn text(&self) -> Result<String> {
        let bytes = fs::read(self.log.path()).context("the trace")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A command that may open as many files as a login, whatever the limit here is.
///
/// zypper and rpm mark or close every file descriptor there may be in each child, and strace stops
/// a child at all its system calls until it executes something.
pub fn limited(command: &Command) -> Result<Command> {
    let mut prlimit = tool("prlimit")?;
    prlimit.arg(FILES).arg(command.get_program());
    prlimit.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => prlimit.env(name, value),
            None => prlimit.env_remove(name),
        };
    }
    Ok(prlimit)
}

/// The directory of a release that a line says was locked, without the root it is in: a chroot in
/// a mount namespace of its own has another name for it than we have.
fn locked(line: &str) -> Option<String> {
    let (_, call) = line.split_once(" flock(")?;
    let (_, rest) = call.split_once('<')?;
    let (path, rest) = rest.split_once('>')?;
    let at = path
        .find("/usr/lib/modules/")
        .or_else(|| path.find("/lib/modules/"))?;
    let path = path.get(at..)?.trim_start_matches('/');
    rest.contains("LOCK_EX").then(|| path.to_owned())
}
