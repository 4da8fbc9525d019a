//! Walks the records of BTF (linux/include/uapi/linux/btf.h).

/// BTF whose header has been read.
pub(crate) struct Btf<'b> {
    types: &'b [u8],
    pub(crate) strings: &'b [u8],
    is_big_endian: bool,
}

/// What a record describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Pointer,
    Array,
    Struct,
    Union,
    Enum,
    Forward,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Function,
    FunctionProto,
    Variable,
    DataSection,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
}

/// In the order of their numbers, which begin at 1.
const KINDS: [Kind; 19] = [
    Kind::Int,
    Kind::Pointer,
    Kind::Array,
    Kind::Struct,
    Kind::Union,
    Kind::Enum,
    Kind::Forward,
    Kind::Typedef,
    Kind::Volatile,
    Kind::Const,
    Kind::Restrict,
    Kind::Function,
    Kind::FunctionProto,
    Kind::Variable,
    Kind::DataSection,
    Kind::Float,
    Kind::DeclTag,
    Kind::TypeTag,
    Kind::Enum64,
];

/// What a name must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// Inside the strings.
    Any,
    /// There must be none.
    None,
    /// An identifier of C.
    Identifier,
    /// The same, or none.
    IdentifierOrNone,
    /// Printable.
    Section,
    /// Not empty.
    Text,
}

/// A record.
pub(crate) struct Type<'b> {
    pub(crate) kind: Kind,
    /// Where its name begins in the strings.
    pub(crate) name: u32,
    /// Its size, or the type it refers to.
    refers_to: u32,
    /// What follows the head: members, parameters, values.
    rest: &'b [u8],
    is_big_endian: bool,
}

const HEAD: usize = 12;

impl<'b> Btf<'b> {
    /// `None` if the header lies.
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        const MAGIC: u16 = 0xeb9f;
        let magic = bytes.first_chunk()?;
        let is_big_endian = match (u16::from_le_bytes(*magic), u16::from_be_bytes(*magic)) {
            (MAGIC, _) => false,
            (_, MAGIC) => true,
            _ => return None,
        };
        let field = |at| word(bytes, at, is_big_endian).and_then(|word| usize::try_from(word).ok());
        let body = bytes.get(field(4)?..)?;
        let part = |at| {
            let (start, len) = (field(at)?, field(at + 4)?);
            body.get(start..start.checked_add(len)?)
        };
        Some(Self {
            types: part(8)?,
            strings: part(16)?,
            is_big_endian,
        })
    }

    /// All records; `None` for one that is no good, after which there are none.
    pub(crate) fn types(&self) -> impl Iterator<Item = Option<Type<'b>>> + use<'b> {
        let (mut left, is_big_endian) = (self.types, self.is_big_endian);
        std::iter::from_fn(move || {
            if left.is_empty() {
                return None;
            }
            let (one, rest) = match Type::first(left, is_big_endian) {
                Some((one, rest)) => (Some(one), rest),
                None => (None, &[][..]),
            };
            left = rest;
            Some(one)
        })
    }
}

impl<'b> Type<'b> {
    /// The first record, and what follows it.
    fn first(bytes: &'b [u8], is_big_endian: bool) -> Option<(Self, &'b [u8])> {
        let field = |at| word(bytes, at, is_big_endian);
        let (name, info, refers_to) = (field(0)?, field(4)?, field(8)?);
        let number = usize::try_from(info >> 24 & 0x7f).ok()?;
        let kind = *KINDS.get(number.checked_sub(1)?)?;
        let count = usize::try_from(info & 0x00ff_ffff).ok()?;
        let (rest, after) = bytes
            .get(HEAD..)?
            .split_at_checked(kind.size_behind(count)?)?;
        let one = Self {
            kind,
            name,
            refers_to,
            rest,
            is_big_endian,
        };
        Some((one, after))
    }

    /// The type it modifies; 0 if it modifies none, or void (`btf_type_is_modifier`).
    pub(crate) fn modified(&self) -> u32 {
        match self.kind {
            Kind::Typedef | Kind::Volatile | Kind::Const | Kind::Restrict | Kind::TypeTag => {
                self.refers_to
            }
            _ => 0,
        }
    }

    /// Where the names of its members begin in the strings.
    pub(crate) fn member_names(&self) -> impl Iterator<Item = u32> {
        let size = self.kind.member_size().max(1);
        let members = self.rest.chunks_exact(size);
        members.filter_map(|member| word(member, 0, self.is_big_endian))
    }
}

impl Kind {
    /// The bytes of a member, parameter or value.
    fn member_size(self) -> usize {
        match self {
            Self::Enum | Self::FunctionProto => 8,
            Self::Struct | Self::Union | Self::DataSection | Self::Enum64 => 12,
            _ => 0,
        }
    }

    /// The bytes behind the head of a record.
    fn size_behind(self, count: usize) -> Option<usize> {
        match self {
            Self::Int | Self::Variable | Self::DeclTag => Some(4),
            Self::Array => Some(12),
            _ => count.checked_mul(self.member_size()),
        }
    }
}

fn word(bytes: &[u8], at: usize, is_big_endian: bool) -> Option<u32> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(match is_big_endian {
        false => u32::from_le_bytes(*word),
        true => u32::from_be_bytes(*word),
    })
}
