//! Turns real kernels and the installed programs into a table of ratios: their time against that of
//! a plain tool which only reads the same files, or of depmod.
//!
//! Both sides of a ratio run in turn, A B A B…, so that a busy machine slows both.

mod machine;
mod measure;
mod plan;
mod suites;
mod table;
mod task;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use kmpkit_tests::need;

use crate::measure::Bench;

/// Time and peak memory of the generators and of kmp-split, as ratios to other tools on the same files
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
    /// All modules of bookworm's kernel, uncompressed, against cat
    Plain,
    /// All modules of trixie's kernel, compressed, against xz
    Xz,
    /// One start on one module, against true and xz
    Start,
    /// The plan of trixie's kernel, against depmod, and of many times its modules
    Plan,
}

fn main() -> Result<()> {
    let options = Options::parse();
    need(&["cat", "true", "xz", "depmod", "rustc", "time"])?;
    let wanted = |suite| options.suite.is_empty() || options.suite.contains(&suite);
    let bench = Bench::new(options.pairs)?;

    println!("{}", machine::description()?);
    if wanted(Suite::Plain) {
        suites::plain(&bench)?.print();
    }
    if wanted(Suite::Xz) {
        suites::xz(&bench)?.print();
    }
    if wanted(Suite::Start) {
        suites::start(&bench)?.print();
    }
    if wanted(Suite::Plan) {
        plan::plan(&bench)?.print();
    }
    println!("{}", table::LEGEND);
    Ok(())
}
