//! modules.builtin.alias.bin: names of builtin modules by the aliases in modules.builtin.modinfo.
//!
//! That file is a run of `<module>.<key>=<value>`, each ended by NUL
//! (kmod/tools/depmod.c, `output_builtin_alias_bin`).

use std::path::Path;

use kmod_index::{Entry, IndexFile, KernelList, WriteError};

use super::alias_bin::normal;
use super::input::IndexInput;
use crate::complaints::Complaints;

/// The longest part of an entry kmod has room for.
const LONGEST: usize = 4096;

pub(super) fn index(input: &IndexInput<'_>) -> Result<Vec<u8>, WriteError> {
    let Some((path, text)) = input.list(KernelList::BuiltinModinfo) else {
        return Ok(Vec::new());
    };
    let aliases = aliases(&text, &path);
    let entries: Vec<_> = aliases
        .iter()
        .map(|(key, module)| Entry {
            key,
            value: module,
            priority: 0,
        })
        .collect();
    input.index(IndexFile::BuiltinAliasBin, &entries)
}

/// Every alias in a modules.builtin.modinfo as modprobe looks it up, with its module; `path` is for
/// messages.
pub fn aliases<'t>(text: &'t [u8], path: &Path) -> Vec<(Vec<u8>, &'t [u8])> {
    let mut complaints = Complaints::about(path);
    let mut rest = text;
    let mut aliases = Vec::new();
    while !rest.is_empty() {
        let module = until(b'.', &mut rest, &mut complaints);
        if module.is_empty() {
            continue;
        }
        if until(b'=', &mut rest, &mut complaints) != b"alias" {
            skip(&mut rest);
            continue;
        }
        let alias = until(0, &mut rest, &mut complaints);
        if alias.is_empty() {
            continue;
        }
        if let Some(key) = normal(alias, &mut complaints) {
            aliases.push((key, module));
        }
    }
    aliases
}

/// What stands before the next `end`, which is passed; nothing if a NUL or the end of the file
/// comes first.
fn until<'t>(end: u8, rest: &mut &'t [u8], complaints: &mut Complaints<'_>) -> &'t [u8] {
    let text = *rest;
    let stop = text
        .iter()
        .take(LONGEST)
        .position(|&byte| byte == end || byte == 0);
    // One more has been read when there is no room left.
    let at = stop.unwrap_or(LONGEST);
    *rest = text.get(at + 1..).unwrap_or_default();
    let found = text.get(at) == Some(&end);
    if stop.is_none() && text.len() >= LONGEST {
        complaints.warning(format_args!(
            "an entry of modules.builtin.modinfo is too long"
        ));
    }
    match (found, stop) {
        (false, _) => &[],
        (true, Some(at)) => text.get(..at).unwrap_or_default(),
        (true, None) => text.get(..LONGEST - 1).unwrap_or_default(),
    }
}

/// Passes the rest of an entry.
fn skip(rest: &mut &[u8]) {
    let end = rest.iter().position(|&byte| byte == 0);
    *rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_other_keys_are_passed_over() {
        let text = b"a.license=GPL\0a.alias=x-y\0b.parm=p.alias=z\0\0odd\0b.alias=\0c.alias=u[\0c.alias=v\0d.alias=cut";
        let found: Vec<_> = aliases(text, Path::new("list"));
        assert_eq!(found, [(b"x_y".to_vec(), &b"a"[..]), (b"v".to_vec(), b"c")]);
    }

    #[test]
    fn an_entry_without_a_key_takes_the_next_with_it() {
        assert!(aliases(b"a.license\0b.alias=x\0", Path::new("list")).is_empty());
    }
}
