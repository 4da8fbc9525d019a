//! Writes file attributes: which generator rpm runs on which files.

use std::collections::BTreeSet;

use deptag::Dialect;
use policy::TagKind;
use tagging::{GENERATORS, Generator};

use crate::HEAD;

/// The file attribute of a generator.
pub fn attr(generator: &Generator) -> String {
    let attr = generator.attr();
    let mut lines = vec![
        format!("# {HEAD}"),
        format!("# {}: {}(1)", generator.summary, generator.name),
    ];
    let mut define = |name: &str, value: &str| lines.push(format!("%__{attr}_{name}\t{value}"));
    let leaves = leaves_all(generator);
    for kind in types(generator) {
        let kind = lower(kind);
        let command = format!("%{{__kmpkit_command {attr} {kind}}}");
        // Of an attribute with other types as well, this type alone is left to the package.
        match is_replaced(generator, &kind) && !leaves {
            false => define(&kind, &command),
            true => define(
                &kind,
                &lua(&format!("unless_left(\"{attr}\", \"{command}\")")),
            ),
        }
    }
    define("protocol", "%{__kmpkit_generator_protocol}");
    let paths = generator.file_sets().into_iter();
    let paths: Vec<_> = paths
        .map(|set| format!("%{{__kmpkit_{}_path}}", set.name))
        .collect();
    let path = format!("%{{!?__kmpkit_in_process:{}}}", paths.join("|"));
    define("path", &path);
    match (leaves, generator.needs_policy()) {
        (true, _) => define("exclude_path", &lua(&format!("left_path(\"{attr}\")"))),
        // Policies are about the modules that they name, whoever packages these.
        (false, true) => {}
        (false, false) => define("exclude_path", &kernels(&attr)),
    }
    lines.join("\n") + "\n"
}

/// The last file attribute in name order, which silences the generators of distributions that ours
/// replace.
pub fn neighbours() -> String {
    let silenced: BTreeSet<_> = GENERATORS
        .iter()
        .flat_map(|generator| generator.replaces)
        .map(|&(attr, kind)| format!("%__{attr}_{}()\t%{{?3}}\n", lower(kind)))
        .collect();
    let silenced: String = silenced.into_iter().collect();
    let template = include_str!("../../../../fileattrs/zz_kmpkit.attr.in");
    template.replace("@SILENCED@\n", &silenced)
}

/// The types of tags that a generator prints in any dialect.
pub fn types(generator: &Generator) -> Vec<TagKind> {
    let mut kinds = Vec::new();
    for output in generator.outputs() {
        for dialect in [Dialect::Suse, Dialect::RedHat] {
            let kind = output.types.of(dialect);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    kinds
}

/// A type as rpm has it in names of macros.
pub fn lower(kind: TagKind) -> String {
    kind.as_str().to_ascii_lowercase()
}

/// Whether a package that brings a generator of its own gets all types of tags from that.
fn leaves_all(generator: &Generator) -> bool {
    types(generator)
        .into_iter()
        .all(|kind| is_replaced(generator, &lower(kind)))
}

fn is_replaced(generator: &Generator, kind: &str) -> bool {
    let mut replaced = generator.replaces.iter();
    replaced.any(|&(_, replaced)| lower(replaced) == kind)
}

/// What an attribute leaves out in the package of a kernel that knows nothing of kmpkit.
fn kernels(attr: &str) -> String {
    format!("%{{lua:require(\"kmpkit_stock_kernels\").print_path(\"{attr}\")}}")
}

fn lua(call: &str) -> String {
    format!("%{{lua:require(\"kmpkit_neighbours\").{call}}}")
}
