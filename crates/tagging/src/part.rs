//! What one generator prints of a file.

use deptag::Dialect;
use policy::TagKind;

/// The tags of a file that one generator prints in one of its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The module and the symbols it exports, or all that a kernel offers: ksym-provides.
    Provides,
    /// The symbols a module imports: ksym-requires.
    Imports,
    /// The modules it depends on: depmod-requires.
    Depends,
    /// Those of its softdep=: depmod-requires --recommends.
    Softdeps,
    /// Those of its weakdep=: depmod-requires --suggests.
    Weakdeps,
    /// The hardware it drives: modalias-supplements.
    Hardware,
    /// What a policy adds: policy-tags.
    Policy(TagKind),
}

impl Part {
    /// Every part: all tags of a file.
    pub fn all() -> Vec<Self> {
        let of_modules = [
            Self::Provides,
            Self::Imports,
            Self::Depends,
            Self::Softdeps,
            Self::Weakdeps,
            Self::Hardware,
        ];
        let of_policy = TagKind::ALL.map(Self::Policy);
        of_modules.into_iter().chain(of_policy).collect()
    }

    /// The dependency type of its tags.
    pub fn kind(self, dialect: Dialect) -> TagKind {
        match self {
            Self::Provides => TagKind::Provides,
            Self::Imports | Self::Depends => TagKind::Requires,
            Self::Softdeps => TagKind::Recommends,
            Self::Weakdeps => TagKind::Suggests,
            Self::Hardware => match dialect {
                Dialect::Suse => TagKind::Supplements,
                Dialect::RedHat => TagKind::Provides,
            },
            Self::Policy(kind) => kind,
        }
    }

    /// Whether a policy has a say in it.
    pub(crate) fn is_of_policy(self) -> bool {
        matches!(self, Self::Hardware | Self::Policy(_))
    }

    /// Whether the module has to be read for it.
    pub(crate) fn is_of_module(self) -> bool {
        !matches!(self, Self::Policy(_))
    }
}
