//! `kmod()`: a module's name in, and the names it depends on.

use kmodule::Module;

use crate::escape;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagBuffer;

/// Provides: the module is here.
///
/// `name` is its basename without `.ko`.
pub fn provided(name: &[u8], rules: &TagRules, out: &mut TagBuffer) {
    out.add(|tag| kmod(name, rules, tag));
}

/// Provides: whoever makes an initrd is to put the module into it.
///
/// It says that of a name, not of a build, so it carries no kABI.
pub fn initrd(name: &[u8], rules: &TagRules, out: &mut TagBuffer) {
    out.add(|tag| named("kmod-initrd(", name, rules, tag));
}

/// Requires: the modules it was linked against, by its `depends=`.
pub fn depends(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for name in module.modinfo().list("depends") {
        provided(name, rules, out);
    }
}

/// Recommends: the modules its `softdep=` wants loaded before or after it
/// (modprobe.d(5): `pre: a b post: c`).
pub fn recommends(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for name in words(module, "softdep").filter(|word| !word.ends_with(b":")) {
        provided(name, rules, out);
    }
}

/// Suggests: the modules its `weakdep=` says it may load itself.
pub fn suggests(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) {
    for name in words(module, "weakdep") {
        provided(name, rules, out);
    }
}

/// Appends the tag of one module, as provider and consumers must both spell it.
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
        Dialect::Suse => escape::name(&underscored(name), tag),
        Dialect::RedHat => escape::name(name, tag),
    }
    tag.extend_from_slice(b".ko)");
}

fn underscored(name: &[u8]) -> Vec<u8> {
    let spelled = |&byte: &u8| if byte == b'-' { b'_' } else { byte };
    name.iter().map(spelled).collect()
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
