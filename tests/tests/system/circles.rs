//! Holds the files of each crate free of circles: none imports a file that imports it back.
//!
//! A file has an arrow to each file of its crate whose items its paths name (`crate::…`, `super::…`).
//! A re-exported name leads to the file that defines it. A parent's arrows to its own children do not
//! count, for every parent has them. Tests below `#[cfg(test)]` do not count either.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::directories::project;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

/// The path of a module inside its crate: none for lib.rs, `["plan", "groups"]` for plan/groups.rs.
type ModulePath = Vec<String>;

struct Crate {
    /// The text of each file without tests and comments.
    files: BTreeMap<ModulePath, String>,
}

impl Crate {
    fn read(source: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut paths = Vec::new();
        kmpkit_tests::kernel::walk(source, &mut paths)?;
        for path in paths {
            if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path)?;
                files.insert(module_path(source, &path)?, product_code(&text));
            }
        }
        Ok(Self { files })
    }

    /// The file that defines what a path from the root of the crate names.
    fn definer(&self, path: &[String]) -> Option<ModulePath> {
        let module = (0..=path.len())
            .rev()
            .find_map(|end| self.files.get_key_value(path.get(..end)?))?;
        let (module, text) = module;
        let Some(item) = path.get(module.len()) else {
            return Some(module.clone());
        };
        let reexport = used(text, module)
            .into_iter()
            .find(|used| used.last() == Some(item) && *used != path);
        match reexport.filter(|_| !defines(text, item)) {
            Some(reexport) => self.definer(&reexport),
            None => Some(module.clone()),
        }
    }

    fn arrows(&self) -> BTreeSet<(ModulePath, ModulePath)> {
        let mut arrows = BTreeSet::new();
        for (module, text) in &self.files {
            for path in used(text, module) {
                if let Some(target) = self.definer(&path) {
                    if target != *module && !target.starts_with(module) {
                        arrows.insert((module.clone(), target));
                    }
                }
            }
        }
        arrows
    }

    fn circles(&self) -> Vec<Vec<String>> {
        let arrows = self.arrows();
        let mut graph: DiGraphMap<&ModulePath, ()> = DiGraphMap::new();
        for (from, to) in &arrows {
            graph.add_edge(from, to, ());
        }
        let circles = tarjan_scc(&graph).into_iter().filter(|scc| scc.len() > 1);
        circles
            .map(|scc| scc.iter().map(|module| module.join("::")).collect())
            .collect()
    }
}

fn module_path(source: &Path, path: &Path) -> Result<ModulePath> {
    let below = path.strip_prefix(source)?.with_extension("");
    let parts: Option<Vec<_>> = below.iter().map(|part| part.to_str()).collect();
    let mut parts: Vec<_> = parts.context("a name that is no text")?;
    if matches!(parts.last(), Some(&("lib" | "main" | "mod"))) {
        parts.pop();
    }
    Ok(parts.into_iter().map(str::to_owned).collect())
}

fn product_code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next();
    let lines = code.unwrap_or_default().lines();
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn defines(text: &str, item: &str) -> bool {
    ["fn", "struct", "enum", "trait", "type", "const", "static"]
        .iter()
        .any(|kind| {
            text.match_indices(&format!("{kind} {item}"))
                .any(|(at, found)| {
                    let behind = text.get(at + found.len()..).unwrap_or_default();
                    !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
        })
}

/// The paths a file names, from the root of its crate; those in braces one by one.
fn used(text: &str, module: &[String]) -> Vec<ModulePath> {
    let mut paths = Vec::new();
    for (at, _) in text
        .match_indices("crate::")
        .chain(text.match_indices("super::"))
    {
        let before = text.get(..at).unwrap_or_default();
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
            continue;
        }
        expand(text.get(at..).unwrap_or_default(), &[], module, &mut paths);
    }
    // `use child::Name;` in a parent re-exports or imports from its own child.
    for (at, found) in text.match_indices("use ") {
        let rest = text.get(at + found.len()..).unwrap_or_default();
        if !rest.starts_with("crate::") && !rest.starts_with("super::") {
            expand(rest, module, module, &mut paths);
        }
    }
    paths
}

/// Reads one path, which may end in braces, and adds it behind `prefix`. Gives what follows.
fn expand<'t>(
    text: &'t str,
    prefix: &[String],
    module: &[String],
    paths: &mut Vec<ModulePath>,
) -> &'t str {
    let mut path = prefix.to_vec();
    let mut rest = text.trim_start();
    loop {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        match word {
            "crate" => path.clear(),
            "super" if path.is_empty() && !text.starts_with("crate") => {
                path = module
                    .split_last()
                    .map_or(Vec::new(), |(_, up)| up.to_vec());
            }
            "self" | "" => {}
            word => path.push(word.to_owned()),
        }
        rest = behind;
        let Some(next) = rest.strip_prefix("::") else {
            break;
        };
        if let Some(inside) = next.strip_prefix('{') {
            return expand_braces(inside, &path, module, paths);
        }
        rest = next;
    }
    paths.push(path);
    rest
}

fn expand_braces<'t>(
    mut rest: &'t str,
    prefix: &[String],
    module: &[String],
    paths: &mut Vec<ModulePath>,
) -> &'t str {
    loop {
        rest = expand(rest, prefix, module, paths).trim_start();
        match rest.strip_prefix(',') {
            Some(next) if !next.trim_start().starts_with('}') => rest = next,
            Some(next) => return next.trim_start().strip_prefix('}').unwrap_or(next),
            None => return rest.strip_prefix('}').unwrap_or(""),
        }
    }
}

#[test]
fn no_file_imports_one_that_imports_it() -> Result<()> {
    let mut sources = vec![project().join("tests/src")];
    for entry in fs::read_dir(project().join("crates"))? {
        sources.push(entry?.path().join("src"));
    }
    let mut read = 0;
    for source in sources {
        let found = Crate::read(&source)?;
        read += found.files.len();
        let circles = found.circles();
        ensure!(circles.is_empty(), "{}: {circles:?}", source.display());
    }
    ensure!(read > 150, "only {read} files were read");
    Ok(())
}

/// The search finds a circle through a re-export, and takes a parent's use of its children for none.
#[test]
fn circles_are_found() {
    let file = |path: &[&str], text: &str| {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        (path, text.to_owned())
    };
    let of = |files: [(ModulePath, String); 3]| Crate {
        files: files.into_iter().collect(),
    };
    let face = file(&[], "mod a;\nmod b;\npub use a::{A, Other};\n");
    let a = "use crate::b::B;\npub struct A;";
    let circle = of([
        face.clone(),
        file(&["a"], a),
        file(&["b"], "pub struct B(crate::A);"),
    ]);
    assert_eq!(circle.circles().len(), 1);
    let none = of([face, file(&["a"], a), file(&["b"], "pub struct B;")]);
    assert!(none.circles().is_empty());
}
