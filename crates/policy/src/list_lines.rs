//! The lines of an imported list, without comments.

use crate::file_line::{FileLine, LineIndex};

/// Each line with its number, up to a comment.
pub(crate) fn list_lines<'t>(
    text: &'t str,
    lines: &LineIndex,
) -> impl Iterator<Item = (FileLine, &'t str)> {
    let text = text.lines().enumerate();
    text.map(|(index, line)| (lines.line(index + 1), without_comment(line)))
}

/// A `#` at the beginning of a word begins a comment.
fn without_comment(line: &str) -> &str {
    let begins = |&(offset, _): &(usize, &str)| {
        let before = line.get(..offset).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    let comment = line.match_indices('#').find(begins);
    let words = comment.and_then(|(offset, _)| line.get(..offset));
    words.unwrap_or(line)
}
