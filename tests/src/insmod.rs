//! Turns modules into what a kernel in a virtual machine says when it is asked to load them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::initramfs;
use crate::kernel::Kernel;
use crate::trial::Trial;
use crate::vm::Machine;

/// What the kernel did with the last module of a trial.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// It was loaded.
    pub loaded: bool,
    /// What the kernel said, a line each, without level and time.
    pub log: Vec<String>,
}

impl Outcome {
    /// Whether a line of the log has a text in it.
    pub fn says(&self, text: &str) -> bool {
        self.log.iter().any(|line| line.contains(text))
    }
}

impl Machine {
    /// Boots a kernel without modules and tries to load those of each trial; gives the outcomes
    /// by the names of the trials.
    pub fn insmod(&self, kernel: &Kernel, trials: &[Trial]) -> Result<BTreeMap<String, Outcome>> {
        let write = |initrd: &Path| initramfs::write_trials(trials, initrd);
        let (report, console) = self
            .run(&kernel.vmlinuz, write, "")
            .with_context(|| format!("machine that loads modules into {}", kernel.release))?;
        let outcomes = outcomes(&report).with_context(|| console.clone())?;
        ensure!(
            outcomes.len() == trials.len(),
            "{} of {} trials\n{console}",
            outcomes.len(),
            trials.len()
        );
        Ok(outcomes)
    }
}

fn outcomes(report: &str) -> Result<BTreeMap<String, Outcome>> {
    let mut lines = report
        .lines()
        .map(str::trim_end)
        .skip_while(|line| *line != "begin");
    lines.next().context("no trial began")?;
    let mut outcomes = BTreeMap::new();
    loop {
        let line = lines.next().context("the report ends early")?;
        if line == "end" {
            return Ok(outcomes);
        }
        let words: Vec<&str> = line.split(' ').collect();
        let ["trial", name, status] = words[..] else {
            bail!("no trial: {line}")
        };
        let log = lines
            .by_ref()
            .take_while(|line| *line != "end of trial")
            .map(message)
            .collect();
        let outcome = Outcome {
            loaded: status == "0",
            log,
        };
        outcomes.insert(name.to_owned(), outcome);
    }
}

/// A line of the kernel's log without `<level>`, and without `[ time]` where there is one.
fn message(line: &str) -> String {
    let text = line.split_once('>').map_or(line, |(_, text)| text);
    let timeless = || text.strip_prefix('[')?.split_once("] ");
    timeless().map_or(text, |(_, text)| text).to_owned()
}

#[test]
fn a_report_becomes_outcomes() -> Result<()> {
    let text = "x\r\nbegin\r\ntrial a 0\r\nend of trial\r\ntrial b_2 1\r\n<4>[    1.5] m: [x] no\r\n\
        <3>no time: [x] yes\r\nend of trial\r\nend\r\n";
    let outcomes = outcomes(text)?;
    assert!(outcomes["a"].loaded && outcomes["a"].log.is_empty());
    assert!(!outcomes["b_2"].loaded);
    assert_eq!(outcomes["b_2"].log, ["m: [x] no", "no time: [x] yes"]);
    assert!(outcomes["b_2"].says("[x]") && !outcomes["b_2"].says("level"));
    assert!(self::outcomes("begin\ntrial a 0\n").is_err());
    Ok(())
}
