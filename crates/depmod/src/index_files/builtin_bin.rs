//! modules.builtin.bin: the names in modules.builtin, without values.

use std::path::Path;

use kmod_conf::c_text::lines;
use kmod_index::{Entry, IndexFile, KernelList, WriteError};
use kmodule::kmod_name;

use super::input::IndexInput;
use crate::complaints::Complaints;

/// The longest line kmod reads at once.
const LINE: usize = 4096;

pub(super) fn index(input: &IndexInput<'_>) -> Result<Vec<u8>, WriteError> {
    let Some((path, text)) = input.list(KernelList::Builtin) else {
        return Ok(Vec::new());
    };
    let names = names(&text, &path);
    let entry = |name| Entry {
        key: name,
        value: b"",
        priority: 0,
    };
    let entries: Vec<_> = names.iter().map(|name| entry(&name[..])).collect();
    input.index(IndexFile::BuiltinBin, &entries)
}

/// The names of the modules in a modules.builtin; `path` is for messages.
pub fn names(text: &[u8], path: &Path) -> Vec<Vec<u8>> {
    let mut complaints = Complaints::about(path);
    let mut names = Vec::new();
    for (line, number) in lines(text, LINE).zip(1..) {
        match line.first().is_some_and(u8::is_ascii_alphabetic) {
            true => {
                let file = line.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
                // kmod finds no name behind a last slash and takes that of the line before again.
                match file.is_empty() {
                    true => names.extend(names.last().cloned()),
                    false => names.push(kmod_name(file).into_owned()),
                }
            }
            false => {
                let line = String::from_utf8_lossy(line);
                let line = line.trim_end();
                complaints.error(number, format_args!("Invalid modules.builtin line: {line}"));
            }
        }
    }
    names
}
