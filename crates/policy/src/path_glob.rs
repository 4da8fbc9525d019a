//! Compiles globs, and matches those on paths, where `*` stays in a directory and `**` does not.

use glob::MatchOptions;

/// `*` matches anything. There is no separator in what is matched this way, or it does not count.
pub(crate) const ANYWHERE: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

/// A glob on paths.
///
/// The library matches one name of a path at a time. It can match whole paths, too, but where `*`
/// ends at a `/` it tries every combination of the stars before: five stars in a selector cost
/// seconds for one path.
#[derive(Clone, Debug)]
pub(crate) struct PathGlob {
    parts: Vec<GlobPart>,
}

#[derive(Clone, Debug)]
enum GlobPart {
    /// `**`: any number of directories.
    Directories,
    /// A name.
    Name(glob::Pattern),
}

impl PathGlob {
    /// # Errors
    /// Says what is wrong with the glob.
    pub(crate) fn new(glob: &str) -> Result<Self, &'static str> {
        // The whole shows what is wrong in the words of the glob as it was written.
        pattern(glob)?;
        let mut parts = Vec::new();
        for component in components(glob) {
            parts.push(match component {
                "**" => GlobPart::Directories,
                name => GlobPart::Name(pattern(name)?),
            });
        }
        // What is below a directory has a name.
        if let Some(GlobPart::Directories) = parts.last() {
            parts.push(GlobPart::Name(pattern("*")?));
        }
        Ok(Self { parts })
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        let accepts = |name: &glob::Pattern, of_path: &str| name.matches_with(of_path, ANYWHERE);
        is_match(&self.parts, path.split('/'), accepts)
    }
}

/// Whether parts of a glob match the names of a path. After a mismatch the last `**` takes one
/// more directory, so each part sees each name once at most.
fn is_match<'p>(
    mut parts: &[GlobPart],
    mut names: impl Iterator<Item = &'p str> + Clone,
    mut accepts: impl FnMut(&glob::Pattern, &'p str) -> bool,
) -> bool {
    let mut retry = None;
    loop {
        let name = match parts.split_first() {
            Some((GlobPart::Directories, behind)) => {
                parts = behind;
                retry = Some((behind, names.clone()));
                continue;
            }
            Some((GlobPart::Name(name), behind)) => Some((name, behind)),
            None => None,
        };
        let matched = match (name, names.next()) {
            (None, None) => return true,
            (Some(_), None) => return false,
            (Some((name, behind)), Some(of_path)) => accepts(name, of_path).then_some(behind),
            (None, Some(_)) => None,
        };
        parts = match (matched, &mut retry) {
            (Some(behind), _) => behind,
            (None, None) => return false,
            (None, Some((behind, from))) => {
                from.next();
                names = from.clone();
                *behind
            }
        };
    }
}

/// Compiles a glob.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn pattern(glob: &str) -> Result<glob::Pattern, &'static str> {
    glob::Pattern::new(glob).map_err(|error| error.msg)
}

/// Whether each character of a glob is in a bracket, from its `[` to its `]`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Outside,
    /// Behind `[`.
    Opened,
    /// Behind `[!`.
    Negated,
    /// Behind a member. A `]` that comes first is one, as in glob(7).
    Members,
    /// At the closing `]`.
    Closed,
}

impl Bracket {
    fn next(self, c: char) -> Self {
        match (self, c) {
            (Self::Outside | Self::Closed, '[') => Self::Opened,
            (Self::Outside | Self::Closed, _) => Self::Outside,
            (Self::Opened, '!') => Self::Negated,
            (Self::Members, ']') => Self::Closed,
            _ => Self::Members,
        }
    }
}

/// A glob with the state at each of its characters.
fn with_brackets(glob: &str) -> impl Iterator<Item = (usize, char, Bracket)> {
    glob.char_indices()
        .scan(Bracket::Outside, |state, (at, c)| {
            *state = state.next(c);
            Some((at, c, *state))
        })
}

/// Splits a glob at each `/` outside of brackets.
fn components(glob: &str) -> Vec<&str> {
    let mut components = Vec::new();
    let mut start = 0;
    for (at, c, bracket) in with_brackets(glob) {
        if (c, bracket) == ('/', Bracket::Outside) {
            components.extend(glob.get(start..at));
            start = at + 1;
        }
    }
    components.extend(glob.get(start..));
    components
}

/// Spells a glob on module names with `_` for each `-`, except in brackets, where `-` is a range.
pub(crate) fn normalized(glob: &str) -> String {
    let character = |(_, c, bracket)| match (c, bracket) {
        ('-', Bracket::Outside) => '_',
        (c, _) => c,
    };
    with_brackets(glob).map(character).collect()
}

/// Shortens each run of `*` to one. Where `*` passes directories anyway `**` means the same, but
/// the library wants it to stand alone between slashes.
pub(crate) fn single_stars(glob: &str) -> String {
    let mut single = String::with_capacity(glob.len());
    for c in glob.chars() {
        if c != '*' || !single.ends_with('*') {
            single.push(c);
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_keep_their_dash_and_slash() {
        assert_eq!(normalized("a-[b-d]-[!]-]-["), "a_[b-d]_[!]-]_[");
        assert_eq!(normalized("[!!]-[]-]-"), "[!!]_[]-]_");
        assert_eq!(components("a/[b/c]/[!/]d/"), ["a", "[b/c]", "[!/]d", ""]);
    }

    #[test]
    fn two_stars_are_any_number_of_directories() {
        let matches = |glob, path| PathGlob::new(glob).unwrap().matches(path);
        for (glob, path) in [
            ("**/c", "c"),
            ("**/c", "a/b/c"),
            ("a/**/c", "a/c"),
            ("a/**/b/**/c", "a/b/b/x/c"),
            ("a/**/**/c", "a/c"),
            ("a/**", "a/b/c"),
            ("a/**/*", "a/b"),
            ("**", "a/b"),
            ("a/**/b?/c", "a/bx/d/bx/c"),
        ] {
            assert!(matches(glob, path), "{glob} {path}");
        }
        for (glob, path) in [
            ("a/**", "a"),
            ("a/**/c", "a/b/cd"),
            ("a/**/b/c", "a/b/x/c"),
            ("**/a/b", "b"),
            ("a/*", "a/b/c"),
            ("a", "a/b"),
        ] {
            assert!(!matches(glob, path), "{glob} {path}");
        }
    }

    #[test]
    fn each_part_sees_each_name_once_at_most() {
        for count in [10, 160] {
            let glob = PathGlob::new(&"**/a/".repeat(count)).unwrap();
            let path = "a/".repeat(2 * count) + "b";
            let mut comparisons = 0;
            let accepts = |name: &glob::Pattern, of_path: &str| {
                comparisons += 1;
                name.matches(of_path)
            };
            assert!(!is_match(&glob.parts, path.split('/'), accepts));
            assert!(comparisons <= glob.parts.len() * (2 * count + 1));
        }
    }

    /// With one step for each combination of stars this would not end.
    #[test]
    fn stars_do_not_multiply() {
        let glob = PathGlob::new(&format!("a/{}b/**", "*a".repeat(60))).unwrap();
        assert!(!glob.matches(&format!("a/{}/c", "a".repeat(250))));
    }
}
