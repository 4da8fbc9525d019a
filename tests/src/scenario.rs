//! Turns a small text file (worlds, machine, requests, expected packages) into a test of a solver.
//!
//! A line is a keyword with words behind it; lines that belong to it are indented. `#` begins a
//! comment, `{name}` stands for a variable of a world.
//!
//! ```text
//! tool zypper [in SUITE]       zypper (also without this line), dnf or dnf5; of a chroot if in SUITE
//! world NAME                   a repository, by the name the test gives it
//! package NAME VERSION-RELEASE a package of a repository of the scenario's own
//!     provides kmod(x.ko)      a tag of it: provides, requires, supplements, recommends, …
//! machine                      the hardware from here on, one modalias a line; none: no hardware
//!     pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00
//! install WORD…                requests, in this order: install, remove, update, inr; options are
//!                              the tool's own
//! install "kmod(x.ko) = k1"    a word with blanks
//! fail install WORD…           a request that must be refused,
//!     not found                for this reason: part of what the tool says; at least one
//! installed                    exactly these packages are there: NAME, or NAME = VERSION[-RELEASE]
//!     x-kmp-amd64
//! added                        exactly these came with the last request, and none went
//! present                      for each glob, at least one package is there
//! absent                       for each glob, none is there
//! modules                      for each glob, a module of this name is there, of the KERNELRELEASE
//!                              that may stand behind the keyword
//! no-modules                   for each glob, none is there
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::rpms::Package;

/// A repository and what scenarios call its parts.
#[derive(Debug, Clone)]
pub struct World {
    /// Directory with rpms and repodata.
    pub repo: PathBuf,
    /// Variables: a scenario's `{name}` becomes the value.
    pub variables: Vec<(String, String)>,
}

/// A scenario as read from its file.
#[derive(Debug)]
pub struct Scenario {
    pub(crate) file: PathBuf,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) words: Vec<String>,
    pub(crate) body: Vec<String>,
}

const KEYWORDS: &[(&str, usize, bool)] = &[
    // keyword, least number of words behind it, whether indented lines may follow
    ("tool", 1, false),
    ("world", 1, false),
    ("package", 2, true),
    ("machine", 0, true),
    ("install", 1, false),
    ("remove", 1, false),
    ("update", 0, false),
    ("inr", 0, false),
    ("fail", 2, true),
    ("installed", 0, true),
    ("added", 0, true),
    ("present", 0, true),
    ("absent", 0, true),
    ("modules", 0, true),
    ("no-modules", 0, true),
];
const CHECKS: &[&str] = &[
    "installed",
    "added",
    "present",
    "absent",
    "modules",
    "no-modules",
    "fail",
];

impl Scenario {
    /// Reads a file; an unknown keyword, or a scenario that checks nothing, is an error.
    pub fn read(file: &Path) -> Result<Scenario> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        Scenario::parse(file, &text)
    }

    /// All `*.scenario` files of a directory, by name; none is an error.
    pub fn read_dir(dir: &Path) -> Result<Vec<Scenario>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))? {
            files.push(
                entry
                    .with_context(|| format!("read {}", dir.display()))?
                    .path(),
            );
        }
        files.retain(|f| f.extension().is_some_and(|e| e == "scenario"));
        files.sort();
        if files.is_empty() {
            bail!("{}: no *.scenario", dir.display());
        }
        files.iter().map(|f| Scenario::read(f)).collect()
    }

    /// The file's name without its ending.
    pub fn name(&self) -> String {
        self.file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    fn parse(file: &Path, text: &str) -> Result<Scenario> {
        let mut blocks: Vec<Block> = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(n, l)| (n + 1, l)) {
            let at = || format!("{}:{number}", file.display());
            let line = if line.trim_start().starts_with('#') {
                ""
            } else {
                line.split(" #").next().unwrap_or("")
            };
            let (indented, content) = (line.starts_with([' ', '\t']), line.trim());
            if content.is_empty() {
                continue;
            }
            if indented {
                let block = blocks
                    .last_mut()
                    .with_context(|| format!("{}: indented first line", at()))?;
                if !block.keyword_is(|k| k.2) {
                    bail!(
                        "{}: nothing can be indented below {:?}",
                        at(),
                        block.words.join(" ")
                    );
                }
                block.body.push(content.to_owned());
                continue;
            }
            let words = words(content).with_context(at)?;
            let block = Block {
                line: number,
                words,
                body: Vec::new(),
            };
            if !block.keyword_is(|k| block.words.len() > k.1) {
                bail!("{}: not understood: {content:?}", at());
            }
            blocks.push(block);
        }
        if !blocks.iter().any(|b| CHECKS.contains(&b.keyword())) {
            bail!("{}: checks nothing", file.display());
        }
        Ok(Scenario {
            file: file.to_owned(),
            blocks,
        })
    }

    pub(crate) fn package(&self, block: &Block) -> Result<Package> {
        let (version, release) = block
            .word(2)
            .split_once('-')
            .with_context(|| format!("{}: package NAME VERSION-RELEASE", self.at(block)))?;
        let tag = |line: &String| {
            let (tag, value) = line
                .split_once(' ')
                .with_context(|| format!("{}: tag {line:?}", self.at(block)))?;
            Ok((tag.to_owned(), value.trim().to_owned()))
        };
        Ok(Package {
            name: block.word(1).to_owned(),
            version: version.to_owned(),
            release: release.to_owned(),
            tags: block.body.iter().map(tag).collect::<Result<_>>()?,
        })
    }

    pub(crate) fn at(&self, block: &Block) -> String {
        format!(
            "{}:{}: {}",
            self.file.display(),
            block.line,
            block.words.join(" ")
        )
    }
}

impl Block {
    pub(crate) fn keyword(&self) -> &str {
        self.word(0)
    }

    pub(crate) fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    fn keyword_is(&self, test: impl Fn(&(&str, usize, bool)) -> bool) -> bool {
        KEYWORDS
            .iter()
            .find(|k| k.0 == self.keyword())
            .is_some_and(test)
    }

    pub(crate) fn replace(&self, variables: &[(String, String)]) -> Block {
        let fill = |text: &String| {
            variables.iter().fold(text.clone(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
        };
        Block {
            line: self.line,
            words: self.words.iter().map(fill).collect(),
            body: self.body.iter().map(fill).collect(),
        }
    }
}

/// Words between blanks; a quoted one may hold blanks.
fn words(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for (number, part) in line.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    if line.matches('"').count() % 2 == 1 {
        bail!("a quote without its end");
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        let error = |text: &str| {
            Scenario::parse(Path::new("x"), text)
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default()
        };
        assert_eq!(error("world a\ninstall b\n"), "x: checks nothing");
        assert_eq!(error("worlds a\n"), "x:1: not understood: \"worlds a\"");
        assert_eq!(error("install\n"), "x:1: not understood: \"install\"");
        assert_eq!(
            error("inr\n  x\n"),
            "x:2: nothing can be indented below \"inr\""
        );
        assert_eq!(error("world a # note\ninstalled\n  b\n"), "");
    }
}
