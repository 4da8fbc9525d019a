//! Makes the Provides of a kernel image from its release, exports and builtin modules.

use kmodule::{Crc, Kernelrelease};

use crate::kmod::{alias_provided, provided};
use crate::release::{kernel_release, kernel_uname_r};
use crate::rules::{Dialect, TagRules};
use crate::symbols::{SymbolOwner, SymbolSpelling};
use crate::tag::TagBuffer;

/// The facts about a kernel that its tags are made of.
pub struct KernelFacts<'k> {
    /// The release.
    pub release: &'k Kernelrelease,
    /// The symbols that the image exports, with their CRCs. Empty without modversions.
    pub exports: &'k [(&'k [u8], Option<Crc>)],
    /// Names of the modules that are linked into the image, without `.ko`.
    pub builtin: &'k [Vec<u8>],
    /// Their aliases.
    pub builtin_aliases: &'k [Vec<u8>],
}

/// Adds Provides of the kernel, of each module that is linked into it, of the aliases by which
/// softdeps may name these, and of each symbol that it exports.
pub fn kernel(kernel: &KernelFacts<'_>, rules: &TagRules, out: &mut TagBuffer) {
    let release = kernel.release;
    out.add_text(&kernel_release(release));
    out.add_text(&kernel_uname_r(release, rules));
    if rules.dialect == Dialect::Suse {
        let flavor = rules.flavor(release);
        out.add_text(&format!("kernel-{flavor}"));
        if let Some(kabi) = &rules.kabi {
            out.add_text(&format!("kernel-{flavor}-{kabi}"));
        }
    }
    for name in kernel.builtin {
        provided(name, rules, out);
    }
    for alias in kernel.builtin_aliases {
        alias_provided(alias, rules, out);
    }
    let spelling = SymbolSpelling::new(rules, release);
    for &(name, crc) in kernel.exports {
        out.add(|tag| spelling.append(SymbolOwner::Kernel, name, crc, tag));
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn tags_of(release: &str, rules: &TagRules) -> Vec<String> {
        let release = Kernelrelease::try_from(release.as_bytes()).unwrap();
        let facts = KernelFacts {
            release: &release,
            exports: &[(b"_printk", Some(0xbad))],
            builtin: &[b"ext4-x".to_vec()],
            builtin_aliases: &[b"fs-ext4".to_vec(), b"pci:v1".to_vec()],
        };
        let mut out = TagBuffer::default();
        kernel(&facts, rules, &mut out);
        let tags = out.tags();
        let tags = tags.iter().map(|tag| String::from_utf8_lossy(tag));
        tags.map(Cow::into_owned).collect()
    }

    #[test]
    fn suse_names_flavor_and_kabi() {
        let rules = TagRules {
            kabi: Some("6.1.0_50".parse().unwrap()),
            ..TagRules::default()
        };
        assert_eq!(
            tags_of("6.1.0-50-amd64", &rules),
            [
                "kernel-amd64",
                "kernel-amd64-6.1.0_50",
                "kernel-release(6.1.0-50-amd64)",
                "kernel-uname-r = 6.1.0-50_amd64",
                "kmod(ext4_x.ko) = 6.1.0_50",
                "kmod-alias(fs_ext4) = 6.1.0_50",
                "ksym(amd64:_printk) = bad",
            ]
        );
    }

    #[test]
    fn uname_r_comes_where_rpm_accepts_it() {
        let rules = TagRules {
            dialect: Dialect::RedHat,
            ..TagRules::default()
        };
        assert_eq!(
            tags_of("6.9.1-200.fc40.x86_64", &rules),
            [
                "kernel(_printk) = 0x00000bad",
                "kernel-release(6.9.1-200.fc40.x86_64)",
                "kernel-uname-r = 6.9.1-200.fc40.x86_64",
                "kmod(ext4-x.ko)",
                "kmod-alias(fs_ext4)",
            ]
        );
    }
}
