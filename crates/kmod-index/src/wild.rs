//! A modalias in, the entries of an index whose keys are patterns for it out.

use crate::error::ReadError;
use crate::pattern::{is_special, matches};
use crate::read::{Found, Index};

impl<'d> Index<'d> {
    /// The entries whose keys, read as shell patterns, match all of `text`, in the order of their
    /// keys; what modprobe asks modules.alias.bin for.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn matching(&self, text: &[u8]) -> Result<Vec<Found<'d>>, ReadError> {
        // Up to its first special character a pattern is the text.
        let enter = |known: &[u8], next: u8| match known.iter().position(|&b| is_special(b)) {
            Some(special) => begins(text, known.get(..special)),
            None => {
                begins(text, Some(known))
                    && (is_special(next) || text.get(known.len()) == Some(&next))
            }
        };
        self.below(enter, |key| matches(key, text))
    }
}

fn begins(text: &[u8], with: Option<&[u8]>) -> bool {
    with.is_some_and(|with| text.starts_with(with))
}
