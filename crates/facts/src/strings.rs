//! Keeps many short strings in one allocation.

/// Strings without NUL, in the order they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings(Vec<u8>);

impl Strings {
    /// Adds a string.
    pub fn push(&mut self, string: &[u8]) {
        self.0.extend(string);
        self.0.push(0);
    }

    /// All strings.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        split(&self.0)
    }

    /// Each string with a NUL behind it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Strings of which each has a NUL behind it.
pub(crate) fn split(strings: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = strings;
    std::iter::from_fn(move || {
        let end = memchr::memchr(0, rest).unwrap_or(rest.len());
        let (string, behind) = rest.split_at_checked(end)?;
        let is_over = rest.is_empty();
        rest = behind.get(1..).unwrap_or_default();
        (!is_over).then_some(string)
    })
}

impl<'s> FromIterator<&'s [u8]> for Strings {
    fn from_iter<I: IntoIterator<Item = &'s [u8]>>(strings: I) -> Self {
        let mut all = Self::default();
        for string in strings {
            all.push(string);
        }
        all.0.shrink_to_fit();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_strings_are_strings() {
        let all = [&b"a"[..], b"", b"bc", b""];
        let strings: Strings = all.into_iter().collect();
        assert_eq!(strings.iter().collect::<Vec<_>>(), all);
        assert_eq!(split(b"a\0b").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(Strings::default().iter().count(), 0);
    }
}
