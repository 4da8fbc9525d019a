//! Matches the kernel patterns of depmod.d against a kernelrelease.
//!
//! A pattern is `*`, or a POSIX extended regular expression as glibc reads it, which may match any
//! part (kmod/tools/depmod.c, `cfg_kernel_matches`). The crate `regex-lite` has another syntax, so the
//! pattern is translated. Collating elements and references back to groups are not known.

use std::iter::Peekable;
use std::str::Chars;

/// Whether a line of the configuration is for this release. An invalid pattern never matches.
pub(crate) fn matches(pattern: &str, release: &str) -> bool {
    let is_match = |translated: String| {
        regex_lite::Regex::new(&translated).is_ok_and(|pattern| pattern.is_match(release))
    };
    pattern == "*" || translated(pattern).is_some_and(is_match)
}

fn translated(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern.chars().peekable();
    let mut groups = 0_usize;
    let mut before = None;
    while let Some(char) = rest.next() {
        let repeatable = !matches!(before, None | Some('(' | '|' | '^' | '$'));
        before = Some(char);
        match char {
            '*' | '+' | '?' | '{' if !repeatable => return None,
            // To glibc `+?` is several or none; to `regex` it is several, but as few as possible.
            '?' if out.ends_with('+') && !out.ends_with("\\+") => {
                out.pop();
                out.push('*');
            }
            '{' => out.push_str(&bounds(&mut rest)?),
            '\\' => {
                out.push_str(&escaped(rest.next()?)?);
                // Behind a backslash it is a plain character.
                before = Some('\\');
            }
            '[' => bracket(&mut rest, &mut out)?,
            '(' => {
                groups += 1;
                out.push('(');
            }
            ')' if groups == 0 => out.push_str("\\)"),
            ')' => {
                groups -= 1;
                out.push(')');
            }
            char => out.push(char),
        }
    }
    Some(out)
}

fn literal(char: char) -> String {
    regex_lite::escape(char.encode_utf8(&mut [0; 4]))
}

/// glibc has some of the crate's escapes; what it does not know means itself.
fn escaped(char: char) -> Option<String> {
    Some(match char {
        '1'..='9' => return None,
        'w' | 'W' | 's' | 'S' | 'b' | 'B' | '<' | '>' => format!("\\{char}"),
        '`' => "\\A".to_owned(),
        '\'' => "\\z".to_owned(),
        char => literal(char),
    })
}

/// The numbers of a repetition, of which the first may be missing.
fn bounds(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut inside = String::new();
    loop {
        match rest.next()? {
            '}' => break,
            char => inside.push(char),
        }
    }
    let (low, high) = inside.split_once(',').unwrap_or((&inside, &inside));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let comma = if inside.contains(',') { "," } else { "" };
    let (first, last) = match (low, comma) {
        ("", ",") => ("0", high),
        ("", _) => return None,
        (low, ",") => (low, high),
        (low, _) => (low, ""),
    };
    (is_number(low) && is_number(high)).then(|| format!("{{{first}{comma}{last}}}"))
}

/// A bracket expression, in which a backslash is itself.
fn bracket(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    // A bracket that comes first is one of the characters.
    loop {
        match (rest.next()?, rest.peek()?) {
            ('[', ':') => class(rest, out)?,
            ('[', '.' | '=') => return None,
            (low, '-') => {
                rest.next();
                out.push_str(&literal(low));
                match *rest.peek()? {
                    ']' => out.push_str("\\-"),
                    high => {
                        rest.next();
                        out.push('-');
                        out.push_str(&literal(high));
                    }
                }
            }
            (low, _) => out.push_str(&literal(low)),
        }
        if rest.next_if_eq(&']').is_some() {
            out.push(']');
            return Some(());
        }
    }
}

/// `[:alpha:]` and its kin, which the crate knows, too.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    loop {
        let char = rest.next()?;
        out.push(char);
        if char == ']' {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What regcomp(3) and regexec(3) of glibc 2.36 say.
    #[test]
    fn patterns_are_what_glibc_takes_them_for() {
        let release = "6.1.0-50-amd64";
        for pattern in [
            "*",
            release,
            "6.1",
            "amd64$",
            "^6\\.1\\.",
            "^[0-9]+\\.[[:digit:]]+",
            "5|6",
            "(6|7)\\.1",
            "0{1,2}-",
            "6.1.0-*",
            "[^]]$",
            "a-*m",
            "4**$",
            "4+?$",
            "9+?",
            "9*?",
            "9**6",
            "[\\.]1",
            "",
            "()",
            "6{1}",
            "6{,2}",
            "|6",
            "6||7",
            "(|6)",
            "\\<6",
            "\\b6",
            "\\w",
            "\\W",
            "\\'",
            "\\`",
            "6\\>",
            "^^6",
            "4$$",
            "(^6)",
            "[6-]",
            "[--9]",
            "x*",
            "x{0}",
            "\\d",
            "[]6]",
        ] {
            assert!(
                matches(pattern, release),
                "{pattern} {:?}",
                translated(pattern)
            );
        }
        for pattern in [
            "6.2",
            "^amd64",
            "(",
            "[",
            "x+",
            "[\\d]x",
            "*amd64",
            "+6",
            "?6",
            "^*6",
            "(*6)",
            "6|*6",
            "{6}",
            "6{",
            "6{x}",
            "6{1,",
            "6{2,1}",
            "a)",
            "6)",
            ")",
            "[a-",
            "[z-a]",
            "\\",
            "\\s",
            "a^b",
            "6$x",
            "[[:foo:]]",
            "[a\\]]",
            "\\1",
            "\\n",
            "\\{",
            "{",
            "(6",
            "6(",
            "^{6",
            "6{}",
            "[]",
        ] {
            assert!(
                !matches(pattern, release),
                "{pattern} {:?}",
                translated(pattern)
            );
        }
    }
}
