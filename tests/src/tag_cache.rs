//! Reads a tag cache, as `kmp-split tags` writes it, into the tags of each file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::stage::Stage;
use crate::tools::run;

/// Tags by file and dependency type; types without tags are left out.
pub type CachedTags = BTreeMap<PathBuf, BTreeMap<String, BTreeSet<String>>>;

/// Writes a cache of the tags of all files of a buildroot, and reads it.
pub fn cache(build_root: &Path, into: &Path, options: &[&str]) -> Result<CachedTags> {
    let mut command = Stage::get()?.tool("kmp-split");
    command.arg("tags").arg(build_root).arg("--into").arg(into);
    run(command.args(options))?;
    read(into)
}

/// Reads the index, and what it points at.
pub fn read(directory: &Path) -> Result<CachedTags> {
    let mut cached = CachedTags::new();
    let index = fs::read_to_string(directory.join("index")).context("index")?;
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for line in index.lines().filter_map(|line| line.strip_prefix("file ")) {
        let at = line
            .find(" /")
            .with_context(|| format!("no path in {line:?}"))?;
        let (facts, path) = line.split_at(at);
        let mut tags = BTreeMap::new();
        for range_of_type in facts.split(' ').filter(|word| word.contains('=')) {
            let (kind, range) = range_of_type.split_once('=').context("no type")?;
            if !texts.contains_key(kind) {
                let text = fs::read_to_string(directory.join(kind)).context("tags")?;
                texts.insert(kind.to_owned(), text);
            }
            let (offset, length) = range.split_once('+').context("no length")?;
            let (offset, length): (usize, usize) = (offset.parse()?, length.parse()?);
            let text = texts.get(kind).context("no text")?;
            let lines = text.get(offset..offset + length);
            let lines = lines.with_context(|| format!("{range_of_type} is not in {kind}"))?;
            let head = format!(";{}\n", &path[1..]);
            ensure!(
                text.get(..offset)
                    .is_some_and(|before| before.ends_with(&head)),
                "{kind} has other tags at {offset} than those of {path}"
            );
            let set: BTreeSet<String> = lines.lines().map(str::to_owned).collect();
            ensure!(set.len() == lines.lines().count(), "a tag twice: {lines}");
            tags.insert(kind.to_owned(), set);
        }
        cached.insert(PathBuf::from(&path[1..]), tags);
    }
    Ok(cached)
}
