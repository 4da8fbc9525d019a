//! Turns a [`Scenario`] into requests to a package manager, and compares what is installed then.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::directories::cache_dir;
use crate::kernel::walk;
use crate::place::Place;
use crate::rpms::{Package, repository};
use crate::scenario::{Block, Scenario, World};
use crate::zypp::{Dnf, Installed, Solver, Zypp};

impl Scenario {
    /// Plays the scenario in an empty root; `worlds` gives the repositories it names.
    pub fn run(&self, worlds: &dyn Fn(&str) -> Result<World>) -> Result<()> {
        let work = tempfile::tempdir().context("temporary directory")?;
        let mut repos: Vec<(String, PathBuf)> = Vec::new();
        let mut variables = Vec::new();
        for block in self.blocks.iter().filter(|b| b.keyword() == "world") {
            let name = block.word(1);
            let world = worlds(name).with_context(|| self.at(block))?;
            repos.push((name.to_owned(), world.repo));
            variables.extend(world.variables);
        }
        let blocks: Vec<Block> = self.blocks.iter().map(|b| b.replace(&variables)).collect();
        let own: Vec<Package> = blocks
            .iter()
            .filter(|b| b.keyword() == "package")
            .map(|b| self.package(b))
            .collect::<Result<_>>()?;
        if !own.is_empty() {
            let dir = work.path().join("own");
            repository(&own, &dir)
                .with_context(|| format!("{}: its own packages", self.file.display()))?;
            repos.push(("own".to_owned(), dir));
        }
        let repos: Vec<(&str, &Path)> = repos
            .iter()
            .map(|(name, dir)| (name.as_str(), dir.as_path()))
            .collect();
        let root = work.path().join("root");
        let mut solver = self.solver(&blocks, &root, &repos)?;
        let mut before = solver.installed()?;
        for block in &blocks {
            self.step(block, solver.as_mut(), &root, &mut before)
                .with_context(|| self.at(block))?;
        }
        Ok(())
    }

    fn solver(
        &self,
        blocks: &[Block],
        root: &Path,
        repos: &[(&str, &Path)],
    ) -> Result<Box<dyn Solver>> {
        let tool = blocks.iter().find(|b| b.keyword() == "tool");
        let program = tool.map_or("zypper", |b| b.word(1));
        let place = match tool.map(|b| (b.words.len(), b.word(2), b.word(3))) {
            None | Some((2, ..)) => Place::Host,
            Some((4, "in", suite)) => Place::suite(suite, &cache_dir())?,
            Some(_) => bail!("{}: tool NAME [in SUITE]", self.file.display()),
        };
        match program {
            "zypper" => Ok(Box::new(Zypp::new_in(place, root, repos)?)),
            "dnf" | "dnf5" => Ok(Box::new(Dnf::new_in(place, program, root, repos)?)),
            other => bail!("{}: no tool {other}", self.file.display()),
        }
    }

