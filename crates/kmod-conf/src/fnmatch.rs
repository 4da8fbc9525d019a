//! Matches shell patterns as fnmatch(3) does without flags: the patterns that aliases are.
//!
//! modprobe compares with it what it is asked for (kmod/libkmod/libkmod-index.c,
//! `index_searchwild`; libkmod-module.c, `kmod_lookup_alias_from_config`).

/// Whether all of `text` is as `pattern` says: `*` for anything, `?` for a character, `[a-c]` and
/// `[!a-c]` for one of a set, `\` before what means itself.
pub fn fnmatch(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // Where the last star was met, and what of the text is to be tried next behind it.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(behind) = pattern.strip_prefix(b"*") {
            retry = Some((behind, text));
            pattern = behind;
            continue;
        }
        let step = match text.split_first() {
            Some((&byte, rest)) => one(pattern, byte).map(|behind| (behind, rest)),
            None if pattern.is_empty() => return true,
            None => None,
        };
        (pattern, text) = match (step, retry) {
            (Some(step), _) => step,
            (None, Some((behind, from))) => {
                let Some((_, from)) = from.split_first() else {
                    return false;
                };
                retry = Some((behind, from));
                (behind, from)
            }
            (None, None) => return false,
        };
    }
}

/// What is left of a pattern whose first element accepts `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (&first, rest) = pattern.split_first()?;
    match first {
        b'?' => Some(rest),
        b'[' => match set(rest, byte) {
            Some((accepted, rest)) => accepted.then_some(rest),
            None => (byte == b'[').then_some(rest),
        },
        b'\\' => {
            let (&escaped, rest) = rest.split_first()?;
            (escaped == byte).then_some(rest)
        }
        _ => (first == byte).then_some(rest),
    }
}

/// Whether a set, given behind its opening bracket, accepts `byte`, and what is behind it; `None`
/// if it has no end.
///
/// Collating elements and equivalence classes (`[.a.]`, `[=a=]`) are not known: with one of them a
/// set accepts nothing.
fn set(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let negated = pattern.strip_prefix(b"!").or(pattern.strip_prefix(b"^"));
    let mut rest = negated.unwrap_or(pattern);
    let mut accepted = false;
    let mut is_known = true;
    let mut is_first = true;
    loop {
        match rest {
            [b']', behind @ ..] if !is_first => {
                return Some((is_known && accepted != negated.is_some(), behind));
            }
            [b'[', b'.' | b'=', behind @ ..] => {
                is_known = false;
                rest = behind;
            }
            _ => {
                let is_in;
                (is_in, rest) = match class(rest) {
                    Some((class, behind)) => (is_of_class(class, byte), behind),
                    None => range(rest, byte)?,
                };
                is_known &= is_in.is_some();
                accepted |= is_in.unwrap_or_default();
            }
        }
        is_first = false;
    }
}

/// Whether a byte, or range of bytes, of a set accepts `byte`, and what is behind it.
fn range(set: &[u8], byte: u8) -> Option<(Option<bool>, &[u8])> {
    let (low, behind) = member(set)?;
    let (high, behind) = match behind {
        [b'-', end, ..] if *end != b']' => member(behind.get(1..)?)?,
        _ => (low, behind),
    };
    Some((Some((low..=high).contains(&byte)), behind))
}

/// A byte of a set, which a backslash may stand before, and what is behind it.
fn member(set: &[u8]) -> Option<(u8, &[u8])> {
    match set {
        [b'\\', byte, behind @ ..] | [byte, behind @ ..] => Some((*byte, behind)),
        [] => None,
    }
}

/// The name of a class, as in `[:alpha:]`, and what is behind it.
fn class(set: &[u8]) -> Option<(&[u8], &[u8])> {
    const LONGEST: usize = b"xdigit:]".len();
    let behind = set.strip_prefix(b"[:")?;
    let mut ends = behind.windows(2).take(LONGEST);
    let end = ends.position(|end| end == b":]")?;
    Some((behind.get(..end)?, behind.get(end + 2..)?))
}

/// Whether a byte is of a class of characters; `None` for a name that is none.
fn is_of_class(class: &[u8], byte: u8) -> Option<bool> {
    Some(match class {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => matches!(byte, b' '..=b'~'),
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_aliases() {
        let cases = [
            ("pci:v00008086d*sv*", "pci:v00008086d000015B7sv00sd", true),
            ("pci:v00008086d*sv*", "pci:v00008087d000015B7sv00sd", false),
            ("usb:v046Dp[0-9A]*", "usb:v046DpA12", true),
            ("usb:v046Dp[0-9A]*", "usb:v046DpB12", false),
            ("a[!b-d]e", "abe", false),
            ("a[!b-d]e", "ae", false),
            ("a[!b-d]e", "aee", true),
            ("[]]x", "]x", true),
            ("[ab", "[ab", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*", "", true),
            ("", "", true),
            ("?", "", false),
            ("a*b*c", "abxbxc", true),
            ("a*b*c", "abxbx", false),
            ("[a\\]b]", "]", true),
            ("[\\]", "[]", true),
            ("[[:digit:]x]", "7", true),
            ("[[:digit:]x]", ":", false),
            ("[[:none:]x]", "x", false),
            ("[[.a.]]", "a", false),
        ];
        for (pattern, text, wanted) in cases {
            let is = fnmatch(pattern.as_bytes(), text.as_bytes());
            assert_eq!(is, wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_their_product() {
        let pattern = "*a".repeat(300);
        let text = "a".repeat(20_000) + "b";
        assert!(!fnmatch(pattern.as_bytes(), text.as_bytes()));
    }
}
