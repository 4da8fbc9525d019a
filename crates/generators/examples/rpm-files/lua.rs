//! Writes the table that rpm's Lua has of the generators.

use std::collections::BTreeSet;

use deptag::Dialect;
use policy::TagKind;
use tagging::{FileLocation, GENERATORS, Generator, GeneratorOutput, OutputOption, file_sets};

use crate::HEAD;
use crate::attrs::lower;

/// The Lua module `kmpkit_generators`.
pub fn table() -> String {
    let types = TagKind::ALL.map(|kind| quoted(&lower(kind)));
    let locations = file_sets().into_iter().flat_map(|set| set.locations);
    let directories: BTreeSet<_> = locations
        .flat_map(FileLocation::directories)
        .map(|directory| quoted(&format!("/{}/", directory.display())))
        .collect();
    let directories: Vec<_> = directories.into_iter().collect();
    let rows: String = GENERATORS.iter().map(row).collect();
    format!(
        "-- {HEAD}\n\n\
         return {{\n\
         \x20  -- The dependency types, in the order rpm asks for them.\n\
         \x20  types = {{ {} }},\n\n\
         \x20  -- Where the files lie that generators are about.\n\
         \x20  directories = {{ {} }},\n\n\
         \x20  -- policy: nil if none changes the tags, or \"followed\", or \"needed\" if there are no tags without.\n\
         \x20  -- outputs: an option for a type, in one dialect or in both.\n\
         \x20  -- replaces: the generators of distributions that print the same tags.\n\
         \x20  generators = {{\n{rows}   }},\n\
         }}\n",
        types.join(", "),
        directories.join(", "),
    )
}

fn row(generator: &Generator) -> String {
    let policy = match (generator.needs_policy(), generator.follows_policy()) {
        (true, _) => "\n         policy = \"needed\",",
        (false, true) => "\n         policy = \"followed\",",
        (false, false) => "",
    };
    let outputs: String = generator.outputs().iter().flat_map(outputs).collect();
    let replaces = generator.replaces.iter();
    let replaces: String = replaces
        .map(|&(attr, kind)| entry(&[("attr", attr), ("type", &lower(kind))]))
        .collect();
    format!(
        "      {{\n         attr = {}, program = {},{policy}\n         \
         outputs = {{\n{outputs}         }},\n         \
         replaces = {{\n{replaces}         }},\n      }},\n",
        quoted(&generator.attr()),
        quoted(generator.name),
    )
}

fn outputs(output: &GeneratorOutput) -> Vec<String> {
    let option = match output.option {
        OutputOption::Default => String::new(),
        OutputOption::Flag { name, .. } => format!("--{name}"),
        OutputOption::Type(kind) => format!("--type {}", lower(kind)),
    };
    let [suse, redhat] =
        [Dialect::Suse, Dialect::RedHat].map(|dialect| lower(output.types.of(dialect)));
    match suse == redhat {
        true => vec![entry(&[("type", &suse), ("option", &option)])],
        false => [("suse", suse), ("redhat", redhat)]
            .map(|(dialect, kind)| {
                entry(&[("type", &kind), ("option", &option), ("dialect", dialect)])
            })
            .into(),
    }
}

fn entry(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let fields: Vec<_> = fields
        .map(|(key, value)| format!("{key} = {}", quoted(value)))
        .collect();
    format!("            {{ {} }},\n", fields.join(", "))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
