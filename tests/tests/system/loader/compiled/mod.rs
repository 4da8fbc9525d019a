//! What no kernel of the archive shows: modules with extended versions alone, a kernel that forces
//! nothing and was configured to insist on signatures, and BTF of another build.

mod build;

use std::path::Path;

use anyhow::{Context, Result};
use kmpkit_fixtures::patch::Patched;
use kmpkit_tests::Kernel;

use super::agree;
use super::cases::{Case, LOADS, case, modinfo, module, refused};
use super::signing;
pub(super) use build::Kernels;

/// Compiling takes minutes, the first time.
#[test]
#[ignore = "test-all"]
fn extended_versions_and_signatures() -> Result<()> {
    let kernels = Kernels::get()?;
    let samples = Samples::of(&kernels.first, &kernels.key)?;
    let mut cases = samples.versions()?;
    cases.extend(samples.nothing_is_forced()?);
    cases.extend(samples.signatures()?);
    agree(&kernels.first, &cases)
}

#[test]
#[ignore = "test-all"]
fn btf_of_another_build() -> Result<()> {
    let kernels = Kernels::get()?;
    let of_first = Patched::signed(&module(&kernels.first, "kmpkit_plain")?);
    let of_second = Patched::signed(&module(&kernels.second, "kmpkit_plain")?);
    let says = "failed to validate module [kmpkit_plain] BTF: -22";
    agree(&kernels.first, &[case("own", &[&of_first], LOADS)])?;
    agree(
        &kernels.second,
        &[
            case("own", &[&of_second], LOADS),
            case("of_the_other", &[&of_first], refused("Btf", says)),
        ],
    )
}

/// The modules of a compiled kernel, without their signatures.
struct Samples<'s> {
    key: &'s Path,
    release: &'s str,
    plain: Patched,
    exporting: Patched,
    user: Patched,
    weak: Patched,
    livepatch: Patched,
}

impl<'s> Samples<'s> {
    fn of(kernel: &'s Kernel, key: &'s Path) -> Result<Self> {
        let of = |name: &str| -> Result<Patched> {
            let bytes = module(kernel, &format!("kmpkit_{name}"))?;
            Ok(Patched::unsigned(&bytes))
        };
        Ok(Self {
            key,
            release: &kernel.release,
            plain: of("plain")?,
            exporting: of("exporting")?,
            user: of("user")?,
            weak: of("weak")?,
            livepatch: of("livepatch")?,
        })
    }

    fn plain(&self) -> Patched {
        self.plain.clone()
    }

    /// With a signature by the kernel's key.
    fn signed(&self, module: &Patched) -> Result<Patched> {
        let signed = signing::signed(module.bytes(), Some(self.key))?;
        Ok(Patched::signed(&signed))
    }

    /// The plain module, expecting another CRC of a symbol.
    fn other_crc(&self, symbol: &str) -> Result<Patched> {
        let mut module = self.plain();
        let names = module
            .section("__version_ext_names")
            .split(|&byte| byte == 0);
        let index = names.into_iter().position(|name| name == symbol.as_bytes());
        let at = 4 * index.with_context(|| format!("{symbol} is not imported"))?;
        let crc = module.section_mut("__version_ext_crcs").get_mut(at);
        *crc.context("no CRC")? ^= 1;
        self.signed(&module)
    }

    /// `__versions` is not there; names are as long as Rust's.
    fn versions(&self) -> Result<Vec<Case>> {
        let (exporting, user) = (self.signed(&self.exporting)?, self.signed(&self.user)?);
        let unlisted = self
            .plain()
            .replaced("__version_ext_names", b"_printk\0", b"_printq\0");
        let release = format!("vermagic={} ", self.release);
        let other = release.replacen("=7", "=8", 1);
        let other = modinfo(self.plain(), &release, &other);
        Ok(vec![
            case("plain", &[&self.signed(&self.plain)?], LOADS),
            case("long_names", &[&exporting, &user], LOADS),
            case("weak", &[&self.signed(&self.weak)?], LOADS),
            case(
                "crc",
                &[&self.other_crc("_printk")?],
                refused(
                    "CrcDiffers",
                    "kmpkit_plain: disagrees about version of symbol _printk",
                ),
            ),
            case(
                "layout",
                &[&self.other_crc("module_layout")?],
                refused(
                    "CrcDiffers",
                    "kmpkit_plain: disagrees about version of symbol module_layout",
                ),
            ),
            // The kernel warns, and goes on.
            case("unlisted", &[&self.signed(&unlisted)?], LOADS),
            // The kernel leaves out the release for __versions alone.
            case(
                "release",
                &[&self.signed(&other)?],
                refused("Vermagic", "kmpkit_plain: version magic '8"),
            ),
        ])
    }

    /// CONFIG_MODULE_FORCE_LOAD and CONFIG_LIVEPATCH are not set.
    fn nothing_is_forced(&self) -> Result<Vec<Case>> {
        let no_vermagic = modinfo(self.plain(), "vermagic=", "vermagiq=");
        let no_versions = self
            .plain()
            .renamed_section("__version_ext_crcs", "__version_exq_crcs")
            .renamed_section("__version_ext_names", "__version_exq_names");
        let no_crcs = self.exporting.clone();
        let no_crcs = no_crcs.renamed_section("__kcrctab", "__xcrctab");
        Ok(vec![
            case(
                "no_vermagic",
                &[&self.signed(&no_vermagic)?],
                refused("NoVermagic", ""),
            ),
            case(
                "no_versions",
                &[&self.signed(&no_versions)?],
                refused("NoCrc", ""),
            ),
            case(
                "no_crcs_of_exports",
                &[&self.signed(&no_crcs)?],
                refused("ExportsWithoutCrcs", ""),
            ),
            case(
                "livepatch",
                &[&self.signed(&self.livepatch)?],
                refused(
                    "Livepatch",
                    "module is marked as livepatch module, but livepatch support is disabled",
                ),
            ),
        ])
    }

    /// CONFIG_MODULE_SIG_FORCE is set.
    fn signatures(&self) -> Result<Vec<Case>> {
        let other_key = Patched::signed(&signing::signed(self.plain.bytes(), None)?);
        Ok(vec![
            case(
                "unsigned",
                &[&self.plain],
                refused("Unsigned", "Loading of unsigned module is rejected"),
            ),
            case(
                "other_key",
                &[&other_key],
                refused(
                    "UnknownKey",
                    "Loading of module with unavailable key is rejected",
                ),
            ),
        ])
    }
}
