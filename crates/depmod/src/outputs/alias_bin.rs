//! modules.alias.bin: module names by alias, spelled as modprobe looks them up.

use hashbrown::HashSet;

use kmod_index::{Entry, WriteError};

use super::View;
use super::texts::Texts;

/// What kmod has room for.
const LONGEST: usize = 4095;

pub(super) fn index(view: &View<'_>) -> Result<Vec<u8>, WriteError> {
    let bytes = view.alias_bytes();
    // Hardly one is shorter than this.
    let mut keys = Texts::with_capacity(bytes / 16, bytes);
    let mut modules = Vec::with_capacity(bytes / 16);
    for (module, said) in view.facts.iter().enumerate() {
        for alias in said.aliases() {
            if keys.push_with(|bytes| push_normal(alias, bytes)).is_some() {
                modules.push(module);
            }
        }
    }
    let entries: Vec<_> = keys
        .iter()
        .zip(modules)
        .map(|(key, module)| Entry {
            key,
            value: view.name(module),
            priority: module as u32,
        })
        .collect();
    if view.settings.warn_duplicates {
        warn_of_duplicates(&entries);
    }
    view.index(&entries)
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
/// `alias_normalize`); `None`, with a message, where brackets do not match.
pub(super) fn normal(alias: &[u8]) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(alias.len());
    push_normal(alias, &mut key)?;
    Some(key)
}

/// As [`normal`], behind other keys.
fn push_normal(alias: &[u8], key: &mut Vec<u8>) -> Option<()> {
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
            (b']', false) => return unmatched(alias),
            (b']', true) => inside = false,
            (b'[', _) => inside = true,
            _ => {}
        }
        key.push(if byte == b'-' && !inside { b'_' } else { byte });
    }
    match inside {
        true => unmatched(alias),
        false => Some(()),
    }
}

fn unmatched(alias: &[u8]) -> Option<()> {
    log::warn!("Unmatched bracket in {}", String::from_utf8_lossy(alias));
    None
}

#[cfg(test)]
mod tests {
    use super::normal;

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
            let key = normal(alias.as_bytes());
            assert_eq!(key.as_deref(), wanted.map(str::as_bytes), "{alias}");
        }
    }
}
