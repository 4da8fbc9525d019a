//! Writes the macros with the names of files, which come from the tables of kmodule.

use kmodule::COMPRESSION_SUFFIXES;
use tagging::{GENERATORS, compression_expression, file_sets};

use crate::HEAD;

/// All macros.
pub fn macros() -> String {
    let attrs: Vec<_> = GENERATORS
        .iter()
        .map(|generator| generator.attr())
        .collect();
    let sets = file_sets();
    let paths = sets
        .iter()
        .map(|set| format!("%{{__kmpkit_{}_path}}", set.name));
    let paths: Vec<_> = paths.collect();
    let coarse: Vec<_> = sets.iter().map(|set| set.coarse_expression()).collect();
    let mut lines = vec![
        format!("# {HEAD}"),
        String::new(),
        "# The file attributes of the generators.".to_owned(),
        define("attrs", &attrs.join(" ")),
        String::new(),
        "# What compressed files end in, as an expression and as words.".to_owned(),
        define("compression", &compression_expression()),
        define("compression_suffixes", &COMPRESSION_SUFFIXES.join(" ")),
        String::new(),
        "# The files that rpm asks generators about.".to_owned(),
    ];
    for set in &sets {
        lines.push(define(&format!("{}_path", set.name), &set.expression()));
    }
    lines.push(define("tagged_path", &paths.join("|")));
    lines.push(String::new());
    lines.push("# A short expression that matches at least these.".to_owned());
    lines.push(define("coarse_path", &coarse.join("|")));
    lines.join("\n") + "\n"
}

/// A macro whose value has backslashes, which a macro file doubles.
fn define(name: &str, value: &str) -> String {
    format!("%__kmpkit_{name}\t{}", value.replace('\\', "\\\\"))
}
