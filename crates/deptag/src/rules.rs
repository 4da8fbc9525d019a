//! The settings that decide how tags are written: dialect, flavor and kABI, checked when parsed.

use std::fmt;
use std::str::FromStr;

use kmodule::Kernelrelease;

/// The grammar of tags, which is one of a family of distributions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// openSUSE and SUSE Linux Enterprise.
    #[default]
    Suse,
    /// Fedora and Red Hat Enterprise Linux.
    RedHat,
}

/// How all tags of one run are written.
#[derive(Clone, Debug, Default)]
pub struct TagRules {
    /// The grammar.
    pub dialect: Dialect,
    /// Replaces the flavor at the end of a kernelrelease.
    pub flavor: Option<Flavor>,
    /// The kABI. `kmod()` tags have it as their version, and hardware tags apply only to kernels
    /// that provide it.
    pub kabi: Option<Kabi>,
    /// rpm takes versions with two dashes, as on openSUSE: `%_wrong_version_format_terminate_build`
    /// is 0.
    pub two_dashes: bool,
}

impl TagRules {
    /// The flavor in the tags of a file that was built for `release`.
    pub fn flavor<'r>(&'r self, release: &'r Kernelrelease) -> &'r str {
        self.flavor
            .as_ref()
            .map_or_else(|| release.flavor(), Flavor::as_str)
    }
}

/// A value that cannot stand in a tag. The message says what can; whoever shows it names the value.
#[derive(Debug, thiserror::Error)]
#[error("use {allowed}")]
pub struct BadValue {
    allowed: &'static str,
}

fn checked(value: &str, extra: &str, allowed: &'static str) -> Result<String, BadValue> {
    let fits = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    match !value.is_empty() && value.chars().all(fits) {
        true => Ok(value.to_owned()),
        false => Err(BadValue { allowed }),
    }
}

/// The variant of a kernel, such as `default`, `rt` or `amd64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flavor(String);

impl Flavor {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Flavor {
    type Err = BadValue;

    fn from_str(value: &str) -> Result<Self, BadValue> {
        checked(value, "._+~", "letters, digits and . _ + ~").map(Self)
    }
}

/// The name of a kABI, which is the release that opened it. It has no dash, because it is the
/// version of `kmod()` tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kabi(String);

impl Kabi {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Kabi {
    type Err = BadValue;

    fn from_str(value: &str) -> Result<Self, BadValue> {
        checked(value, "._+~^", "letters, digits and . _ + ~ ^ (no dash)").map(Self)
    }
}

impl fmt::Display for Kabi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Suse => "suse",
            Self::RedHat => "redhat",
        })
    }
}

impl FromStr for Dialect {
    type Err = BadValue;

    fn from_str(value: &str) -> Result<Self, BadValue> {
        match value {
            "suse" => Ok(Self::Suse),
            "redhat" => Ok(Self::RedHat),
            _ => Err(BadValue {
                allowed: "suse or redhat",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kabi_is_a_version_and_a_flavor_a_word() {
        assert!("6.1.0_50".parse::<Kabi>().is_ok());
        assert!("6.1.0-50".parse::<Kabi>().is_err());
        assert!("6 1".parse::<Flavor>().is_err());
        assert!("".parse::<Flavor>().is_err());
        assert!("%(id)".parse::<Kabi>().is_err());
    }

    #[test]
    fn the_flavor_option_wins() {
        let release = Kernelrelease::try_from(&b"6.1.0-50-amd64"[..]).unwrap();
        let mut rules = TagRules::default();
        assert_eq!(rules.flavor(&release), "amd64");
        rules.flavor = Some("rt".parse().unwrap());
        assert_eq!(rules.flavor(&release), "rt");
    }
}
