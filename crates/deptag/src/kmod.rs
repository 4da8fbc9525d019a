//! Makes `kmod()` tags: of the module itself, of the modules it needs, and for the initrd.

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
    for name in words(module, "softdep").filter(|word| !word.ends_with(b":")) {
        provided(name, rules, out);
    }
}

/// Adds Suggests of the modules that its `weakdep=` says it may load itself.
pub fn suggests(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for name in words(module, "weakdep") {
        provided(name, rules, out);
    }
}

/// Appends `kmod(<name>.ko)`. Providers and users of a module must spell it the same.
pub fn kmod(name: &[u8], rules: &TagRules, tag: &mut Vec<u8>) {
    named("kmod(", name, rules, tag);
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

fn words<'d>(module: &Module<'d>, key: &str) -> impl Iterator<Item = &'d [u8]> {
    module
        .modinfo()
        .values(key)
        .flat_map(|value| value.split(u8::is_ascii_whitespace))
        .filter(|word| !word.is_empty())
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
