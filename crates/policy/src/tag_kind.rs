//! The kinds of dependency tags that a policy may add to packages.

use std::str::FromStr;

/// A dependency tag of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagKind {
    /// What the package provides.
    Provides,
    /// What it does not work without.
    Requires,
    /// What should be installed with it.
    Recommends,
    /// What may be useful with it.
    Suggests,
    /// The packages with which it should be installed.
    Supplements,
    /// The packages with which it may be useful.
    Enhances,
    /// What cannot be installed beside it.
    Conflicts,
    /// The packages that it replaces.
    Obsoletes,
    /// What is installed before it.
    OrderWithRequires,
}

impl TagKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Provides,
        Self::Requires,
        Self::Recommends,
        Self::Suggests,
        Self::Supplements,
        Self::Enhances,
        Self::Conflicts,
        Self::Obsoletes,
        Self::OrderWithRequires,
    ];

    /// The tag as rpm's documentation spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provides => "Provides",
            Self::Requires => "Requires",
            Self::Recommends => "Recommends",
            Self::Suggests => "Suggests",
            Self::Supplements => "Supplements",
            Self::Enhances => "Enhances",
            Self::Conflicts => "Conflicts",
            Self::Obsoletes => "Obsoletes",
            Self::OrderWithRequires => "OrderWithRequires",
        }
    }
}

/// A word that is not the name of a dependency tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a dependency tag of rpm")]
pub struct UnknownTag(String);

impl FromStr for TagKind {
    type Err = UnknownTag;

    /// Upper and lower case are the same, as in rpm.
    fn from_str(word: &str) -> Result<Self, UnknownTag> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownTag(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_in_any_case() {
        for kind in TagKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(kind.as_str().to_lowercase().parse(), Ok(kind));
        }
        assert!("prereq".parse::<TagKind>().is_err());
    }
}
