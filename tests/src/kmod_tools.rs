//! Turns what kmod's own tools say of a kernel into maps, as oracles.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::kernel::Kernel;
use crate::tools::{run, tool};

/// Fields of .modinfo by module, each key with all its values, from modinfo(8).
pub type Modinfo = BTreeMap<PathBuf, BTreeMap<String, Vec<String>>>;

/// Reads all modules with as few runs as their number of arguments allows.
pub fn modinfo(modules: &[PathBuf]) -> Result<Modinfo> {
    let mut all = Modinfo::new();
    for some in modules.chunks(500) {
        let text = run(tool("modinfo")?.arg("-0").args(some))?;
        let mut fields = None;
        // Each module's fields follow its file name.
        for field in text.split('\0') {
            if let Some(path) = field.strip_prefix("filename:") {
                fields = Some(all.entry(PathBuf::from(path.trim_start())).or_default());
            } else if let (Some((key, value)), Some(fields)) = (field.split_once('='), &mut fields)
            {
                fields
                    .entry(key.to_owned())
                    .or_default()
                    .push(value.to_owned());
            }
        }
    }
    ensure!(
        all.len() == modules.len(),
        "modinfo answered {} of {}",
        all.len(),
        modules.len()
    );
    Ok(all)
}

/// Symbols and CRCs a module expects, from `modprobe --dump-modversions`.
pub fn modversions(module: &Path) -> Result<BTreeMap<String, u32>> {
    let text = run(tool("modprobe")?.arg("--dump-modversions").arg(module))?;
    text.lines()
        .map(|line| {
            let (crc, symbol) = line.split_once('\t').context("no tab")?;
            let crc = u32::from_str_radix(crc.trim_start_matches("0x"), 16)?;
            Ok((symbol.to_owned(), crc))
        })
        .collect::<Result<_>>()
        .with_context(|| module.display().to_string())
}

/// What kmod's depmod finds in a tree.
#[derive(Debug, Default)]
pub struct Depmod {
    /// Everything a module needs loaded, by path below the release directory.
    pub closure: BTreeMap<String, BTreeSet<String>>,
    /// Name of the module that exports a symbol, dashes as underscores.
    pub exporter: BTreeMap<String, String>,
}

/// Runs `depmod -n`, which writes nothing.
pub fn depmod(kernel: &Kernel) -> Result<Depmod> {
    // kmod finds modules below /lib/modules; merged-usr trees have them in usr.
    let base = match kernel.modules_dir.starts_with(kernel.root.join("usr")) {
        true => kernel.root.join("usr"),
        false => kernel.root.clone(),
    };
    let text = run(tool("depmod")?
        .arg("-n")
        .arg("-b")
        .arg(base)
        .arg(&kernel.release))?;
    let mut found = Depmod::default();
    for line in text.lines() {
        if let Some(alias) = line.strip_prefix("alias symbol:") {
            let (symbol, module) = alias.split_once(' ').context("alias line")?;
            found.exporter.insert(symbol.to_owned(), module.to_owned());
            continue;
        }
        match line.split_once(':') {
            Some((module, needs))
                if module.contains(".ko") && !line.starts_with('#') && !line.contains("alias ") =>
            {
                let needs = needs.split_whitespace().map(str::to_owned).collect();
                found.closure.insert(module.to_owned(), needs);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// CRC and exporting module of every symbol, from Module.symvers.
pub fn symvers(kernel: &Kernel) -> Result<BTreeSet<(String, u32, String)>> {
    let path = kernel
        .symvers
        .as_ref()
        .context("the kernel has no Module.symvers")?;
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().with_context(|| format!("bad line {line:?}"));
            let crc = u32::from_str_radix(next()?.trim_start_matches("0x"), 16)?;
            Ok((next()?.to_owned(), crc, next()?.to_owned()))
        })
        .collect()
}
