//! Writes the tags that name one kernelrelease.
//!
//! Stock kernels provide `kernel-uname-r = <rel>`. rpm reads `a-b` as version and release and refuses
//! two dashes, unless a distribution turns that off, as openSUSE and SLE do, whose releases have two.

use kmodule::Kernelrelease;

use crate::rules::TagRules;

/// `kernel-release(<rel>)`, which every kernel of ours provides.
pub(crate) fn kernel_release(release: &Kernelrelease) -> String {
    format!("kernel-release({release})")
}

/// The Provides that tells libzypp which packages are kernels: `kernel-uname-r = <rel>`.
///
/// Where rpm refuses the release as a version, further dashes become underscores. Without any version
/// the tag would meet requirements of every kernel.
pub fn kernel_uname_r(release: &Kernelrelease, rules: &TagRules) -> String {
    match is_version(release) || rules.two_dashes {
        true => exactly(release),
        false => format!("kernel-uname-r = {}", as_version(release)),
    }
}

/// The requirement that only a kernel of exactly this release meets.
///
/// Where rpm takes two dashes, a stock kernel may meet it, or one of ours that another rpm built. The
/// packages of a kernel's own build require that kernel alone.
pub(crate) fn exact_release(release: &Kernelrelease, rules: &TagRules) -> String {
    let ours = kernel_release(release);
    match (
        is_version(release),
        rules.two_dashes && rules.kabi.is_none(),
    ) {
        (true, _) => exactly(release),
        (false, true) => format!("({} or {ours})", exactly(release)),
        (false, false) => ours,
    }
}

fn exactly(release: &Kernelrelease) -> String {
    format!("kernel-uname-r = {release}")
}

/// Whether every rpm takes a release as a version.
fn is_version(release: &Kernelrelease) -> bool {
    let parts: Vec<_> = release.as_str().split('-').collect();
    parts.len() <= 2 && parts.iter().all(|part| !part.is_empty())
}

/// A release as a version that every rpm takes.
fn as_version(release: &Kernelrelease) -> String {
    match release.as_str().split_once('-') {
        Some((version, rest)) if !version.is_empty() && !rest.is_empty() => {
            format!("{version}-{}", rest.replace('-', "_"))
        }
        _ => release.as_str().replace('-', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_versions_where_rpm_takes_them() {
        let rules = |two_dashes, kabi: Option<&str>| TagRules {
            two_dashes,
            kabi: kabi.map(|kabi| kabi.parse().unwrap()),
            ..TagRules::default()
        };
        let release = |text: &str| Kernelrelease::try_from(text.as_bytes()).unwrap();
        let suse = release("6.4.0-150600.21-default");
        for (rules, provided, required) in [
            (
                rules(false, None),
                "kernel-uname-r = 6.4.0-150600.21_default",
                "kernel-release(6.4.0-150600.21-default)",
            ),
            (
                rules(true, None),
                "kernel-uname-r = 6.4.0-150600.21-default",
                "(kernel-uname-r = 6.4.0-150600.21-default or kernel-release(6.4.0-150600.21-default))",
            ),
            (
                rules(true, Some("6.4")),
                "kernel-uname-r = 6.4.0-150600.21-default",
                "kernel-release(6.4.0-150600.21-default)",
            ),
        ] {
            assert_eq!(kernel_uname_r(&suse, &rules), provided);
            assert_eq!(exact_release(&suse, &rules), required);
        }
        let fedora = release("6.9.1-200.fc40.x86_64");
        for rules in [rules(false, None), rules(true, None)] {
            let wanted = "kernel-uname-r = 6.9.1-200.fc40.x86_64";
            assert_eq!(kernel_uname_r(&fedora, &rules), wanted);
            assert_eq!(exact_release(&fedora, &rules), wanted);
        }
        let odd = kernel_uname_r(&release("6.1--x"), &rules(false, None));
        assert_eq!(odd, "kernel-uname-r = 6.1-_x");
    }
}
