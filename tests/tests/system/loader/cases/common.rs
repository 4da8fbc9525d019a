//! Faults that every kernel sees.

use anyhow::{Context, Result};
use kmpkit_fixtures::patch::Patched;
use kmpkit_tests::Kernel;
use kmpkit_tests::kmod_tools::symvers;

use super::samples::{Samples, modinfo, with_missing_symbol};
use super::{Case, LOADS, case, refused};

pub(super) fn of(kernel: &Kernel, samples: &Samples) -> Result<Vec<Case>> {
    let proprietary = modinfo(samples.exporting(), "Dual BSD/GPL", "Dual BSD/GPX");
    let (own, of_kernel) = same_length(kernel, &samples.exporting)?;
    let duplicate =
        samples
            .exporting()
            .replaced("__ksymtab_strings", own.as_bytes(), of_kernel.as_bytes());
    Ok(vec![
        case("signed", &[&samples.plain_signed], LOADS),
        case("unsigned", &[&samples.plain], LOADS),
        case(
            "missing_symbol",
            &[&with_missing_symbol(samples.plain())],
            refused(
                "MissingSymbol",
                "ts_bm: Unknown symbol textsearch_registeq (err -2)",
            ),
        ),
        case(
            "other_machine",
            &[&samples.plain().for_machine(22)],
            refused("OtherMachine", "Invalid architecture in ELF header: 22"),
        ),
        case(
            "vermagic",
            &[&modinfo(samples.plain(), " SMP ", " SMX ")],
            refused("Vermagic", "ts_bm: version magic '"),
        ),
        // Debian's kernels may be forced.
        case(
            "no_vermagic",
            &[&modinfo(samples.plain(), "vermagic=", "vermagiq=")],
            LOADS,
        ),
        case("gpl", &[&samples.gpl], LOADS),
        case(
            "gpl_only",
            &[&modinfo(samples.gpl(), "license=GPL", "license=GPX")],
            refused("GplOnlySymbol", "dummy: Unknown symbol "),
        ),
        case(
            "no_licence",
            &[&modinfo(samples.gpl(), "license=GPL", "licence=GPL")],
            refused("GplOnlySymbol", "dummy: Unknown symbol "),
        ),
        case("namespace", &[&samples.spaced], LOADS),
        case(
            "namespace_missing",
            &[&modinfo(samples.spaced(), "import_ns=", "import_nx=")],
            refused("NamespaceNotImported", "ccm: module uses symbol ("),
        ),
        case("two", &[&samples.exporting, &samples.user], LOADS),
        case(
            "duplicate_export",
            &[&duplicate],
            refused("DuplicateExport", "slhc: exports duplicate symbol "),
        ),
        case("proprietary", &[&proprietary], LOADS),
        // Its first symbol from a proprietary module makes it proprietary itself, so it sees no
        // GPL-only symbol from there on; or it has used one before, and then it is refused that.
        case(
            "inherits",
            &[&proprietary, &samples.user],
            refused(
                "GplOnlySymbol",
                "ppp_generic: Unknown symbol idr_find (err -2)",
            ),
        ),
        case(
            "user_of_proprietary",
            &[
                &proprietary,
                &samples.user.clone().with_first_symbol("idr_find"),
            ],
            refused(
                "ProprietaryExporter",
                "ppp_generic: module using GPL-only symbols uses symbols slhc_",
            ),
        ),
    ])
}

/// A symbol that a module exports, and one as long that the kernel image exports.
fn same_length(kernel: &Kernel, exporting: &Patched) -> Result<(String, String)> {
    let strings = exporting.section("__ksymtab_strings");
    let own = strings
        .split(|&byte| byte == 0)
        .find(|name| name.starts_with(b"slhc_"));
    let own = String::from_utf8(own.context("no export")?.to_vec())?;
    let exports = symvers(kernel)?;
    let twin = exports.iter().find(|(name, _, module)| {
        module == "vmlinux" && name.len() == own.len() && name.starts_with(char::is_lowercase)
    });
    let (twin, ..) = twin.context("no export of the kernel is as long")?;
    Ok((own, twin.clone()))
}

/// Without modversions the whole vermagic counts.
pub(super) fn other_release(kernel: &Kernel, samples: &Samples) -> Result<Case> {
    let release = format!("vermagic={}", kernel.release);
    let other = format!("vermagic=9{}", kernel.release.get(1..).context("release")?);
    Ok(case(
        "other_release",
        &[&modinfo(samples.plain(), &release, &other)],
        refused("Vermagic", "ts_bm: version magic '9"),
    ))
}
