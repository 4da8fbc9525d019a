//! The modules of a tree in, packages out: one a module, each with a name of
//! its own.

use std::collections::{BTreeMap, HashSet};

use modtree::ModuleFile;

/// A package that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// What comes before `-kmp`: the module's name, with as many of its
    /// directories as it takes to tell it from a namesake.
    pub stem: String,
    /// The module in it.
    pub module: ModuleFile,
}

/// Why modules cannot be told apart.
#[derive(Debug, thiserror::Error)]
#[error("{first} and {second}: no name tells them apart, both would be {stem}-kmp")]
pub struct PlanError {
    stem: String,
    first: String,
    second: String,
}

/// Names a package for every module, in the order of `modules`.
///
/// # Errors
/// Two files cannot be told apart by name and directories.
pub fn plan(modules: Vec<ModuleFile>) -> Result<Vec<Package>, PlanError> {
    let mut depth: Vec<usize> = vec![0; modules.len()];
    loop {
        let mut by_stem: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, (module, &depth)) in modules.iter().zip(&depth).enumerate() {
            by_stem.entry(stem(module, depth)).or_default().push(index);
        }
        let clashes: HashSet<usize> = by_stem
            .values()
            .filter(|members| members.len() > 1)
            .flatten()
            .copied()
            .collect();
        if clashes.is_empty() {
            let packages = modules.into_iter().zip(depth);
            return Ok(packages
                .map(|(module, depth)| Package {
                    stem: stem(&module, depth),
                    module,
                })
                .collect());
        }
        for (index, (module, depth)) in modules.iter().zip(&mut depth).enumerate() {
            if clashes.contains(&index) {
                *depth += 1;
                if *depth > directories(module).len() {
                    return Err(clash(&modules, index));
                }
            }
        }
    }
}

/// The name, preceded by its `depth` innermost directories.
fn stem(module: &ModuleFile, depth: usize) -> String {
    let directories = directories(module);
    let start = directories.len().saturating_sub(depth);
    let nearest = directories.get(start..).unwrap_or_default();
    nearest
        .iter()
        .chain([&module.name.as_str()])
        .copied()
        .collect::<Vec<_>>()
        .join("-")
}

fn directories(module: &ModuleFile) -> Vec<&str> {
    let mut parts: Vec<_> = module.path.split('/').collect();
    parts.pop();
    parts
}

fn clash(modules: &[ModuleFile], index: usize) -> PlanError {
    let full = |module: &ModuleFile| stem(module, usize::MAX);
    let name = modules.get(index).map(full).unwrap_or_default();
    let mut same = modules.iter().filter(|module| full(module) == name);
    let mut path = || {
        same.next()
            .map(|module| module.path.clone())
            .unwrap_or_default()
    };
    let (first, second) = (path(), path());
    PlanError {
        stem: name,
        first,
        second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(paths: &[&str]) -> Result<Vec<String>, String> {
        let modules = paths.iter().map(|path| ModuleFile {
            name: path
                .rsplit('/')
                .next()
                .unwrap()
                .split('.')
                .next()
                .unwrap()
                .to_owned(),
            path: (*path).to_owned(),
        });
        plan(modules.collect())
            .map(|packages| packages.into_iter().map(|package| package.stem).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_namesake_takes_its_directories_into_its_name() {
        assert_eq!(
            stems(&["kernel/a/x.ko", "kernel/b/x.ko", "kernel/c/y.ko"]).unwrap(),
            ["a-x", "b-x", "y"]
        );
        assert_eq!(
            stems(&["kernel/a/z/x.ko", "kernel/b/z/x.ko", "kernel/z-x.ko"]).unwrap(),
            ["a-z-x", "b-z-x", "kernel-z-x"]
        );
    }

    #[test]
    fn names_that_differ_in_case_or_dash_differ() {
        assert_eq!(
            stems(&["n/xt_DSCP.ko", "n/xt_dscp.ko", "n/xt-dscp.ko"]).unwrap(),
            ["xt_DSCP", "xt_dscp", "xt-dscp"]
        );
    }

    #[test]
    fn one_module_twice_is_an_error_that_names_both() {
        assert_eq!(
            stems(&["kernel/x.ko", "kernel/x.ko.xz"]).unwrap_err(),
            "kernel/x.ko and kernel/x.ko.xz: no name tells them apart, both would be kernel-x-kmp"
        );
    }
}
