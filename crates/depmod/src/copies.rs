//! Decides which of two files of one module counts
//! (kmod/tools/depmod.c, `depmod_module_is_higher_priority`).

use kmod_conf::{DepmodConfig, Search};

use crate::module_path::ModulePath;

/// Whether the file found first stays.
///
/// An override decides, else the rank of the word in `search` lines that covers a file. If one word
/// covers both, the file found later counts; if no word does, the file found first.
pub(crate) fn first_stays(
    config: &DepmodConfig,
    directory: &[u8],
    first: &ModulePath,
    later: &ModulePath,
) -> bool {
    let below_first = below(first, directory);
    let below_later = below(later, directory);
    for chosen in config.overrides.iter().map(Vec::as_slice) {
        if below_later == Some(chosen) {
            return false;
        }
        if below_first == Some(chosen) {
            return true;
        }
    }
    let mut rank = 0_usize;
    let mut rank_of_rest = None;
    let (mut of_first, mut of_later) = (None, None);
    for search in &config.searches {
        match search {
            Search::BuiltIn => rank_of_rest = Some(rank),
            Search::External => {
                for external in &config.externals {
                    if lies_in(Some(later.stem()), external) {
                        of_later = Some(rank);
                    }
                    if lies_in(Some(first.stem()), external) {
                        of_first = Some(rank);
                    }
                    rank += 1;
                }
            }
            Search::Path(path) if lies_in(below_later, path) => of_later = Some(rank),
            Search::Path(path) if lies_in(below_first, path) => of_first = Some(rank),
            Search::Path(_) => {}
        }
        rank += 1;
    }
    of_later.or(rank_of_rest) <= of_first.or(rank_of_rest)
}

/// The path below the directory, without extensions. kmod compares the beginning and skips a
/// character. So an external directory whose path goes on where this one ends is below it, too.
fn below<'f>(file: &'f ModulePath, directory: &[u8]) -> Option<&'f [u8]> {
    file.stem().strip_prefix(directory)?.get(1..)
}

fn lies_in(path: Option<&[u8]>, directory: &[u8]) -> bool {
    path.and_then(|path| path.strip_prefix(directory))
        .is_some_and(|rest| rest.starts_with(b"/"))
}
