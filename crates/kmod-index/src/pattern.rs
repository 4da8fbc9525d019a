//! A shell pattern and a text in, whether it matches out: what fnmatch(3) without flags says of
//! the patterns aliases are.

/// Whether a byte has a meaning of its own in a pattern.
pub(crate) fn is_special(byte: u8) -> bool {
    matches!(byte, b'*' | b'?' | b'[' | b'\\')
}

/// Whether all of `text` is as `pattern` says: `*` for anything, `?` for a character, `[a-c]` and
/// `[!a-c]` for one of a set, `\` before what means itself.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
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
fn set(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let negated = pattern.strip_prefix(b"!").or(pattern.strip_prefix(b"^"));
    let mut rest = negated.unwrap_or(pattern);
    let mut accepted = false;
    let mut is_first = true;
    loop {
        let (&low, behind) = rest.split_first()?;
        if low == b']' && !is_first {
            return Some((accepted != negated.is_some(), behind));
        }
        is_first = false;
        let high = match behind {
            [b'-', high, ..] if *high != b']' => Some(*high),
            _ => None,
        };
        accepted |= (low..=high.unwrap_or(low)).contains(&byte);
        rest = match high {
            Some(_) => behind.get(2..)?,
            None => behind,
        };
    }
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
        ];
        for (pattern, text, wanted) in cases {
            let is = matches(pattern.as_bytes(), text.as_bytes());
            assert_eq!(is, wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_their_product() {
        let pattern = "*a".repeat(300);
        let text = "a".repeat(20_000) + "b";
        assert!(!matches(pattern.as_bytes(), text.as_bytes()));
    }
}