    fn step(
        &self,
        block: &Block,
        solver: &mut dyn Solver,
        root: &Path,
        before: &mut BTreeSet<Installed>,
    ) -> Result<()> {
        match block.keyword() {
            "machine" => solver.hardware(&block.body),
            "fail" => {
                let request = Block {
                    words: block.words.iter().skip(1).cloned().collect(),
                    ..block.clone()
                };
                if block.body.is_empty() {
                    bail!("no reason below it");
                }
                *before = solver.installed()?;
                match ask(&request, solver)? {
                    Ok(said) => bail!("went through, though it must be refused:\n{said}"),
                    Err(refusal) => reasons(&block.body, &format!("{refusal:#}")),
                }
            }
            "install" | "remove" | "update" | "inr" => {
                *before = solver.installed()?;
                ask(block, solver)?.map(drop)
            }
            "installed" => exactly(&block.body, &solver.installed()?),
            "added" => {
                let now = solver.installed()?;
                let gone: Vec<String> = before.difference(&now).map(show).collect();
                if !gone.is_empty() {
                    bail!("removed by the last request:\n{}", lines(&gone));
                }
                exactly(&block.body, &now.difference(before).cloned().collect())
            }
            "present" | "absent" => {
                let now = solver.installed()?;
                let wanted = block.keyword() == "present";
                for pattern in &block.body {
                    let found: Vec<String> = now
                        .iter()
                        .filter(|p| glob(pattern, &p.name))
                        .map(show)
                        .collect();
                    if found.is_empty() == wanted {
                        bail!(
                            "{} {pattern}; installed:\n{}",
                            block.keyword(),
                            lines(now.iter().map(show))
                        );
                    }
                }
                Ok(())
            }
            "modules" | "no-modules" => {
                let there = modules(root, block.word(1))?;
                let wanted = block.keyword() == "modules";
                for pattern in &block.body {
                    let found: Vec<&String> =
                        there.iter().filter(|name| glob(pattern, name)).collect();
                    if found.is_empty() == wanted {
                        let count = there.len();
                        bail!("{pattern}: of {count} modules there are\n{}", lines(found));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Names of the modules in a root, of one kernel or of all.
fn modules(root: &Path, release: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for directory in ["lib/modules", "usr/lib/modules"] {
        let directory = root.join(directory).join(release);
        let mut files = Vec::new();
        if directory.is_dir() {
            walk(&directory, &mut files)?;
        }
        let names_of_files = files.iter().filter_map(|file| file.file_name()?.to_str());
        names.extend(names_of_files.filter_map(|name| Some(name.split_once(".ko")?.0.to_owned())));
    }
    Ok(names)
}

/// The outer result is about the scenario, the inner one is the package manager's.
fn ask(block: &Block, solver: &mut dyn Solver) -> Result<Result<String>> {
    let words: Vec<&str> = block.words.iter().skip(1).map(String::as_str).collect();
    Ok(match block.keyword() {
        "install" => solver.install(&words),
        "remove" => solver.remove(&words),
        "update" => solver.update(),
        "inr" => solver.new_hardware(),
        other => bail!("no request: {other:?}"),
    })
}

fn reasons(expected: &[String], said: &str) -> Result<()> {
    match expected
        .iter()
        .find(|reason| !said.contains(reason.as_str()))
    {
        None => Ok(()),
        Some(reason) => bail!("refused, but not because of {reason:?}:\n{said}"),
    }
}

fn exactly(expected: &[String], now: &BTreeSet<Installed>) -> Result<()> {
    let matches = |entry: &String, package: &Installed| match entry.split_once(" = ") {
        None => *entry == package.name,
        Some((name, version)) => {
            let upstream = package
                .version
                .rsplit_once('-')
                .map_or("", |(version, _)| version);
            name.trim() == package.name && (version == package.version || version == upstream)
        }
    };
    let missing: Vec<&String> = expected
        .iter()
        .filter(|e| !now.iter().any(|p| matches(e, p)))
        .collect();
    let extra: Vec<String> = now
        .iter()
        .filter(|p| !expected.iter().any(|e| matches(e, p)))
        .map(show)
        .collect();
    if missing.is_empty() && extra.is_empty() {
        return Ok(());
    }
    bail!(
        "expected, not there:\n{}\nthere, not expected:\n{}",
        lines(missing),
        lines(extra)
    )
}

fn show(package: &Installed) -> String {
    format!("{} = {}", package.name, package.version)
}

fn lines(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let all: Vec<String> = items
        .into_iter()
        .map(|i| format!("    {}", i.as_ref()))
        .collect();
    if all.is_empty() {
        "    (none)".to_owned()
    } else {
        all.join("\n")
    }
}

/// Shell globbing with `*` alone.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| tail.get(at..).is_some_and(|t| glob(rest, t)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_compared_exactly() {
        let now: BTreeSet<Installed> = [("a", "1-2"), ("b", "3-4")]
            .map(|(name, version)| Installed {
                name: name.into(),
                version: version.into(),
            })
            .into();
        let check = |entries: &[&str]| {
            exactly(
                &entries.iter().map(|&e| e.to_owned()).collect::<Vec<_>>(),
                &now,
            )
        };
        assert!(check(&["a", "b"]).is_ok() && check(&["a = 1", "b = 3-4"]).is_ok());
        assert!(
            check(&["a"]).is_err()
                && check(&["a", "b", "c"]).is_err()
                && check(&["a = 2", "b"]).is_err()
        );
        assert!(glob("*-kmp-*", "x-kmp-amd64") && glob("x", "x") && !glob("x*y", "xz"));
    }
}
