//! The modules that faults are given to.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_fixtures::patch::Patched;
use kmpkit_tests::Kernel;
use kmpkit_tests::tools::tool;

/// Modules that need no hardware, and no other module but the last.
pub(super) struct Samples {
    /// Imports a few symbols.
    pub(super) plain: Patched,
    pub(super) plain_signed: Patched,
    /// Imports GPL-only symbols.
    pub(super) gpl: Patched,
    /// Imports a namespace.
    pub(super) spaced: Patched,
    /// Exports symbols, none of them GPL-only, and imports no GPL-only symbol.
    pub(super) exporting: Patched,
    /// Imports symbols of it, and GPL-only symbols.
    pub(super) user: Patched,
}

impl Samples {
    pub(super) fn of(kernel: &Kernel) -> Result<Self> {
        let unsigned = |name| Ok::<_, anyhow::Error>(Patched::unsigned(&module(kernel, name)?));
        Ok(Self {
            plain: unsigned("ts_bm")?,
            plain_signed: Patched::signed(&module(kernel, "ts_bm")?),
            gpl: unsigned("dummy")?,
            spaced: unsigned("ccm")?,
            exporting: unsigned("slhc")?,
            user: unsigned("ppp_generic")?,
        })
    }

    pub(super) fn plain(&self) -> Patched {
        self.plain.clone()
    }

    pub(super) fn gpl(&self) -> Patched {
        self.gpl.clone()
    }

    pub(super) fn spaced(&self) -> Patched {
        self.spaced.clone()
    }

    pub(super) fn exporting(&self) -> Patched {
        self.exporting.clone()
    }
}

/// A module whose .modinfo has one text for another.
pub(in crate::loader) fn modinfo(module: Patched, from: &str, to: &str) -> Patched {
    module.replaced(".modinfo", from.as_bytes(), to.as_bytes())
}

/// A module that expects another CRC of a symbol than it has.
pub(super) fn with_other_crc(mut module: Patched, symbol: &str) -> Patched {
    let versions = module.section_mut("__versions");
    let name = format!("{symbol}\0");
    let is_name = |window: &[u8]| window == name.as_bytes();
    let at = versions.windows(name.len()).position(is_name);
    // The CRC is a word of eight bytes before the name.
    if let Some(crc) = at.and_then(|at| versions.get_mut(at - 8)) {
        *crc ^= 1;
    }
    module
}

/// A module that imports a symbol nobody exports.
pub(super) fn with_missing_symbol(module: Patched) -> Patched {
    module.renamed_symbol("textsearch_register", "textsearch_registeq")
}

/// The bytes of one of a kernel's modules, not compressed.
pub(in crate::loader) fn module(kernel: &Kernel, name: &str) -> Result<Vec<u8>> {
    let modules = kernel.modules()?;
    let stem = |path: &Path| Some(path.file_name()?.to_str()?.split('.').next()?.to_owned());
    let path = modules
        .iter()
        .find(|path| stem(path).as_deref() == Some(name))
        .with_context(|| format!("{} has no module {name}", kernel.release))?;
    if path.extension().is_some_and(|end| end == "ko") {
        return std::fs::read(path).with_context(|| path.display().to_string());
    }
    let output = tool("xz")?.arg("-dc").arg(path).output()?;
    ensure!(output.status.success(), "xz -dc {}", path.display());
    Ok(output.stdout)
}
