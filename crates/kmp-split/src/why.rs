//! A reason in, words out.

use modtree::Tree;

use crate::plan::Why;

/// Why a module is where it is, as the end of a sentence: `… because`.
pub fn tell(tree: &Tree, why: &Why) -> String {
    match why {
        Why::Base(place) => format!("{place} keeps it in the image package"),
        Why::BaseNeeds(user) => format!(
            "{}, in the image package, needs it",
            tree.modules[*user].file.plain_path()
        ),
        Why::Set(name, place) => format!("{place} puts it into set {name}"),
        Why::Package(name, place) => format!("{place} names its package, {name}"),
        Why::Excluded(place) => format!("{place} excludes it"),
        Why::Previous => "it was there in the previous plan".to_owned(),
        Why::Directory(name) => format!("it lies in the directory {name}"),
        Why::Helper => {
            "nothing can ask for it by an alias, and only this package needs it".to_owned()
        }
        Why::SameNeeds => {
            "it is small, and others of its directory need the same modules".to_owned()
        }
        Why::Near => "sharing it with others nearby costs machines least".to_owned(),
        Why::Alone => "no rule claims it".to_owned(),
    }
}
