//! The generators' option tables in, one man page each out, into the directory
//! named by the first argument.

use anyhow::{Context, Result};
use clap::CommandFactory;
use generators::{DepmodRequires, KsymProvides, KsymRequires, ModaliasSupplements, PolicyTags};

fn main() -> Result<()> {
    let directory = std::env::args_os()
        .nth(1)
        .context("usage: generators-man DIRECTORY")?;
    for command in [
        KsymProvides::command(),
        KsymRequires::command(),
        ModaliasSupplements::command(),
        DepmodRequires::command(),
        PolicyTags::command(),
    ] {
        clap_mangen::generate_to(command, &directory)?;
    }
    Ok(())
}
