//! Checks the types of a module in BTF against those of a kernel, as the kernel does when it
//! loads the module.
//!
//! The BTF of a module (`.BTF` without `.BTF.base`) is split: its strings and types follow those
//! of the kernel image it was made with, by number. With the BTF of another image, names and
//! types are not where they should be. The kernel finds that out where a name is no name
//! (linux/kernel/bpf/btf.c, `btf_parse_module`, `btf_check_all_metas` and
//! `btf_check_modifier_chain_length`). It refuses the module unless it was configured with
//! CONFIG_MODULE_ALLOW_BTF_MISMATCH (`btf_module_notify`).
//!
//! What does not depend on the kernel's BTF is not checked: the build that made it did.

use std::hash::{DefaultHasher, Hasher};

use crate::btf_types::{Btf, Kind, NameRule, Type};

/// Tells the BTF of one kernel from that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BtfId(u64);

/// The BTF of a kernel image, as far as that of modules is checked against it.
#[derive(Clone, Debug)]
pub struct BtfBase {
    id: BtfId,
    strings: Box<[u8]>,
    /// For each type that modifies another, that other; else 0. Type 0 is void.
    modified: Vec<u32>,
}

/// How many modifiers may follow each other.
const CHAIN: usize = 32;

/// KSYM_NAME_LEN (linux/include/linux/kallsyms.h).
const LONGEST: usize = 512;

impl BtfBase {
    /// Reads the `.BTF` of a kernel image; `None` if that is damaged.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let btf = Btf::parse(bytes)?;
        let mut modified = vec![0];
        for each in btf.types() {
            modified.push(each?.modified());
        }
        let mut hasher = DefaultHasher::new();
        hasher.write_usize(modified.len());
        hasher.write(btf.strings);
        Some(Self {
            id: BtfId(hasher.finish()),
            strings: btf.strings.into(),
            modified,
        })
    }

    /// Which it is.
    pub fn id(&self) -> BtfId {
        self.id
    }

    /// Whether the kernel with this BTF takes the split BTF of a module.
    pub fn accepts(&self, split: &[u8]) -> bool {
        self.check(split).is_some()
    }

    fn check(&self, split: &[u8]) -> Option<()> {
        let btf = Btf::parse(split)?;
        let names = SplitNames {
            base: &self.strings,
            own: btf.strings,
        };
        let mut own = Vec::new();
        for each in btf.types() {
            let each = each?;
            check_names(&each, &names)?;
            own.push(each.modified());
        }
        self.check_chains(&own)
    }

    /// Modifiers must lead to a type that is there, in not too many steps.
    fn check_chains(&self, own: &[u32]) -> Option<()> {
        let first = self.modified.len();
        let modified = |id: usize| match id.checked_sub(first) {
            None => self.modified.get(id),
            Some(own_id) => own.get(own_id),
        };
        let mut good = first.checked_sub(1)?;
        for (id, &next) in (first..).zip(own) {
            if next == 0 {
                continue;
            }
            let (mut id_now, mut steps) = (id, 0);
            while let next @ 1.. = *modified(id_now)? {
                steps += 1;
                if steps > CHAIN {
                    return None;
                }
                if id_now <= good {
                    break;
                }
                id_now = next as usize;
            }
            good = id;
        }
        Some(())
    }
}

/// The strings that the names of a module's types are found in.
struct SplitNames<'b> {
    base: &'b [u8],
    own: &'b [u8],
}

impl<'b> SplitNames<'b> {
    /// The bytes from where a name begins (`btf_name_offset_valid`).
    fn from(&self, offset: u32) -> Option<&'b [u8]> {
        let offset = usize::try_from(offset).ok()?;
        let rest = match offset.checked_sub(self.base.len()) {
            None => self.base.get(offset..),
            Some(own) => self.own.get(own..),
        };
        rest.filter(|rest| !rest.is_empty())
    }
}

fn check_names(each: &Type<'_>, names: &SplitNames<'_>) -> Option<()> {
    check_name(each.name, each.kind.name_rule(), names)?;
    if let Some(rule) = each.kind.member_rule() {
        for name in each.member_names() {
            check_name(name, rule, names)?;
        }
    }
    Some(())
}

fn check_name(offset: u32, rule: NameRule, names: &SplitNames<'_>) -> Option<()> {
    let from = names.from(offset);
    let good = match rule {
        NameRule::Any => from.is_some(),
        NameRule::None => offset == 0 && from.is_some(),
        NameRule::Identifier => offset != 0 && is_identifier(from?),
        NameRule::IdentifierOrNone => from.is_some() && (offset == 0 || is_identifier(from?)),
        NameRule::Section => offset != 0 && is_printable(from?),
        NameRule::Text => from?.first() != Some(&0),
    };
    good.then_some(())
}

/// `btf_name_valid_identifier`.
fn is_identifier(from: &[u8]) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.');
    is_name(from, |at, byte| {
        is_letter(byte) || (at > 0 && byte.is_ascii_digit())
    })
}

/// `btf_name_valid_section`.
fn is_printable(from: &[u8]) -> bool {
    is_name(from, |_, byte| (b' '..=b'~').contains(&byte))
}

/// Whether a name is neither empty nor too long and is made of nothing else.
fn is_name(from: &[u8], is_good: impl Fn(usize, u8) -> bool) -> bool {
    let Some(len) = from.iter().take(LONGEST + 1).position(|&byte| byte == 0) else {
        return false;
    };
    let mut letters = from.iter().take(len).enumerate();
    len > 0 && letters.all(|(at, &byte)| is_good(at, byte))
}

impl Kind {
    fn name_rule(self) -> NameRule {
        match self {
            Self::Int | Self::Float => NameRule::Any,
            Self::Pointer | Self::Array | Self::Volatile | Self::Const | Self::Restrict => {
                NameRule::None
            }
            Self::FunctionProto => NameRule::None,
            Self::Struct | Self::Union | Self::Enum | Self::Enum64 => NameRule::IdentifierOrNone,
            Self::Forward | Self::Typedef | Self::Function | Self::Variable => NameRule::Identifier,
            Self::DataSection => NameRule::Section,
            Self::DeclTag | Self::TypeTag => NameRule::Text,
        }
    }

    /// The rule for the names of members, where these are checked.
    fn member_rule(self) -> Option<NameRule> {
        match self {
            Self::Struct | Self::Union => Some(NameRule::IdentifierOrNone),
            Self::Enum | Self::Enum64 => Some(NameRule::Identifier),
            _ => None,
        }
    }
}
