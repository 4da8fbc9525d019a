//! Says in words why a module is where it is.

use modtree::Tree;

use crate::plan::PlacementReason;

/// Returns a reason as the end of a sentence that begins `… because`.
pub fn reason_text(tree: &Tree, reason: &PlacementReason) -> String {
    match reason {
        PlacementReason::Base(line) => format!("{line} keeps it in the image package"),
        PlacementReason::BaseNeeds(user) => format!(
            "{}, in the image package, needs it",
            tree.modules[*user].file.plain_path()
        ),
        PlacementReason::Set(name, line) => format!("{line} puts it into set {name}"),
        PlacementReason::Package(name, line) => format!("{line} names its package, {name}"),
        PlacementReason::Excluded(line) => format!("{line} excludes it"),
        PlacementReason::Previous => "it was there in the previous plan".to_owned(),
        PlacementReason::Directory(name) => format!("it lies in the directory {name}"),
        PlacementReason::Helper => {
            "nothing can ask for it by an alias, and only this package needs it".to_owned()
        }
        PlacementReason::SameNeeds => {
            "it is small, and others of its directory need the same modules".to_owned()
        }
        PlacementReason::Near => "sharing it with others nearby costs machines least".to_owned(),
        PlacementReason::Alone => "no rule claims it, so it has a package of its own".to_owned(),
    }
}
