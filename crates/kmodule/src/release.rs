//! Checks kernelreleases, which is what `uname -r` prints.

use std::fmt;

use crate::error::Problem;

/// A kernelrelease such as `6.4.0-150600.21-default`.
///
/// It has only letters, digits and `.` `_` `+` `~` `-`. The kernel's build accepts no others, and a
/// kernelrelease becomes part of paths and package names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kernelrelease(String);

impl Kernelrelease {
    /// The whole release.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last dash, or the whole release if it has none. The distributions' scripts
    /// do the same (`${release##*-}`).
    pub fn flavor(&self) -> &str {
        self.0.rsplit('-').next().unwrap_or(&self.0)
    }
}

impl TryFrom<&[u8]> for Kernelrelease {
    type Error = Problem;

    fn try_from(bytes: &[u8]) -> Result<Self, Problem> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._+~-".contains(c);
        std::str::from_utf8(bytes)
            .ok()
            .filter(|text| !text.is_empty() && !text.starts_with('.') && text.chars().all(allowed))
            .map(|text| Self(text.to_owned()))
            .ok_or_else(|| {
                Problem::BadRelease(String::from_utf8_lossy(bytes).escape_debug().to_string())
            })
    }
}

impl fmt::Display for Kernelrelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavor_follows_the_last_dash() {
        for (release, flavor) in [
            ("6.1.0-50-amd64", "amd64"),
            ("6.12.1+deb13-amd64", "amd64"),
            ("6.9.0", "6.9.0"),
        ] {
            let release = Kernelrelease::try_from(release.as_bytes()).unwrap();
            assert_eq!(release.flavor(), flavor);
        }
    }

    #[test]
    fn hostile_releases_are_refused() {
        for release in [
            "",
            "..",
            "6.1/../..",
            "6.1 x",
            "6.1\n",
            "%(id)",
            "6.1\u{e9}",
        ] {
            assert!(
                Kernelrelease::try_from(release.as_bytes()).is_err(),
                "{release}"
            );
        }
    }
}
