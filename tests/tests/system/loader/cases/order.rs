//! Modules with several faults: the kernel names the one it comes upon first.

use anyhow::Result;

use super::newer::{STRUCT_MODULE_SAYS, larger, with_shifted_btf};
use super::samples::{Samples, modinfo, with_missing_symbol, with_other_crc};
use super::{Case, case, first};

pub(super) fn with_modversions(samples: &Samples) -> Vec<Case> {
    let missing = with_missing_symbol(samples.plain());
    let magic = modinfo(missing, " SMP ", " SMX ");
    let layout = with_other_crc(magic.clone(), "module_layout");
    let machine = layout.clone().for_machine(22);
    vec![
        case(
            "vermagic_before_symbols",
            &[&magic],
            first("Vermagic", "ts_bm: version magic '"),
        ),
        case(
            "layout_before_vermagic",
            &[&layout],
            first(
                "CrcDiffers",
                "ts_bm: disagrees about version of symbol module_layout",
            ),
        ),
        case(
            "machine_before_layout",
            &[&machine],
            first("OtherMachine", "Invalid architecture in ELF header: 22"),
        ),
    ]
}

pub(super) fn since_6_4(samples: &Samples) -> Vec<Case> {
    let size = modinfo(larger(samples), " SMP ", " SMX ");
    let size = with_other_crc(size, "module_layout");
    vec![case(
        "size_before_layout",
        &[&size],
        first("StructModuleSize", STRUCT_MODULE_SAYS),
    )]
}

pub(super) fn of_7_2(samples: &Samples) -> Result<Vec<Case>> {
    let btf = with_missing_symbol(with_shifted_btf(samples.plain(), 1)?);
    Ok(vec![case(
        "symbols_before_btf",
        &[&btf],
        first(
            "MissingSymbol",
            "ts_bm: Unknown symbol textsearch_registeq (err -2)",
        ),
    )])
}
