//! kmp's option tables in, its man pages out, into the directory named by the first argument.

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let directory = std::env::args_os()
        .nth(1)
        .context("usage: kmp-man DIRECTORY")?;
    clap_mangen::generate_to(kmp::command(), directory)?;
    Ok(())
}
