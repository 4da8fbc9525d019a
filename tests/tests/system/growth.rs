//! Holds that parsers of text take time in proportion to its length, whatever is repeated in it.
//!
//! What a text of many lines, of one long line or of many empty ones costs is found by giving a
//! parser parts of its seeds again and again. Parsers of other formats count their own work
//! (`crates/kmodule/src/growth.rs`, `crates/kmod-index`, `crates/loader`).

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use kmpkit_fuzz::{Target, target};
use kmpkit_tests::cpu_time::cpu_time;
use kmpkit_tests::{Kernel, cache_dir, seeds};

/// The targets whose inputs are lines.
const TEXTS: [&str; 8] = [
    "depmod_d",
    "imported_list",
    "index_write",
    "kernel_lists",
    "machine",
    "modprobe_d",
    "symvers",
    "system_map",
];

/// Bytes of a small input and of a large one.
const SMALL: usize = 4 << 10;
const LARGE: usize = 64 << 10;

/// A large input may take so many times as long for each byte: caches and reallocation cost
/// something, and what is measured in milliseconds is not exact. Quadratic time is 16 times as long.
const SLACK: u32 = 4;

/// What is not worth measuring.
const NOTHING: Duration = Duration::from_millis(30);

/// What breaks parsers of lines even where no seed has it.
const BYTES: &[u8] = b"\n \t#*[?\\a-_/:=,0";

#[test]
fn time_grows_with_the_length_of_a_text() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let all = tempfile::tempdir()?;
    seeds::make(&kernel, all.path())?;
    for name in TEXTS {
        let target = target(name);
        let parts = parts(&super::fuzzing::seeds_of(target, all.path())?);
        for part in &parts {
            check(target, part, b"")?;
        }
        // One thing many times, then another one many times.
        for (part, other) in parts.iter().zip(parts.iter().skip(1)) {
            check(target, part, other)?;
        }
    }
    Ok(())
}

/// Lines and words of seeds, some of each, and single bytes.
fn parts(seeds: &[Vec<u8>]) -> BTreeSet<Vec<u8>> {
    let lines = seeds
        .iter()
        .flat_map(|seed| seed.split_inclusive(|&byte| byte == b'\n').take(6));
    let words = seeds
        .iter()
        .flat_map(|seed| seed.split_inclusive(u8::is_ascii_whitespace).take(6));
    let bytes = BYTES.chunks(1);
    lines
        .chain(words)
        .chain(bytes)
        .map(<[u8]>::to_vec)
        .collect()
}

/// Compares a small and a large input that are made of two parts.
fn check(target: &Target, first: &[u8], second: &[u8]) -> Result<()> {
    let input = |length: usize| {
        let half = |part: &[u8]| part.repeat(length / 2 / part.len().max(1));
        [half(first), half(second)].concat()
    };
    let time = |length| cpu_time(|| (target.check)(&input(length))).1;
    let large = time(LARGE);
    if large < NOTHING {
        return Ok(());
    }
    let allowed = SLACK * (LARGE / SMALL) as u32 * time(SMALL);
    ensure!(
        large < allowed,
        "{}: {LARGE} bytes of {:?} and {:?} took {large:?}; as {SMALL} bytes do, it would be {allowed:?} at most",
        target.name,
        String::from_utf8_lossy(first),
        String::from_utf8_lossy(second)
    );
    Ok(())
}
