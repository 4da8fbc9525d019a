//! Makes manual pages and completions from option tables.
//!
//! Only programs that run while kmpkit is built use this crate, so that what is installed has none of
//! it.

mod page;
mod synopsis;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::{Generator, Shell};

pub use page::PageParts;

/// Writes a manual page for a command and for each of its subcommands. `parts` says what the option table
/// does not have, by the name of the page.
///
/// # Errors
/// A page cannot be written, or lacks a part.
pub fn write_pages(
    command: Command,
    parts: &dyn Fn(&str) -> Option<PageParts>,
    directory: &Path,
) -> Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    pages(&command, parts, directory)
}

fn pages(
    command: &Command,
    parts: &dyn Fn(&str) -> Option<PageParts>,
    directory: &Path,
) -> Result<()> {
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        pages(subcommand, parts, directory)?;
    }
    let name = page::name(command);
    let parts = parts(name).with_context(|| format!("{name}(1) has no examples"))?;
    let path = directory.join(format!("{name}.1"));
    let text = page::text(command, &parts)?;
    fs::write(&path, text).with_context(|| path.display().to_string())
}

/// Writes the completions of a command for bash, zsh and fish.
///
/// # Errors
/// A file cannot be written.
pub fn write_completions(mut command: Command, name: &str, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, name, &mut text);
        let mut text = String::from_utf8(text)?;
        if shell == Shell::Bash {
            // clap_complete 4.6 spells a name with a dash in two ways, so that no option of a subcommand
            // is completed.
            text = text.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
        }
        let path = directory.join(shell.file_name(name));
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
