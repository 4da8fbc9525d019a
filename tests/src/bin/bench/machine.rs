//! Turns /proc and the tools' own words into the lines that say what was measured where.

use std::fs;

use anyhow::{Context, Result};
use kmpkit_tests::run;
use kmpkit_tests::tools::tool;

/// Processor, running kernel, load and versions.
pub fn description() -> Result<String> {
    let cpuinfo = read("/proc/cpuinfo")?;
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or(std::env::consts::ARCH, |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().context("number of cores")?;
    let linux = read("/proc/sys/kernel/osrelease")?;
    let load = read("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "Machine: {model}, {cores} cores, Linux {}, load {load} at the start\nVersions: {}",
        linux.trim(),
        [version("rustc")?, version("xz")?, version("cat")?].join("; ")
    ))
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.to_owned())
}

fn version(program: &str) -> Result<String> {
    let said = run(tool(program)?.arg("--version"))?;
    Ok(said.lines().next().unwrap_or_default().to_owned())
}
