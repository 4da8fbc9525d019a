//! Puts modules into the order of the indexes.
//!
//! The order is that of kmod's hash table, then that of modules.order, whose modules come first.

use std::fs;
use std::path::Path;

use hashbrown::HashMap;
use kmod_conf::c_text::lines;
use kmod_index::KernelList;

use crate::hash::table_order;
use crate::module_path::ModulePath;
use crate::settings::Compat;

const PATH_MAX: usize = 4096;

/// Orders modules by their paths, which `path` gives.
pub(crate) fn arrange<M>(
    modules: Vec<M>,
    path: impl Fn(&M) -> &ModulePath,
    directory: &Path,
    compat: Compat,
) -> Vec<M> {
    let bucket = |module: &M| table_order(path(module).name(), 512).0;
    let mut keyed: Vec<_> = modules
        .into_iter()
        .map(|module| (bucket(&module), module))
        .collect();
    keyed.sort_by(|(a, first), (b, second)| (a, path(first).name()).cmp(&(b, path(second).name())));
    let mut modules: Vec<_> = keyed.into_iter().map(|(_, module)| module).collect();
    let list = directory.join(KernelList::Order.name());
    let text = match fs::read(&list) {
        Ok(text) => text,
        Err(error) => {
            log::warn!(
                "could not open modules.order at {}: {error}",
                directory.display()
            );
            return modules;
        }
    };
    let Some(lines) = lines_by_path(&text, compat) else {
        log::error!("{} corrupted line misses '\\n'", list.display());
        return modules;
    };
    let line = |module: &M| {
        let line = path(module).in_order().and_then(|path| lines.get(path));
        line.copied().unwrap_or(usize::MAX)
    };
    modules.sort_by_cached_key(line);
    modules
}

/// The line of each path. `None` if a line has no end or is longer than a path can be: then kmod
/// leaves the order alone.
fn lines_by_path(text: &[u8], compat: Compat) -> Option<HashMap<&[u8], usize>> {
    let mut by_path = HashMap::new();
    for (number, line) in lines(text, PATH_MAX).enumerate() {
        if line.is_empty() {
            continue;
        }
        let path = line.strip_suffix(b"\n")?;
        let first = by_path.entry(path).or_insert(number);
        if compat == Compat::Kmod30 {
            *first = number;
        }
    }
    Some(by_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_unfinished_lines() {
        let text = b"a.ko\nb.ko\na.ko\n";
        assert_eq!(
            lines_by_path(text, Compat::Kmod34).unwrap()[&b"a.ko"[..]],
            0
        );
        assert_eq!(
            lines_by_path(text, Compat::Kmod30).unwrap()[&b"a.ko"[..]],
            2
        );
        assert!(lines_by_path(b"a.ko\nb.ko", Compat::Kmod34).is_none());
        let long = [vec![b'x'; PATH_MAX], b"\na.ko\n".to_vec()].concat();
        assert!(lines_by_path(&long, Compat::Kmod34).is_none());
    }
}
