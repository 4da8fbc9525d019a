//! Makes free text harmless in a spec.
//!
//! rpm expands `%` in spec text, knows directives by what a line begins with, and takes a line that
//! begins with `#` for a comment. Descriptions of modules and texts of policies may contain all of
//! these.

/// The longest line of text that rpmlint(1) accepts, in characters.
const WIDTH: usize = 79;
/// The longest summary, in characters.
pub const SUMMARY: usize = WIDTH;
/// Returns free text as words on one line, without what rpm could expand.
pub fn words(text: &str) -> String {
    let plain = text.replace(|c: char| c.is_control(), " ");
    let plain = plain.replace('%', " percent");
    let words: Vec<_> = plain.split_whitespace().collect();
    words.join(" ").trim_end_matches(['.', ' ']).to_owned()
}

/// Returns free text as a summary.
pub fn one_line(text: &str) -> String {
    shortened(&words(text), SUMMARY)
}

/// Returns free text of several lines, without what rpm could expand or take for a directive.
pub fn paragraph(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace(|c: char| c.is_control(), " ");
        let line = line.replace('%', " percent");
        line.trim().to_owned()
    });
    let lines: Vec<_> = lines.collect();
    lines.join("\n").trim().to_owned()
}

/// Cuts a line at a blank so that it has no more than `width` characters.
pub fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    // The ellipsis takes one character.
    let end = line.char_indices().nth(width.saturating_sub(1));
    let cut = end.and_then(|(at, _)| line.get(..at)).unwrap_or(line);
    let whole = cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole);
    format!("{}…", whole.trim_end_matches(','))
}

/// Wraps a description. No line begins with `#`, because rpm would take it for a comment.
pub fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.trim_start_matches(['#', ' ']);
        match line.chars().count() {
            0..=WIDTH => line.to_owned(),
            _ => wrapped(line),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Wraps one line. The further lines of a list's item are indented.
fn wrapped(line: &str) -> String {
    let indent = if line.starts_with("* ") { "  " } else { "" };
    let mut out = String::new();
    let mut column = 0;
    for word in line.split_whitespace() {
        let length = word.chars().count();
        if column == 0 {
            column = length;
        } else if column + 1 + length > WIDTH && !word.starts_with('#') {
            out.push('\n');
            out.push_str(indent);
            column = indent.len() + length;
        } else {
            out.push(' ');
            column += 1 + length;
        }
        out.push_str(word);
    }
    out
}

/// A text as the version of a tag: blanks, and all that a version cannot have, become `_`. libzypp would
/// decode `%20`, but rpm warns of each percent sign in a spec.
pub fn as_version(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~^".contains(c);
    let words: Vec<_> = text
        .split(|c| !plain(c))
        .filter(|word| !word.is_empty())
        .collect();
    match words.is_empty() {
        true => "_".to_owned(),
        // rpm refuses two dots in a row.
        false => words.join("_").replace("..", "._"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_description_is_a_comment() {
        assert_eq!(lines("# a\n  ## b # c\n#"), "a\nb # c\n");
        let word = "w".repeat(WIDTH - 1);
        assert_eq!(lines(&format!("{word} #1 x")), format!("{word} #1\nx"));
    }

    #[test]
    fn long_lines_are_wrapped() {
        let word = "w".repeat(40);
        assert_eq!(
            lines(&format!("{word} {word}\na  b")),
            format!("{word}\n{word}\na  b")
        );
        let item = format!("* {word} {word} {word}");
        assert_eq!(lines(&item), format!("* {word}\n  {word}\n  {word}"));
        let long = "w".repeat(100);
        assert_eq!(lines(&long), long);
    }

    #[test]
    fn a_summary_is_a_line_of_words_without_macros() {
        assert_eq!(one_line(" a\n%(b)\t100%. "), "a percent(b) 100 percent");
        let line = one_line(&"ab, ".repeat(40));
        assert!(
            line.ends_with("ab…") && line.chars().count() <= SUMMARY,
            "{line}"
        );
        assert_eq!(one_line("%\u{1b}%"), "percent percent");
    }

    #[test]
    fn versions_have_no_macros() {
        assert_eq!(as_version("a b-%(c)"), "a_b_c");
        assert_eq!(as_version("a..b...c"), "a._b._.c");
        assert_eq!(as_version("%"), "_");
        assert_eq!(as_version("\u{e4}"), "_");
    }
}
