//! Checks how the redhat dialect tells the kernel's symbols from those of other modules.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::generate::{answer, tags};
use kmpkit_tests::{Kernel, cache_dir};

use super::with_modinfo;

/// Out-of-tree modules of the redhat dialect need the kernel's symvers to tell whose a symbol is.
#[test]
fn redhat_tells_kernel_symbols_from_others() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let out_of_tree = with_modinfo(directory.path(), &|text| {
        text.replace("intree=Y\0", "").replace("6.1.0-", "5.1.0-")
    })?;

    let files = [out_of_tree];
    let without = answer("ksym-requires", &["--dialect", "redhat"], &files)?;
    let said = String::from_utf8_lossy(&without.stderr);
    ensure!(
        !without.status.success() && said.contains("Module.symvers is not installed"),
        "{said}"
    );
    let symvers = kernel.symvers.context("no symvers")?;
    let kept = directory.path().join("Module.symvers");
    let lines = fs::read_to_string(&symvers)?;
    let lines: String = lines
        .lines()
        .filter(|line| !line.contains("\txhci_"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&kept, lines)?;
    let kept = kept.display().to_string();
    let found = tags(
        "ksym-requires",
        &["--dialect", "redhat", "--symvers", &kept],
        &files,
    )?;
    for tag in found.values().flatten() {
        let foreign = tag.contains("(xhci_");
        ensure!(
            tag.starts_with(if foreign { "ksym(" } else { "kernel(" }),
            "{tag}"
        );
        let crc = tag.split(" = 0x").nth(1).context("no CRC")?;
        ensure!(crc.len() == 8, "{tag}");
    }
    ensure!(
        found
            .values()
            .flatten()
            .any(|tag| tag.starts_with("ksym(xhci_"))
    );
    Ok(())
}

/// The symvers file of another kernel would give requirements that nothing provides.
#[test]
fn symvers_of_another_kernel_are_refused() -> Result<()> {
    let kernels = Kernel::all_in_archive("bookworm", "amd64", &cache_dir())?;
    let [other, .., kernel] = &kernels[..] else {
        anyhow::bail!("bookworm has one build only");
    };
    let directory = tempfile::tempdir()?;
    let out_of_tree = with_modinfo(directory.path(), &|text| text.replace("intree=Y\0", ""))?;
    let symvers = other.symvers.as_ref().context("no symvers")?;
    let nameless = directory.path().join("Module.symvers");
    fs::copy(symvers, &nameless)?;
    for (symvers, of) in [
        (symvers, other.release.as_str()),
        (&nameless, "another kernel"),
    ] {
        let symvers = symvers.display().to_string();
        let options = ["--dialect", "redhat", "--symvers", &symvers];
        let output = answer(
            "ksym-requires",
            &options,
            std::slice::from_ref(&out_of_tree),
        )?;
        let said = String::from_utf8_lossy(&output.stderr);
        let wanted = format!("built for {}, but {symvers} is of {of}", kernel.release);
        ensure!(!output.status.success() && said.contains(&wanted), "{said}");
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(!printed.contains("ksym("), "{printed}");
    }
    Ok(())
}

/// The symbols that a symvers file has of a module.
fn exports_of(symvers: &Path, module: &str) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(symvers)?;
    let fields = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let of_module = fields.filter(|fields| fields.get(2) == Some(&module));
    Ok(of_module
        .filter_map(|fields| fields.get(1).map(ToString::to_string))
        .collect())
}

/// Another module out of tree exports the symbols of xhci-hcd with the same CRCs. modpost took them
/// from there, and says so.
#[test]
fn depends_tells_whose_a_symbol_of_two_modules_is() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let out_of_tree = with_modinfo(directory.path(), &|text| {
        let text = text.replace("intree=Y\0", "");
        text.replace("xhci-hcd", "xhci-new")
    })?;
    let symvers = kernel.symvers.context("no symvers")?;
    let of_xhci = exports_of(&symvers, "drivers/usb/host/xhci-hcd")?;
    let symvers = symvers.display().to_string();
    let options = ["--dialect", "redhat", "--symvers", &symvers];
    let found = tags("ksym-requires", &options, &[out_of_tree])?;
    let (mut foreign, mut own) = (0, 0);
    for tag in found.values().flatten() {
        let symbol = tag.split(['(', ')']).nth(1).context("no symbol")?;
        let is_foreign = of_xhci.contains(symbol);
        ensure!(tag.starts_with("ksym(") == is_foreign, "{tag}");
        *if is_foreign { &mut foreign } else { &mut own } += 1;
    }
    // Those of usbcore, which depends= names, and of the image stay the kernel's.
    ensure!(
        foreign > 0 && own > 5,
        "{foreign} of xhci-hcd, {own} others"
    );
    Ok(())
}
