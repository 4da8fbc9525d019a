//! Turns real kernels and the installed programs into a table of ratios: their time against that of
//! a plain tool which only reads the same files, of depmod, or of rpmbuild without them.
//!
//! Both sides of a ratio run in turn, A B A B…, so that a busy machine slows both.

mod builds;
mod depmod;
mod machine;
mod measure;
mod plan;
mod suites;
mod table;
mod target;
mod task;
mod trees;
mod triggers;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use kmpkit_tests::need;

use crate::measure::Bench;
use crate::table::Table;

/// Time and peak memory of the generators, of kmp-split and of builds with them, as ratios to other
/// tools on the same files
#[derive(Debug, Parser)]
struct Options {
    /// Run only this; may be repeated
    #[arg(long, value_enum)]
    suite: Vec<Suite>,
    /// Pairs of runs for each ratio, instead of what fits the length of a run
    #[arg(long, value_parser = clap::value_parser!(u32).range(5..))]
    pairs: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// All tags of bookworm's kernel, uncompressed, against cat
    Plain,
    /// All tags of trixie's kernel, compressed by xz, against xz
    Xz,
    /// All tags of bookworm's kernel, compressed by zstd, against zstd
    Zstd,
    /// One start on one module, against true and xz
    Start,
    /// The plan of trixie's kernel, against depmod, and of many times its modules
    Plan,
    /// Indexes of bookworm's and trixie's kernels, against depmod of kmod 34
    Depmod,
    /// Triggers of 300 packages in a transaction each, against depmod of kmod 34 and zypper
    Triggers,
    /// rpmbuild of bookworm's kernel by every rpm, against the same without generators
    Builds,
    /// rpmbuild of 1,000 to 8,000 packages
    Growth,
}

type Measure = fn(&Bench) -> Result<Table>;

fn main() -> Result<()> {
    let options = Options::parse();
    need(&[
        "cat", "true", "xz", "zstd", "depmod", "rpmbuild", "rustc", "strace", "time", "zypper",
    ])?;
    let wanted = |suite| options.suite.is_empty() || options.suite.contains(&suite);
    let bench = Bench::new(options.pairs)?;

    println!("{}", machine::description()?);
    let suites: [(Suite, Measure); 10] = [
        (Suite::Plain, suites::plain),
        (Suite::Xz, suites::xz),
        (Suite::Zstd, suites::zstd),
        (Suite::Start, suites::start),
        (Suite::Plan, plan::plan),
        (Suite::Depmod, depmod::plain),
        (Suite::Depmod, depmod::xz),
        (Suite::Triggers, triggers::triggers),
        (Suite::Builds, builds::builds),
        (Suite::Growth, builds::growth),
    ];
    for (suite, measure) in suites {
        if wanted(suite) {
            measure(&bench)?.print();
        }
    }
    println!("{}", table::LEGEND);
    Ok(())
}
