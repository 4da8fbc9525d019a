//! Makes `kmod()` and `kmod-alias()` tags: of the module itself, of the modules it needs, and for the
//! initrd.

use kmodule::{Module, normalized};

use crate::escape;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagBuffer;

/// Adds the Provides of a module, which is also what other modules require of it.
///
/// `name` is its basename without `.ko`.
pub fn provided(name: &[u8], rules: &TagRules, out: &mut TagBuffer) {
    out.add(|tag| kmod(name, rules, tag));
}

/// Adds the Provides that asks tools that make an initrd to put the module into it.
///
/// The tag is about a module name, not about a build, so it has no kABI.
pub fn initrd(name: &[u8], rules: &TagRules, out: &mut TagBuffer) {
    out.add(|tag| named("kmod-initrd(", name, rules, tag));
}

/// Adds Requires of the modules that this one was linked against: its `depends=`.
pub fn depends(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for name in module.modinfo().list("depends") {
        provided(name, rules, out);
    }
}

/// Adds Recommends of the modules that its `softdep=` wants loaded before or after it
/// (modprobe.d(5): `pre: a b post: c`).
pub fn recommends(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for (_, name) in module.modinfo().softdeps() {
        out.add(|tag| module_or_alias(name, rules, tag));
    }
}

/// Adds Suggests of the modules that its `weakdep=` says it may load itself.
pub fn suggests(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for name in module.modinfo().weakdeps() {
        out.add(|tag| module_or_alias(name, rules, tag));
    }
}

/// Adds Provides of the aliases of a module by which softdeps may name it.
pub fn aliases(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for alias in module.modinfo().values("alias") {
        alias_provided(alias, rules, out);
    }
}

/// Adds the Provides of an alias, if it is one that a softdep may name: one without a bus or one of the
/// platform bus, whose aliases are plain names. Nobody can name a pattern.
pub(crate) fn alias_provided(alias: &[u8], rules: &TagRules, out: &mut TagBuffer) {
    let name = alias.strip_prefix(b"platform:").unwrap_or(alias);
    if !name.is_empty() && !name.iter().any(|byte| b":*?[\\".contains(byte)) {
        out.add(|tag| kmod_alias(alias, rules, tag));
    }
}

/// Appends `kmod(<name>.ko)`. Providers and users of a module must spell it the same.
pub fn kmod(name: &[u8], rules: &TagRules, tag: &mut Vec<u8>) {
    named("kmod(", name, rules, tag);
    version(rules, tag);
}

/// Appends the tag that a softdep asks for: modprobe takes its words for names of modules and for
/// aliases (kmod, `lookup_softdep`).
///
/// In the redhat dialect modules are spelled as their files, and a softdep may spell them otherwise.
fn module_or_alias(name: &[u8], rules: &TagRules, tag: &mut Vec<u8>) {
    tag.push(b'(');
    for spelling in spellings(name, rules.dialect) {
        kmod(&spelling, rules, tag);
        tag.extend_from_slice(b" or ");
    }
    kmod_alias(name, rules, tag);
    tag.push(b')');
}

fn spellings(name: &[u8], dialect: Dialect) -> Vec<Vec<u8>> {
    let mut spellings = vec![name.to_vec()];
    if dialect == Dialect::RedHat {
        let all = |to: u8| {
            name.iter()
                .map(move |&byte| if b"-_".contains(&byte) { to } else { byte })
        };
        for other in [all(b'-').collect(), all(b'_').collect()] {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
    }
    spellings
}

/// modprobe compares aliases with `_` for each `-` (kmod, `alias_normalize`), in all dialects.
fn kmod_alias(alias: &[u8], rules: &TagRules, tag: &mut Vec<u8>) {
    tag.extend_from_slice(b"kmod-alias(");
    escape::name(&normalized(alias), tag);
    tag.push(b')');
    version(rules, tag);
}

fn version(rules: &TagRules, tag: &mut Vec<u8>) {
    if let Some(kabi) = &rules.kabi {
        tag.extend_from_slice(b" = ");
        tag.extend_from_slice(kabi.as_str().as_bytes());
    }
}

fn named(space: &str, name: &[u8], rules: &TagRules, tag: &mut Vec<u8>) {
    tag.extend_from_slice(space.as_bytes());
    match rules.dialect {
        Dialect::Suse => escape::name(&normalized(name), tag),
        Dialect::RedHat => escape::name(name, tag),
    }
    tag.extend_from_slice(b".ko)");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut TagBuffer)) -> String {
        let mut out = TagBuffer::default();
        write(&mut out);
        out.tags().iter().map(String::from_utf8_lossy).collect()
    }

    #[test]
    fn each_dialect_spells_names_its_way() {
        let mut rules = TagRules::default();
        let kmod = |rules: &TagRules| written(|out| provided(b"xhci-pci", rules, out));
        assert_eq!(kmod(&rules), "kmod(xhci_pci.ko)");
        rules.kabi = Some("6.1.0_50".parse().unwrap());
        assert_eq!(kmod(&rules), "kmod(xhci_pci.ko) = 6.1.0_50");
        rules.dialect = Dialect::RedHat;
        assert_eq!(kmod(&rules), "kmod(xhci-pci.ko) = 6.1.0_50");
    }

    #[test]
    fn a_softdep_asks_for_a_module_or_an_alias() {
        let mut rules = TagRules::default();
        let softdep = |rules: &TagRules, name: &[u8]| {
            written(|out| out.add(|tag| module_or_alias(name, rules, tag)))
        };
        assert_eq!(
            softdep(&rules, b"crypto-crc32c"),
            "(kmod(crypto_crc32c.ko) or kmod-alias(crypto_crc32c))"
        );
        rules.kabi = Some("6.1.0_50".parse().unwrap());
        assert_eq!(
            softdep(&rules, b"crc32c"),
            "(kmod(crc32c.ko) = 6.1.0_50 or kmod-alias(crc32c) = 6.1.0_50)"
        );
        rules = TagRules {
            dialect: Dialect::RedHat,
            ..TagRules::default()
        };
        assert_eq!(
            softdep(&rules, b"a-b_c"),
            "(kmod(a-b_c.ko) or kmod(a-b-c.ko) or kmod(a_b_c.ko) or kmod-alias(a_b_c))"
        );
    }

    #[test]
    fn aliases_with_a_bus_or_a_pattern_are_for_nobody_to_name() {
        let alias = |alias: &[u8]| written(|out| alias_provided(alias, &TagRules::default(), out));
        assert_eq!(alias(b"crypto-crc32c"), "kmod-alias(crypto_crc32c)");
        let platform = "kmod-alias(platform:leds_gpio)";
        assert_eq!(alias(b"platform:leds-gpio"), platform);
        for other in [
            &b"pci:v1"[..],
            b"platform:",
            b"char-major-10-*",
            b"a[1-2]",
            b"a?",
            b"",
        ] {
            assert_eq!(alias(other), "");
        }
    }

    #[test]
    fn an_initrd_asks_for_a_module_of_any_kabi() {
        let mut rules = TagRules {
            kabi: Some("6.1.0_50".parse().unwrap()),
            ..TagRules::default()
        };
        let tag = |rules: &TagRules| written(|out| initrd(b"xhci-pci", rules, out));
        assert_eq!(tag(&rules), "kmod-initrd(xhci_pci.ko)");
        rules.dialect = Dialect::RedHat;
        assert_eq!(tag(&rules), "kmod-initrd(xhci-pci.ko)");
    }
}
