//! Faults that newer kernels see.

use anyhow::{Context, Result};
use kmpkit_fixtures::patch::Patched;
use kmpkit_tests::Kernel;

use super::samples::{Samples, module};
use super::{Case, Expected, LOADS, case, refused};

const STRUCT_MODULE: &str = ".gnu.linkonce.this_module";

pub(super) const STRUCT_MODULE_SAYS: &str = "ts_bm: .gnu.linkonce.this_module section size must \
    match the kernel's built struct module size at run time";

/// A `struct module` that is too large does no harm to kernels that do not look.
pub(super) fn larger(samples: &Samples) -> Patched {
    let section = ".gnu.linkonce.this_module";
    samples.plain().resized_section(section, |size| size + 64)
}

/// Kernels before 6.4 do not compare the size of `struct module`.
pub(super) fn not_in_older_kernels(samples: &Samples) -> Vec<Case> {
    let kind = "StructModuleSize";
    let expected = Expected::Overlooked { kind };
    vec![case("struct_module", &[&larger(samples)], expected)]
}

pub(super) fn since_6_4(samples: &Samples) -> Vec<Case> {
    let smaller = samples
        .plain()
        .resized_section(STRUCT_MODULE, |size| size - 64);
    let expected = || refused("StructModuleSize", STRUCT_MODULE_SAYS);
    vec![
        case("larger", &[&larger(samples)], expected()),
        case("smaller", &[&smaller], expected()),
    ]
}

/// `__kflagstab`, namespaces that name modules, and BTF that must fit.
pub(super) fn of_7_2(kernel: &Kernel, samples: &Samples) -> Result<Vec<Case>> {
    let named = Patched::unsigned(&module(kernel, "autofs4")?);
    let (name, other) = (b"autofs4\0", b"autofsX\0");
    let renamed = named
        .clone()
        .replaced(".modinfo", b"name=autofs4\0", b"name=autofsX\0")
        .replaced(".gnu.linkonce.this_module", name, other);
    let importing = samples.gpl().replaced(
        ".modinfo",
        b"parm=numdummies:Number",
        b"import_ns=module:abcde",
    );
    let flagless = samples
        .exporting()
        .renamed_section("__kflagstab", "__xflagstab");
    Ok(vec![
        case("named_module", &[&named], LOADS),
        case(
            "other_module",
            &[&renamed],
            refused(
                "NamespaceNotImported",
                "from namespace module:autofs4, but does not import it",
            ),
        ),
        case(
            "imports_module_namespace",
            &[&importing],
            refused(
                "ImportsModuleNamespace",
                "dummy: module tries to import module namespace: module:abcde",
            ),
        ),
        case(
            "no_flags",
            &[&flagless],
            refused("ExportsWithoutFlags", "slhc: no flags for exported symbols"),
        ),
        case(
            "btf",
            &[&with_shifted_btf(samples.plain(), 1)?],
            refused("Btf", "failed to validate module [ts_bm] BTF: -22"),
        ),
        // Each name is now the end of another, which the kernel cannot tell from a name.
        case(
            "btf_by_chance",
            &[&with_shifted_btf(samples.plain(), 3)?],
            LOADS,
        ),
    ])
}

/// The strings of its BTF are not where its types look for them, as if it had been made with the
/// BTF of an image that has some bytes more of them.
pub(super) fn with_shifted_btf(mut module: Patched, bytes: usize) -> Result<Patched> {
    let btf = module.section_mut(".BTF");
    let word = |at: usize| -> Result<usize> {
        let word = btf.get(at..at + 4).context("no header")?;
        Ok(usize::try_from(u32::from_le_bytes(word.try_into()?))?)
    };
    let start = word(4)? + word(16)?;
    let end = start + word(20)?;
    let strings = btf.get_mut(start..end).context("no strings")?;
    strings.rotate_right(bytes);
    strings.get_mut(..bytes).context("no strings")?.fill(b'x');
    *strings.last_mut().context("no strings")? = 0;
    Ok(module)
}
