//! A value in, itself out, if it can be what it is for.

use crate::Problem;

/// What rpm allows in a package name beside letters and digits, less what
/// would need quoting in a shell.
const IN_NAMES: &str = "._+-";

/// A name that a package can have.
pub(crate) fn package_name(text: &str) -> Result<(), Problem> {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match text.starts_with(first) && name_part(text).is_ok() {
        true => Ok(()),
        false => Err(Problem::PackageName(text.to_owned())),
    }
}

/// What can be added to a package name.
pub(crate) fn name_part(text: &str) -> Result<(), Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || IN_NAMES.contains(c);
    match text.chars().all(fits) {
        true => Ok(()),
        false => Err(Problem::NamePart(text.to_owned())),
    }
}

/// Free text of one line.
pub(crate) fn line(text: &str) -> Result<(), Problem> {
    no_control(text, |_| false)
}

/// Free text of any number of lines.
pub(crate) fn paragraph(text: &str) -> Result<(), Problem> {
    no_control(text, |c| c == '\n')
}

fn no_control(text: &str, allowed: impl Fn(char) -> bool) -> Result<(), Problem> {
    match text.chars().any(|c| c.is_control() && !allowed(c)) {
        true => Err(Problem::Control(text.to_owned())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names() {
        for name in ["a", "_a", "9p", "snd-hda", "c++", "a.b+c"] {
            assert!(package_name(name).is_ok(), "{name}");
        }
        for name in ["", "-a", ".a", "a b", "a/b", "%a", "ä", "a\n"] {
            assert!(package_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn only_a_paragraph_has_lines() {
        assert!(line("100 % \"everything\"; <b>").is_ok());
        assert!(line("a\nb").is_err());
        assert!(paragraph("a\nb").is_ok());
        assert!(paragraph("a\tb").is_err());
        assert!(paragraph("a\u{85}b").is_err());
    }
}
