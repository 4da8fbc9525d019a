//! Reads the fields of a .modinfo section.
//!
//! The section is a run of NUL-terminated `key=value` strings, and some keys repeat
//! (linux/include/linux/moduleparam.h, `__MODULE_INFO`). In an image the keys of builtin modules
//! begin with the module's name and a dot.

use crate::error::{Problem, Result};
use crate::release::Kernelrelease;

/// The fields of a module's .modinfo section, in file order.
#[derive(Clone, Copy)]
pub struct ModInfo<'d>(&'d [u8]);

impl<'d> ModInfo<'d> {
    /// Takes the bytes of a .modinfo section.
    pub fn new(section: &'d [u8]) -> Self {
        Self(section)
    }

    /// Every value of `key`, in file order.
    pub fn values(self, key: &str) -> impl Iterator<Item = &'d [u8]> {
        let Self(section) = self;
        // Most fields are aliases. To look for the key is faster than to look for the end of each field.
        memchr::memmem::find_iter(section, key).filter_map(move |at| {
            let (before, field) = section.split_at_checked(at)?;
            let is_start = before.last().is_none_or(|&byte| byte == 0);
            let value = field.get(key.len()..)?.strip_prefix(b"=")?;
            let end = memchr::memchr(0, value).unwrap_or(value.len());
            value.get(..end).filter(|_| is_start)
        })
    }

    /// The first value of `key`.
    pub fn value(self, key: &str) -> Option<&'d [u8]> {
        self.values(key).next()
    }

    /// The entries of a comma-separated list, such as `depends=`.
    pub fn list(self, key: &str) -> impl Iterator<Item = &'d [u8]> {
        self.values(key)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|entry| !entry.is_empty())
    }

    /// The modules that its `softdep=` names, in file order.
    pub fn softdeps(self) -> impl Iterator<Item = (SoftdepOrder, &'d [u8])> {
        self.values("softdep").flat_map(|value| {
            let mut order = SoftdepOrder::None;
            let words = value.split(u8::is_ascii_whitespace);
            words.filter_map(move |word| match word {
                b"" => None,
                b"pre:" => {
                    order = SoftdepOrder::Pre;
                    None
                }
                b"post:" => {
                    order = SoftdepOrder::Post;
                    None
                }
                name => Some((order, name)),
            })
        })
    }

    /// The modules that its `weakdep=` names, in file order.
    pub fn weakdeps(self) -> impl Iterator<Item = &'d [u8]> {
        let words = self.values("weakdep");
        words
            .flat_map(|value| value.split(u8::is_ascii_whitespace))
            .filter(|word| !word.is_empty())
    }

    /// Every alias of builtin modules, whose names and a dot come before the keys: the fields of
    /// modules.builtin.modinfo.
    pub fn builtin_aliases(self) -> impl Iterator<Item = &'d [u8]> {
        self.fields().filter_map(|field| {
            let (key, value) = field.split_at_checked(memchr::memchr(b'=', field)?)?;
            key.ends_with(b".alias").then(|| value.get(1..)).flatten()
        })
    }

    /// The names before the keys of builtin modules, sorted.
    pub(crate) fn builtin_names(self) -> Vec<&'d [u8]> {
        let name = |field: &'d [u8]| {
            let key = field.split(|&byte| byte == b'=').next()?;
            key.get(..memchr::memchr(b'.', key)?)
        };
        let mut names: Vec<_> = self.fields().filter_map(name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What the module says it was built for.
    ///
    /// # Errors
    /// There is no `vermagic=`, or what it names is no kernelrelease.
    pub(crate) fn vermagic(self) -> Result<Vermagic> {
        let mut words = self
            .value("vermagic")
            .unwrap_or_default()
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let kernelrelease = words.next().ok_or(Problem::NoField("vermagic"))?;
        Ok(Vermagic {
            kernelrelease: kernelrelease.try_into()?,
            modversions: words.any(|word| word == b"modversions"),
        })
    }

    fn fields(self) -> impl Iterator<Item = &'d [u8]> {
        let mut start = 0;
        let Self(section) = self;
        memchr::memchr_iter(0, section)
            .chain([section.len()])
            .filter_map(move |end| {
                let field = section.get(start..end);
                start = end + 1;
                field.filter(|field| !field.is_empty())
            })
    }
}

/// When modprobe loads a module that a softdep names (modprobe.d(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SoftdepOrder {
    /// Before the module, which may fail to load without it.
    Pre,
    /// After the module.
    Post,
    /// Not at all (kmod, `kmod_config_add_softdep`): the word stands before `pre:` and `post:`. It
    /// names what the module asks for itself, such as the ciphers of cifs.
    None,
}

/// The parts of `vermagic=` that decide what a package with the module requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vermagic {
    /// Its first word: the kernelrelease it was built for.
    pub kernelrelease: Kernelrelease,
    /// Whether that kernel compares symbol CRCs.
    pub modversions: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: ModInfo<'_> = ModInfo(
        b"alias=pci:v1\0\0license=GPL\0depends=a,b-c\0alias=b:2\0vermagic=6.1-x SMP modversions \0cut",
    );

    #[test]
    fn keys_repeat_and_keep_their_order() {
        let aliases: Vec<_> = INFO.values("alias").collect();
        assert_eq!(aliases, [&b"pci:v1"[..], b"b:2"]);
        assert_eq!(INFO.value("lic"), None);
        assert_eq!(INFO.value("license"), Some(&b"GPL"[..]));
    }

    #[test]
    fn softdeps_say_when_they_are_loaded() {
        let info = ModInfo(b"softdep=n pre: a  b post: c\0softdep=post:d pre: e-f\0weakdep=g h\0");
        let softdeps: Vec<_> = info.softdeps().collect();
        use SoftdepOrder::{None, Post, Pre};
        let wanted = [
            (None, &b"n"[..]),
            (Pre, b"a"),
            (Pre, b"b"),
            (Post, b"c"),
            (None, b"post:d"),
            (Pre, b"e-f"),
        ];
        assert_eq!(softdeps, wanted);
        assert_eq!(info.weakdeps().collect::<Vec<_>>(), [b"g", b"h"]);
    }

    #[test]
    fn aliases_of_builtin_modules_stand_behind_their_names() {
        let info = ModInfo(b"crc32c.alias=crypto-crc32c\0crc32c.license=GPL\0a.b\0alias=x\0");
        let aliases: Vec<_> = info.builtin_aliases().collect();
        assert_eq!(aliases, [b"crypto-crc32c"]);
    }

    #[test]
    fn lists_are_split_at_commas() {
        let depends: Vec<_> = INFO.list("depends").collect();
        assert_eq!(depends, [&b"a"[..], b"b-c"]);
    }

    #[test]
    fn builtin_modules_stand_before_their_keys() {
        let info = ModInfo(b"loop.parm=a:b.c\0loop.license=GPL\0ext4.file=fs/ext4/ext4\0odd=a.b\0");
        assert_eq!(info.builtin_names(), [&b"ext4"[..], b"loop"]);
    }

    #[test]
    fn vermagic_names_release_and_modversions() {
        let vermagic = INFO.vermagic().unwrap();
        assert_eq!(vermagic.kernelrelease.as_str(), "6.1-x");
        assert!(vermagic.modversions);
        assert!(matches!(
            ModInfo(b"vermagic= \0").vermagic(),
            Err(Problem::NoField("vermagic"))
        ));
    }
}
