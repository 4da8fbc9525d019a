//! A kernel's release, exports and builtin modules in, its Provides out.

use std::fmt::Arguments;
use std::io::Write;

use kmodule::{Crc, Kernelrelease};

use crate::kmod::provided;
use crate::rules::{Dialect, TagRules};
use crate::symbols::Spelling;
use crate::tag::TagBuffer;

/// What is known of a kernel that is being packaged.
pub struct Kernel<'k> {
    /// Its release.
    pub release: &'k Kernelrelease,
    /// The symbols of the image with their CRCs; none without modversions.
    pub exports: &'k [(&'k [u8], Option<Crc>)],
    /// Names of the modules linked into it, without `.ko`.
    pub builtin: &'k [Vec<u8>],
}

/// Provides: the kernel, each module linked into it and each symbol it exports.
pub fn kernel(kernel: &Kernel<'_>, rules: &TagRules, out: &mut TagBuffer) {
    let release = kernel.release;
    add(out, format_args!("kernel-release({release})"));
    if is_version(release) {
        add(out, format_args!("kernel-uname-r = {release}"));
    }
    if rules.dialect == Dialect::Suse {
        let flavor = rules.flavor(release);
        add(out, format_args!("kernel-{flavor}"));
        if let Some(kabi) = &rules.kabi {
            add(out, format_args!("kernel-{flavor}-{kabi}"));
        }
    }
    for name in kernel.builtin {
        provided(name, rules, out);
    }
    let spell = Spelling::new(rules, release);
    for &(name, crc) in kernel.exports {
        out.add(|tag| spell.tag(true, name, crc, tag));
    }
}

fn add(out: &mut TagBuffer, tag: Arguments<'_>) {
    // Writing to memory cannot fail.
    out.add(|text| drop(text.write_fmt(tag)));
}

/// The requirement that only a kernel of exactly this release meets, in the
/// form stock kernels provide too wherever rpm accepts it.
pub(crate) fn exact_release(release: &Kernelrelease) -> String {
    match is_version(release) {
        true => format!("kernel-uname-r = {release}"),
        false => format!("kernel-release({release})"),
    }
}

/// rpm reads `a-b` as version and release; with two dashes it is an error.
fn is_version(release: &Kernelrelease) -> bool {
    release.as_str().matches('-').count() <= 1
        && release.as_str().split('-').all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn tags_of(release: &str, rules: &TagRules) -> Vec<String> {
        let release = Kernelrelease::try_from(release.as_bytes()).unwrap();
        let facts = Kernel {
            release: &release,
            exports: &[(b"_printk", Some(0xbad))],
            builtin: &[b"ext4-x".to_vec()],
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
                "kmod(ext4_x.ko) = 6.1.0_50",
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
            ]
        );
    }
}
