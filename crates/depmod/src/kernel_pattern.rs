//! A kernel pattern of depmod.d and a kernelrelease in, whether they match out.
//!
//! The pattern is a POSIX extended regular expression that may match any part, or `*`
//! (kmod/tools/depmod.c, `cfg_kernel_matches`); `regex` has another syntax, so what means
//! something else there is spelled anew.

/// Whether a line of the configuration is for this release. A pattern that is none never matches.
pub(crate) fn matches(pattern: &str, release: &str) -> bool {
    pattern == "*"
        || regex::bytes::RegexBuilder::new(&spelled(pattern))
            .unicode(false)
            .build()
            .is_ok_and(|pattern| pattern.is_match(release.as_bytes()))
}

fn spelled(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars().peekable();
    let mut before = None;
    while let Some(char) = rest.next() {
        let repeatable = !matches!(before, None | Some('(' | '|' | '^'));
        match char {
            // glibc passes over a repetition of nothing.
            '*' | '+' | '?' if !repeatable => continue,
            // Not the few of several, but the several or none.
            '?' if before == Some('+') => {
                out.pop();
                out.push('*');
            }
            '\\' => out.extend(rest.next().map(literal)),
            '[' => bracket(&mut rest, &mut out),
            '{' if !repeatable || !rest.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str("\\{");
            }
            char => out.push(char),
        }
        before = Some(char);
    }
    out
}

fn literal(char: char) -> String {
    regex::escape(char.encode_utf8(&mut [0; 4]))
}

/// A bracket expression, in which a backslash is itself.
fn bracket(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    while let Some(char) = rest.next() {
        match (char, rest.peek()) {
            (']', _) => {
                out.push(']');
                return;
            }
            ('[', Some(':')) => {
                out.push('[');
                for char in rest.by_ref() {
                    out.push(char);
                    if char == ']' {
                        break;
                    }
                }
            }
            ('-', _) => out.push('-'),
            (char, _) => out.push_str(&literal(char)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_extended_regular_expressions() {
        let release = "6.1.0-50-amd64";
        for pattern in [
            "*",
            "6.1.0-50-amd64",
            "6.1",
            "amd64$",
            "^6\\.1\\.",
            "^[0-9]+\\.[[:digit:]]+",
            "*-amd64",
            "5|6",
            "(6|7)\\.1",
            "0{1,2}-",
            "6.1.0-*",
            "[^]]$",
            "a-*m",
            "4**$",
            "4+?$",
            "[\\.]1",
        ] {
            assert!(matches(pattern, release), "{pattern} {}", spelled(pattern));
        }
        for pattern in ["6.2", "^amd64", "(", "[", "\\d", "x+", "[\\d]x", "", "()"] {
            let wanted = matches!(pattern, "" | "()") || pattern == "\\d";
            assert_eq!(matches(pattern, release), wanted, "{pattern}");
        }
    }
}
