//! Writes the manual pages of kmp into a directory, and its completions into another one.

use std::path::PathBuf;

use anyhow::{Context, Result};
use command_docs::{PageParts, write_completions, write_pages};

fn main() -> Result<()> {
    let mut directories = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: kmp-man PAGES COMPLETIONS";
    let pages = directories.next().context(usage)?;
    let completions = directories.next().context(usage)?;
    write_pages(kmp::command(), &parts, &pages)?;
    write_completions(kmp::command(), "kmp", &completions)?;
    let command = kmp::command();
    let depmod = command
        .find_subcommand("depmod")
        .context("kmp has no depmod")?;
    write_completions(
        depmod.clone().name("kmp-depmod"),
        "kmp-depmod",
        &completions,
    )
}

fn parts(page: &str) -> Option<PageParts> {
    let environment: &[(&str, &str)] = &[(
        "SOURCE_DATE_EPOCH",
        "If it is set, depmod keeps no facts, so that what it writes is reproducible.",
    )];
    Some(match page {
        "kmp" => PageParts {
            examples: &[("Make the indexes of the running kernel:", "kmp depmod")],
            exit_status: "That of the subcommand.",
            environment,
            see_also: &["kmp-depmod(1)", "kmpkit-triggers(7)"],
        },
        "kmp-depmod" => PageParts {
            examples: &[
                ("Make the indexes of the running kernel:", "kmp-depmod"),
                (
                    "Make those of a kernel below another root:",
                    "kmp-depmod --basedir /mnt 6.1.0-50-amd64",
                ),
                (
                    "Look at one file only, after it was added:",
                    "echo updates/driver.ko | kmp-depmod --changed 6.1.0-50-amd64",
                ),
            ],
            exit_status: "0 if the indexes are as they should be, also if a module is damaged. 1 if the \
                          command line is wrong, if modules need each other, or if something cannot be \
                          read or written.",
            environment,
            see_also: &[
                "depmod(8)",
                "depmod.d(5)",
                "modprobe(8)",
                "kmpkit-triggers(7)",
            ],
        },
        _ => return None,
    })
}
