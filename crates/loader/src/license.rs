//! Decides whether the kernel takes a module for proprietary.

/// Whether a module may not use GPL-only symbols (linux/kernel/module/main.c,
/// `module_license_taint_check` and `module_license_offenders`). One without a licence is
/// proprietary.
pub(crate) fn is_proprietary(name: &[u8], license: Option<&[u8]>) -> bool {
    const OFFENDERS: [&[u8]; 2] = [b"driverloader", b"lve"];
    !license.is_some_and(is_gpl_compatible) || OFFENDERS.contains(&name)
}

/// linux/include/linux/license.h, `license_is_gpl_compatible`.
fn is_gpl_compatible(license: &[u8]) -> bool {
    const COMPATIBLE: [&[u8]; 6] = [
        b"GPL",
        b"GPL v2",
        b"GPL and additional rights",
        b"Dual BSD/GPL",
        b"Dual MIT/GPL",
        b"Dual MPL/GPL",
    ];
    COMPATIBLE.contains(&license)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_compared_to_the_letter() {
        for (name, license, expected) in [
            (&b"a"[..], Some(&b"GPL"[..]), false),
            (b"a", Some(b"Dual BSD/GPL"), false),
            (b"a", Some(b"GPLv2"), true),
            (b"a", Some(b"Proprietary"), true),
            (b"a", None, true),
            (b"lve", Some(b"GPL"), true),
            (b"ndiswrapper", Some(b"GPL"), false),
        ] {
            assert_eq!(is_proprietary(name, license), expected);
        }
    }
}
