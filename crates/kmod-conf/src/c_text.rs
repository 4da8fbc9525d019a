//! Reads text as C's stdio and string functions do: kmod reads its lists with fgets, strtok and
//! sscanf, and what these make of an odd list ends up in the indexes.

/// Lines as `fgets` with a buffer of `size` bytes gives them and C's string functions see them: longer
/// ones are cut, the line feed is kept, and what is behind a NUL is gone.
pub fn lines(text: &[u8], size: usize) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
        .flat_map(move |line| line.chunks(size - 1))
        .map(|line| line.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// Words between blanks and tabs.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| b" \t".contains(byte))
        .filter(|word| !word.is_empty())
}

/// The first word of a text, between blanks and tabs, and what is behind the one after it.
pub fn split_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_blank = |byte: &u8| b" \t".contains(byte);
    let start = text.iter().position(|byte| !is_blank(byte))?;
    let text = text.get(start..)?;
    let end = text.iter().position(is_blank).unwrap_or(text.len());
    Some((text.get(..end)?, text.get(end + 1..).unwrap_or_default()))
}

/// What `isspace` takes for a blank in the C locale.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The number `sscanf` reads with `%u` at the start of a text, and what is behind it.
pub fn unsigned(text: &[u8]) -> Option<(u32, &[u8])> {
    let text = text.trim_ascii_start();
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    let number = std::str::from_utf8(digits).ok().filter(|d| !d.is_empty())?;
    // A number that is too large becomes the largest unsigned long, of which the lower half is stored.
    let number = number.parse::<u64>();
    let number = match (number, negative) {
        (Ok(number), true) => number.wrapping_neg(),
        (Ok(number), false) => number,
        (Err(_), _) => u64::MAX,
    };
    Some((number as u32, rest))
}

/// Two numbers with `between` between them, as `sscanf("%u<between>%u")` reads them.
pub fn pair(text: &[u8], between: &[u8]) -> Option<(u32, u32)> {
    let (first, rest) = unsigned(text)?;
    let (second, _) = unsigned(rest.strip_prefix(between)?)?;
    Some((first, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_as_fgets_does() {
        let cut: Vec<_> = lines(b"abcdef\ng\0h\n\ni", 4).collect();
        assert_eq!(cut, [&b"abc"[..], b"def", b"\n", b"g", b"\n", b"\n", b"i"]);
    }

    #[test]
    fn numbers_are_read_as_sscanf_does() {
        assert_eq!(pair(b"10-229", b"-"), Some((10, 229)));
        assert_eq!(pair(b"10-229-x", b"-"), Some((10, 229)));
        assert_eq!(pair(b"10-*", b"-"), None);
        assert_eq!(pair(b"6.1.0-50", b"."), Some((6, 1)));
        assert_eq!(pair(b" +6.-1", b"."), Some((6, u32::MAX)));
        assert_eq!(
            pair(b"99999999999999999999-4294967296", b"-"),
            Some((u32::MAX, 0))
        );
    }
}
