//! Writes what rpm must know of the generators into a directory, from the table of generators:
//!
//! | file | what it has |
//! | --- | --- |
//! | `fileattrs/*.attr` | which generator runs on which files |
//! | `macros.d/macros.kmpkit-generators` | the names of files, as macros |
//! | `lua/kmpkit_generators.lua` | the commands of generators, and what they replace |
//! | `programs` | the names of all programs, for `make install` |
//! | `kmpkit-build.files` | programs and manual pages, for %files |

mod attrs;
mod lua;
mod macros;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tagging::GENERATORS;

/// The first line of each file; what begins a comment goes before it.
const HEAD: &str = "Made from the table of generators, crates/tagging/src/generators.rs.";

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.context("usage: rpm-files DIRECTORY")?;
    for generator in GENERATORS {
        let path = format!("fileattrs/{}.attr", generator.attr());
        write(&directory, &path, &attrs::attr(generator))?;
    }
    write(&directory, "fileattrs/zz_kmpkit.attr", &attrs::neighbours())?;
    write(
        &directory,
        "macros.d/macros.kmpkit-generators",
        &macros::macros(),
    )?;
    write(&directory, "lua/kmpkit_generators.lua", &lua::table())?;
    let names = GENERATORS.iter().map(|generator| generator.name);
    let programs: String = names.clone().map(|name| format!("{name}\n")).collect();
    write(&directory, "programs", &programs)?;
    let files: String = names
        .map(|name| format!("%{{_rpmconfigdir}}/{name}\n%{{_mandir}}/man1/{name}.1*\n"))
        .collect();
    write(&directory, "kmpkit-build.files", &files)
}

fn write(directory: &Path, path: &str, text: &str) -> Result<()> {
    let path = directory.join(path);
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(&path, text)
    };
    write().with_context(|| path.display().to_string())
}
