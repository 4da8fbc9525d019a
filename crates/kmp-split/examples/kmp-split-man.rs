//! kmp-split's option table in, its man pages out, into the directory named by
//! the first argument.

use anyhow::{Context, Result};
use clap::CommandFactory;

fn main() -> Result<()> {
    let directory = std::env::args_os()
        .nth(1)
        .context("usage: kmp-split-man DIRECTORY")?;
    clap_mangen::generate_to(kmp_split::Cli::command(), directory)?;
    Ok(())
}
