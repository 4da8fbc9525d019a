//! modules.alias.bin: module names by alias, spelled as modprobe looks them up.

use hashbrown::HashSet;
use kmod_index::{Entry, IndexFile, WriteError};

use super::input::IndexInput;
use super::module_texts::ModuleTexts;
use crate::complaints::Complaints;

/// The longest alias kmod has room for.
const LONGEST: usize = 4095;

pub(super) fn index(input: &IndexInput<'_>) -> Result<Vec<u8>, WriteError> {
    let bytes = input.alias_bytes();
    // Hardly an alias is shorter than this.
    let mut keys = ModuleTexts::with_capacity(bytes / 16, bytes);
    let mut complaints = Complaints::about(&input.settings.directory);
    for (number, module) in input.facts.iter() {
        for alias in module.aliases() {
            keys.push_with(number, |bytes| push_normal(alias, bytes, &mut complaints));
        }
    }
    let entries = keys.iter().map(|(module, key)| input.entry(key, module));
    let entries: Vec<_> = entries.collect();
    if input.settings.warn_duplicates {
        warn_of_duplicates(&entries);
    }
    input.index(IndexFile::AliasBin, &entries)
}

fn warn_of_duplicates(entries: &[Entry<'_>]) {
    let mut seen = HashSet::new();
    for Entry { key, value, .. } in entries {
        if !seen.insert((key, value)) {
            log::warn!(
                "duplicate module alias:\n{} {}",
                String::from_utf8_lossy(key),
                String::from_utf8_lossy(value)
            );
        }
    }
}

/// An alias with dashes as underscores, except in brackets (kmod/shared/util.c,
/// `alias_normalize`); `None`, with a message, if brackets do not match.
pub(super) fn normal(alias: &[u8], complaints: &mut Complaints<'_>) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(alias.len());
    push_normal(alias, &mut key, complaints)?;
    Some(key)
}

/// As [`normal`], behind other keys.
fn push_normal(alias: &[u8], key: &mut Vec<u8>, complaints: &mut Complaints<'_>) -> Option<()> {
    if alias.len() <= LONGEST && memchr::memchr3(b'-', b'[', b']', alias).is_none() {
        key.extend_from_slice(alias);
        return Some(());
    }
    let start = key.len();
    let mut inside = false;
    for &byte in alias {
        if !inside && key.len() - start >= LONGEST {
            break;
        }
        match (byte, inside) {
            (b']', false) => return unmatched(alias, complaints),
            (b']', true) => inside = false,
            (b'[', _) => inside = true,
            _ => {}
        }
        key.push(if byte == b'-' && !inside { b'_' } else { byte });
    }
    match inside {
        true => unmatched(alias, complaints),
        false => Some(()),
    }
}

fn unmatched(alias: &[u8], complaints: &mut Complaints<'_>) -> Option<()> {
    let alias = String::from_utf8_lossy(alias);
    complaints.warning(format_args!("Unmatched bracket in {alias}"));
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn dashes_outside_brackets_are_underscores() {
        let cases = [
            ("net-pf-10-proto-1", Some("net_pf_10_proto_1")),
            ("a-[0-9]-b", Some("a_[0-9]_b")),
            ("a-[[]-b", Some("a_[[]_b")),
            ("a]b", None),
            ("a[b", None),
            ("", Some("")),
        ];
        for (alias, wanted) in cases {
            let key = normal(alias.as_bytes(), &mut Complaints::about(Path::new("tree")));
            assert_eq!(key.as_deref(), wanted.map(str::as_bytes), "{alias}");
        }
    }
}
