//! Module files and modules.order in, the files in the order of the indexes out.
//!
//! The order is that of kmod's hash table, then that of modules.order, whose modules come first;
//! the place in it is a module's priority in the binary indexes.

use hashbrown::HashMap;
use std::fs;
use std::path::Path;

use crate::hash::table_order;
use crate::module_file::ModuleFile;
use crate::settings::Compat;
use kmod_conf::c_text::lines;

const PATH_MAX: usize = 4096;

/// Orders the modules of a tree.
pub(crate) fn arrange(files: Vec<ModuleFile>, directory: &Path, compat: Compat) -> Vec<ModuleFile> {
    let bucket = |file: &ModuleFile| table_order(file.name(), 512).0;
    let mut keyed: Vec<_> = files
        .into_iter()
        .map(|file| (bucket(&file), file))
        .collect();
    keyed.sort_by(|(a, first), (b, second)| (a, first.name()).cmp(&(b, second.name())));
    let mut files: Vec<_> = keyed.into_iter().map(|(_, file)| file).collect();
    let path = directory.join("modules.order");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) => {
            log::warn!(
                "could not open modules.order at {}: {error}",
                directory.display()
            );
            return files;
        }
    };
    let Some(places) = places(&text, compat) else {
        log::error!("{} corrupted line misses '\\n'", path.display());
        return files;
    };
    let place = |file: &ModuleFile| {
        let place = file.in_order().and_then(|path| places.get(path));
        place.copied().unwrap_or(usize::MAX)
    };
    files.sort_by_cached_key(place);
    files
}

/// The line of each path; `None` if a line has no end or is longer than a path can be, when kmod
/// leaves the order alone.
fn places(text: &[u8], compat: Compat) -> Option<HashMap<&[u8], usize>> {
    let mut places = HashMap::new();
    for (place, line) in lines(text, PATH_MAX).enumerate() {
        if line.is_empty() {
            continue;
        }
        let path = line.strip_suffix(b"\n")?;
        let first = places.entry(path).or_insert(place);
        if compat == Compat::Kmod30 {
            *first = place;
        }
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_unfinished_lines() {
        let text = b"a.ko\nb.ko\na.ko\n";
        assert_eq!(places(text, Compat::Kmod34).unwrap()[&b"a.ko"[..]], 0);
        assert_eq!(places(text, Compat::Kmod30).unwrap()[&b"a.ko"[..]], 2);
        assert!(places(b"a.ko\nb.ko", Compat::Kmod34).is_none());
        let long = [vec![b'x'; PATH_MAX], b"\na.ko\n".to_vec()].concat();
        assert!(places(&long, Compat::Kmod34).is_none());
    }
}
