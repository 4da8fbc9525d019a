//! modules.builtin.bin: the names in modules.builtin, without values.

use kmod_index::{Entry, WriteError};

use super::View;
use crate::module_file::name;
use kmod_conf::c_text::lines;

pub(super) fn index(view: &View<'_>) -> Result<Vec<u8>, WriteError> {
    let Some(text) = view.list("modules.builtin") else {
        return Ok(Vec::new());
    };
    let names: Vec<_> = lines(&text, 4096).filter_map(builtin).collect();
    let entry = |name| Entry {
        key: name,
        value: b"",
        priority: 0,
    };
    let entries: Vec<_> = names.iter().map(|name| entry(&name[..])).collect();
    view.index(&entries)
}

/// The module a line names.
fn builtin(line: &[u8]) -> Option<Vec<u8>> {
    if !line.first().is_some_and(u8::is_ascii_alphabetic) {
        log::error!(
            "Invalid modules.builtin line: {}",
            String::from_utf8_lossy(line)
        );
        return None;
    }
    line.rsplit(|&byte| byte == b'/').next().map(name)
}
