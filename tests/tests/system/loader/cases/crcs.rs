//! Faults that only kernels with modversions see.

use super::samples::{Samples, with_other_crc};
use super::{Case, LOADS, case, refused};

pub(super) fn of(samples: &Samples) -> Vec<Case> {
    let release = b"vermagic=".as_slice();
    let vermagic = samples.plain.section(".modinfo");
    let digit = vermagic
        .windows(release.len() + 1)
        .find(|window| window.starts_with(release));
    let digit = digit
        .and_then(|window| window.last())
        .copied()
        .unwrap_or_default();
    let (here, there) = ([release, &[digit]].concat(), [release, b"9"].concat());
    vec![
        case(
            "crc",
            &[&with_other_crc(samples.plain(), "textsearch_register")],
            refused(
                "CrcDiffers",
                "ts_bm: disagrees about version of symbol textsearch_register",
            ),
        ),
        case(
            "crc_of_module",
            &[
                &samples.exporting,
                &with_other_crc(samples.user.clone(), "slhc_init"),
            ],
            refused(
                "CrcDiffers",
                "ppp_generic: disagrees about version of symbol slhc_init",
            ),
        ),
        case(
            "layout",
            &[&with_other_crc(samples.plain(), "module_layout")],
            refused(
                "CrcDiffers",
                "ts_bm: disagrees about version of symbol module_layout",
            ),
        ),
        case(
            "no_crc",
            &[&samples.plain().replaced(
                "__versions",
                b"textsearch_register\0",
                b"textsearch_registeq\0",
            )],
            refused("NoCrc", "ts_bm: no symbol version for textsearch_register"),
        ),
        case(
            "other_release",
            &[&samples.plain().replaced(".modinfo", &here, &there)],
            LOADS,
        ),
        // Debian's kernels may be forced.
        case(
            "no_versions",
            &[&samples.plain().renamed_section("__versions", "__versionx")],
            LOADS,
        ),
        case(
            "no_crcs_of_exports",
            &[&samples
                .exporting()
                .renamed_section("__kcrctab", "__xcrctab")],
            LOADS,
        ),
    ]
}
