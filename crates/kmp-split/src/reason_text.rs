//! Says in words why a module is where it is.

use modtree::Tree;

use crate::plan::Reason;

/// Returns a reason as the end of a sentence that begins `… because`.
pub fn reason_text(tree: &Tree, reason: &Reason) -> String {
    match reason {
        Reason::Base(line) => format!("{line} keeps it in the image package"),
        Reason::BaseNeeds(user) => format!(
            "{}, in the image package, needs it",
            tree.modules[*user].file.plain_path()
        ),
        Reason::Set(name, line) => format!("{line} puts it into set {name}"),
        Reason::Package(name, line) => format!("{line} names its package, {name}"),
        Reason::Excluded(line) => format!("{line} excludes it"),
        Reason::Previous => "it was there in the previous plan".to_owned(),
        Reason::Directory(name) => format!("it lies in the directory {name}"),
        Reason::Helper => {
            "nothing can ask for it by an alias, and only this package needs it".to_owned()
        }
        Reason::SameNeeds => {
            "it is small, and others of its directory need the same modules".to_owned()
        }
        Reason::Near => "sharing it with others nearby costs machines least".to_owned(),
        Reason::Alone => "no rule claims it".to_owned(),
    }
}
