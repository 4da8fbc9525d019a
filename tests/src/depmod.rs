//! Turns a tree into the question whether our depmod leaves what kmod's does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use kmod_index::IndexFile;

use crate::index_differ;
use crate::kmod::{Kmod, answer};
use crate::modules_tree::ModulesTree;
use crate::stage::Stage;
use crate::tools::tail;

/// What both versions write, or only one.
pub const FILES: [&str; IndexFile::ALL.len()] = IndexFile::NAMES;

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    /// Whether it succeeded.
    pub success: bool,
    /// Whether a signal ended it.
    pub died: bool,
    /// How many lines of each level it wrote to stderr.
    pub levels: BTreeMap<String, usize>,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// The indexes.
    pub files: BTreeMap<String, Vec<u8>>,
    /// All of stderr, for messages of tests.
    pub stderr: String,
}

/// Compares ours with both versions of kmod, run in the same directory with options and files
/// behind the release; gives what kmod 34 left.
pub fn compare(tree: &ModulesTree, options: &[&str]) -> Result<Left> {
    let mut last = None;
    for kmod in Kmod::all()? {
        last = Some(compare_with(&kmod, tree, options)?);
    }
    last.context("no kmod to compare with")
}

/// Compares ours with one version.
pub fn compare_with(kmod: &Kmod, tree: &ModulesTree, options: &[&str]) -> Result<Left> {
    let theirs = left_by(kmod.tool("depmod", tree.root())?, tree, options)?;
    let mut command = ours()?;
    command.args(["--compat", kmod.version]);
    let ours = left_by(command, tree, options)?;
    same(&ours, &theirs).with_context(|| {
        let (ours, theirs) = (tail(&ours.stderr, 20), tail(&theirs.stderr, 20));
        format!("unlike {kmod}\nours:\n{ours}\ntheirs:\n{theirs}\n")
    })?;
    Ok(ours)
}

/// The command under test, without options.
pub fn ours() -> Result<Command> {
    Ok(Stage::get()?.system_tool("kmp-depmod"))
}

/// Runs a depmod on a tree and takes away what it wrote.
pub fn left_by(mut command: Command, tree: &ModulesTree, options: &[&str]) -> Result<Left> {
    command.arg("-b").arg(tree.root()).arg(&tree.release);
    command.args(options);
    if !options.contains(&"-C") {
        // The host's configuration is not the tree's.
        command.arg("-C").arg(tree.root().join("no-configuration"));
    }
    left(answer(&mut command)?, &tree.directory())
}

fn left(output: Output, directory: &Path) -> Result<Left> {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut levels = BTreeMap::new();
    for line in stderr.lines() {
        // kmod's decompressors tell what is wrong, each time they are asked.
        if line.contains(": zstd: ") || line.contains(": xz: ") {
            continue;
        }
        if let Some(level) = line.split(": ").nth(1) {
            *levels.entry(level.to_owned()).or_default() += 1;
        }
    }
    let mut files = BTreeMap::new();
    for name in FILES {
        let path = directory.join(name);
        if path.exists() {
            files.insert(name.to_owned(), fs::read(&path)?);
            fs::remove_file(&path)?;
        }
    }
    Ok(Left {
        success: output.status.success(),
        died: output.status.code().is_none(),
        levels,
        stdout: output.stdout,
        files,
        stderr,
    })
}

fn same(ours: &Left, theirs: &Left) -> Result<()> {
    let names = |left: &Left| left.files.keys().cloned().collect::<Vec<_>>();
    ensure!(
        names(ours) == names(theirs),
        "our files are {:?}, theirs {:?}",
        names(ours),
        names(theirs)
    );
    for (name, bytes) in &ours.files {
        let theirs = theirs
            .files
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        index_differ::same(name, bytes, theirs)?;
    }
    index_differ::same("stdout", &ours.stdout, &theirs.stdout)?;
    ensure!(
        ours.success == theirs.success,
        "our success is {}, theirs {}",
        ours.success,
        theirs.success
    );
    // Of failures kmod's parts tell one after the other.
    ensure!(
        ours.levels == theirs.levels || (!ours.success && !ours.stderr.is_empty()),
        "our messages are {:?}, theirs {:?}",
        ours.levels,
        theirs.levels
    );
    Ok(())
}
