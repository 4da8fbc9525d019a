//! Writes a manual page.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use clap::Command;
use clap_mangen::Man;

use crate::synopsis::synopsis;

/// What a page has beside the option table.
#[derive(Clone, Copy, Debug)]
pub struct PageParts {
    /// What each example does, and its command.
    pub examples: &'static [(&'static str, &'static str)],
    /// What the exit status says.
    pub exit_status: &'static str,
    /// Variables, and what each does.
    pub environment: &'static [(&'static str, &'static str)],
    /// Other pages.
    pub see_also: &'static [&'static str],
}

/// The name of the page of a command: `kmp-split-plan`.
pub fn name(command: &Command) -> &str {
    let display = command.get_display_name();
    display.unwrap_or_else(|| command.get_name())
}

/// The page.
pub fn text(command: &Command, parts: &PageParts) -> Result<String> {
    let PageParts {
        examples,
        exit_status,
        environment,
        see_also,
    } = parts;
    ensure!(
        !(examples.is_empty() || exit_status.is_empty() || environment.is_empty()),
        "{}(1) lacks a section",
        name(command)
    );
    let man = Man::new(command.clone());
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    let mut out = String::from_utf8(out)?;
    let _ = writeln!(
        out,
        ".SH SYNOPSIS\n.nh\n.ad l\n{}\n.ad\n.hy",
        synopsis(command)
    );
    let mut body = Vec::new();
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    if command.get_subcommands().any(|one| !one.is_hide_set()) {
        man.render_subcommands_section(&mut body)?;
    }
    if command
        .get_after_long_help()
        .or(command.get_after_help())
        .is_some()
    {
        man.render_extra_section(&mut body)?;
    }
    out += &String::from_utf8(body)?.replace(".SH EXTRA", ".SH NOTES");
    let _ = writeln!(out, ".SH EXIT STATUS\n{}", escaped(exit_status));
    out += ".SH ENVIRONMENT\n";
    for (variable, what) in *environment {
        let _ = writeln!(out, ".TP\n.B {}\n{}", escaped(variable), escaped(what));
    }
    out += ".SH EXAMPLES\n";
    for (what, example) in *examples {
        let _ = writeln!(
            out,
            ".PP\n{}\n.PP\n.RS 4\n.EX\n{}\n.EE\n.RE",
            escaped(what),
            escaped(example)
        );
    }
    let _ = writeln!(out, ".SH SEE ALSO\n{}", references(see_also));
    Ok(out)
}

/// `.BR kmp-split (1),` for each page.
fn references(pages: &[&str]) -> String {
    let references = pages.iter().map(|page| match page.split_once('(') {
        Some((name, section)) => format!(".BR {} ({section}", escaped(name)),
        None => format!(".B {}", escaped(page)),
    });
    references.collect::<Vec<_>>().join(",\n")
}

/// Text that roff takes literally.
pub fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = text
        .lines()
        .map(|line| match line.starts_with(['.', '\'']) {
            true => format!("\\&{line}"),
            false => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}
