//! Checks the texts of dependency tags that a policy adds to packages.

use crate::dependency;
use crate::error::Problem;
use crate::tag_kind::TagKind;

/// Refuses a tag that rpm would refuse, or that it would take for a macro, for another kind of line in
/// the protocol of dependency generators, or for several tags.
pub(crate) fn check(kind: TagKind, tag: &str) -> Result<(), Problem> {
    let why = match tag.trim_start().chars().next() {
        None => Some("is empty"),
        Some(';' | '-' | '%') => {
            Some("begins with a character that means something else to rpm: ; - or %")
        }
        Some(_) if tag.chars().any(char::is_control) => Some("has a control character"),
        Some(_) => dependency::check(kind, tag).err(),
    };
    let tag = tag.to_owned();
    why.map_or(Ok(()), |why| Err(Problem::Tag { tag, why }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_one_line_of_its_own() {
        let check = |tag| check(TagKind::Requires, tag);
        assert!(check("kernel-firmware-iwlwifi >= 2024").is_ok());
        assert!(check("(a if b)").is_ok());
        for tag in ["", "  ", "a\nb", "a\tb", ";a", "-a", "%a", " %(id)"] {
            assert!(check(tag).is_err(), "{tag:?}");
        }
    }
}
