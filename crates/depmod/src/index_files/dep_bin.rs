//! modules.dep.bin: the lines of modules.dep by module name.

use kmod_index::{Entry, IndexFile, WriteError};

use super::input::{IndexInput, priority};

pub(super) fn index(input: &IndexInput<'_>) -> Result<Vec<u8>, WriteError> {
    let lines = input.dep_lines().iter();
    let entries: Vec<_> = lines
        .map(|(module, line)| Entry {
            key: input.name(module),
            value: line.strip_suffix(b"\n").unwrap_or(line),
            priority: priority(module),
        })
        .collect();
    input.index(IndexFile::DepBin, &entries)
}
