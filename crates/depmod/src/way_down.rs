//! Remembers the directories on the way down a tree, so that a walk through links comes to an end.
//!
//! Two links `x -> .` and `y -> .` are 2^40 paths before the system refuses to follow more links.

use facts::DirectoryIdentity;

/// How many directories may be entered by links: as many as indexes have numbers for modules. Links
/// that lead to links can be 2^40 paths without a circle.
const BY_LINKS: usize = u16::MAX as usize;

/// The directories on the way.
#[derive(Debug)]
pub(crate) struct WayDown {
    directories: Vec<DirectoryIdentity>,
    left: usize,
}

impl WayDown {
    /// A way that has not begun.
    pub(crate) fn new() -> Self {
        Self {
            directories: Vec::new(),
            left: BY_LINKS,
        }
    }

    /// Enters a directory, unless it is on the way already, or too many were entered by links; only a
    /// link leads to one that is. Says whether it is entered; then [`WayDown::leave`] ends that.
    pub(crate) fn enter(&mut self, directory: DirectoryIdentity, is_link: bool) -> bool {
        if is_link && (self.left == 0 || self.directories.contains(&directory)) {
            return false;
        }
        self.left -= usize::from(is_link);
        self.directories.push(directory);
        true
    }

    /// Leaves the directory that was entered last.
    pub(crate) fn leave(&mut self) {
        self.directories.pop();
    }
}
