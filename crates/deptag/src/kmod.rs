//! `kmod()`: a module's name in, and the names it depends on.

use std::borrow::Cow;

use kmodule::Module;

use crate::escape;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagSet;

/// Provides: the module is here.
///
/// `name` is its basename without `.ko`.
pub fn provided(name: &[u8], rules: &TagRules) -> TagSet {
    [kmod(name, rules)].into_iter().collect()
}

/// Provides: whoever makes an initrd is to put the module into it.
///
/// It says that of a name, not of a build, so it carries no kABI.
pub fn initrd(name: &[u8], rules: &TagRules) -> TagSet {
    let tag = format!("kmod-initrd({}.ko)", spelled(name, rules));
    [tag].into_iter().collect()
}

/// Requires: the modules it was linked against, by its `depends=`.
pub fn depends(module: &Module<'_>, rules: &TagRules) -> TagSet {
    let names = module.modinfo().list("depends");
    names.map(|name| kmod(name, rules)).collect()
}

/// Recommends: the modules its `softdep=` wants loaded before or after it
/// (modprobe.d(5): `pre: a b post: c`).
pub fn recommends(module: &Module<'_>, rules: &TagRules) -> TagSet {
    words(module, "softdep")
        .filter(|word| !word.ends_with(b":"))
        .map(|name| kmod(name, rules))
        .collect()
}

/// Suggests: the modules its `weakdep=` says it may load itself.
pub fn suggests(module: &Module<'_>, rules: &TagRules) -> TagSet {
    words(module, "weakdep")
        .map(|name| kmod(name, rules))
        .collect()
}

/// The tag of one module, as provider and consumers must both spell it.
pub(crate) fn kmod(name: &[u8], rules: &TagRules) -> String {
    let name = spelled(name, rules);
    format!("kmod({name}.ko){}", rules.kabi_version())
}

fn spelled<'n>(name: &'n [u8], rules: &TagRules) -> Cow<'n, str> {
    let name = escape::name(name);
    match rules.dialect {
        Dialect::Suse => name.replace('-', "_").into(),
        Dialect::RedHat => name,
    }
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

    #[test]
    fn each_dialect_spells_names_its_way() {
        let mut rules = TagRules::default();
        assert_eq!(kmod(b"xhci-pci", &rules), "kmod(xhci_pci.ko)");
        rules.kabi = Some("6.1.0_50".parse().unwrap());
        assert_eq!(kmod(b"xhci-pci", &rules), "kmod(xhci_pci.ko) = 6.1.0_50");
        rules.dialect = Dialect::RedHat;
        assert_eq!(kmod(b"xhci-pci", &rules), "kmod(xhci-pci.ko) = 6.1.0_50");
    }

    #[test]
    fn an_initrd_asks_for_a_module_of_any_kabi() {
        let mut rules = TagRules {
            kabi: Some("6.1.0_50".parse().unwrap()),
            ..TagRules::default()
        };
        let tags = |rules: &TagRules| initrd(b"xhci-pci", rules).iter().collect::<String>();
        assert_eq!(tags(&rules), "kmod-initrd(xhci_pci.ko)");
        rules.dialect = Dialect::RedHat;
        assert_eq!(tags(&rules), "kmod-initrd(xhci-pci.ko)");
    }
}
