//! Checks names of packages and free text.

use crate::error::Problem;

/// The characters that a package name may have beside letters and digits: what rpm allows, less
/// what a shell would need quotes for.
const IN_NAMES: &str = "._+-";

/// The longest file name (linux/limits.h, `NAME_MAX`). The file name of a package begins with the
/// package's name.
pub const LONGEST_FILE_NAME: usize = 255;

/// Checks that a package can have this name.
///
/// # Errors
/// The name is too long, or has characters that rpm does not allow or that a shell would not take
/// literally.
pub fn check_package_name(text: &str) -> Result<(), Problem> {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match text.starts_with(first) && name_part(text).is_ok() {
        true if text.len() > LONGEST_FILE_NAME => Err(Problem::LongName {
            start: text.chars().take(40).collect(),
            length: text.len(),
            limit: LONGEST_FILE_NAME,
        }),
        true => Ok(()),
        false => Err(Problem::PackageName(text.to_owned())),
    }
}

/// Checks that a package name can have this part.
pub(crate) fn name_part(text: &str) -> Result<(), Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || IN_NAMES.contains(c);
    match text.chars().all(fits) {
        true => Ok(()),
        false => Err(Problem::NamePart(text.to_owned())),
    }
}

/// Checks free text of one line.
pub(crate) fn line(text: &str) -> Result<(), Problem> {
    no_control(text, |_| false)
}

/// Checks free text of any number of lines.
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
            assert!(check_package_name(name).is_ok(), "{name}");
        }
        for name in ["", "-a", ".a", "a b", "a/b", "%a", "ä", "a\n"] {
            assert!(check_package_name(name).is_err(), "{name}");
        }
        assert!(check_package_name(&"a".repeat(255)).is_ok());
        let error = check_package_name(&"a".repeat(256))
            .unwrap_err()
            .to_string();
        assert!(error.contains("256 bytes") && error.len() < 200, "{error}");
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
