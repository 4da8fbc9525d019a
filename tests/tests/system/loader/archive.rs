//! Every module of the archive's kernels, judged.

use anyhow::{Context, Result, bail, ensure};
use kmodule::{Kernelrelease, Module, Signature, SignerId, Symvers};
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::{Kernel, cache_dir};
use loader::{ModuleFacts, ModuleId, Modules, Reading, Scope};
use modtree::{ReleaseDir, read_kernel};

#[test]
fn bookworm() -> Result<()> {
    all_load("bookworm", "amd64")
}

#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    all_load("trixie", "amd64")
}

/// Also the BTF of each is checked, which this kernel insists on.
#[test]
#[ignore = "test-all"]
fn sid() -> Result<()> {
    all_load("sid", "amd64")
}

#[test]
#[ignore = "test-all"]
fn big_endian_s390x() -> Result<()> {
    all_load("bookworm", "s390x")
}

#[test]
#[ignore = "test-all"]
fn armhf_32_bit() -> Result<()> {
    all_load("bookworm", "armhf")
}

#[test]
#[ignore = "test-all"]
fn ppc64el() -> Result<()> {
    all_load("bookworm", "ppc64el")
}

#[test]
#[ignore = "test-all"]
fn i386_32_bit() -> Result<()> {
    all_load("bookworm", "i386")
}

/// Modules of 6.12 beside those of 6.1, in the scope of 6.1.
#[test]
#[ignore = "test-all"]
fn modules_of_another_kernel() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let other = Kernel::from_archive("trixie", "amd64", &cache_dir())?;
    let known = known(&kernel)?;
    let mut modules = Modules::new();
    let own = add(&mut modules, &kernel, Reading::default())?;
    let foreign = add(&mut modules, &other, Reading::default())?;
    let scope = Scope::new(&modules, &known, modules.ids());
    for &module in &own {
        ensure!(scope.verdict(module).loads(), "{}", told(&scope, module));
    }
    let loading = foreign
        .iter()
        .filter(|&&module| scope.verdict(module).loads());
    ensure!(loading.count() == 0, "modules of {} load", other.release);
    println!(
        "{}: {} of its own load, none of {} of {}: {}",
        kernel.release,
        own.len(),
        foreign.len(),
        other.release,
        foreign
            .first()
            .map_or(String::new(), |&module| told(&scope, module))
    );
    Ok(())
}

fn all_load(suite: &str, arch: &str) -> Result<()> {
    let kernel = Kernel::from_archive(suite, arch, &cache_dir())?;
    let known = known(&kernel)?;
    let exports = known.exports.as_ref().context("no exports")?;
    let bases: Vec<_> = known.btf.iter().collect();
    ensure!(bases.len() == usize::from(known.forbids_btf_mismatch()));
    let reading = Reading {
        btf_bases: &bases,
        ..Reading::default()
    };
    let mut modules = Modules::new();
    add(&mut modules, &kernel, reading)?;
    exports_are_those_of_symvers(&kernel, &modules)?;
    let scope = Scope::new(&modules, &known, modules.ids());
    let imports: usize = modules
        .ids()
        .map(|module| modules.imports(module).len())
        .sum();
    let refused: Vec<String> = modules
        .ids()
        .filter(|&module| !scope.verdict(module).loads())
        .map(|module| told(&scope, module))
        .collect();
    ensure!(refused.is_empty(), "{refused:#?}");
    println!(
        "{} {}: {} modules with {imports} imports load, {} exports by {:?}",
        kernel.release,
        kernel.arch,
        modules.ids().len(),
        exports.iter().count(),
        exports.source()
    );
    Ok(())
}

/// CRC, namespace and GPL flag of each export of each module.
fn exports_are_those_of_symvers(kernel: &Kernel, modules: &Modules) -> Result<()> {
    let symvers = Symvers::open(kernel.symvers.as_deref().context("no symvers")?)?;
    let owned = |bytes: &[u8]| bytes.to_vec();
    let mut listed: Vec<_> = symvers
        .entries()
        .filter(|entry| entry.module != b"vmlinux")
        .map(|entry| {
            let namespace = entry.namespace.map(owned);
            (owned(entry.name), entry.crc, namespace, entry.gpl_only)
        })
        .collect();
    let all = modules.ids().flat_map(|module| modules.exports(module));
    let mut found: Vec<_> = all
        .map(|export| {
            let namespace = export.namespace.map(|space| owned(modules.symbol(space)));
            let name = owned(modules.symbol(export.symbol));
            (name, export.crc, namespace, export.gpl_only)
        })
        .collect();
    listed.sort();
    found.sort();
    ensure!(
        found.len() == listed.len(),
        "{} of {}",
        found.len(),
        listed.len()
    );
    let other = std::iter::zip(&found, &listed).find(|(found, listed)| found != listed);
    ensure!(other.is_none(), "{other:?}");
    println!("{} exports of modules as in symvers", found.len());
    Ok(())
}

/// kmod's modinfo names the same keys.
#[test]
fn signers_are_those_of_modinfo() -> Result<()> {
    const SOME: usize = 40;
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let mut reader = kmodule::Reader::new();
    for path in kernel.modules()?.iter().take(SOME) {
        let serial = run(tool("modinfo")?.args(["-F", "sig_key"]).arg(path))?;
        let signature = reader.module(path, |module| module.signature())??;
        let Some(Signature::Pkcs7(signers)) = signature else {
            bail!("{}: {signature:?}", path.display())
        };
        let [SignerId::Certificate { serial: ours, .. }] = &signers[..] else {
            bail!("{}: {signers:?}", path.display())
        };
        let ours: Vec<String> = ours.iter().map(|byte| format!("{byte:02X}")).collect();
        ensure!(serial.trim() == ours.join(":"), "{serial}, {ours:?}");
    }
    Ok(())
}

fn known(kernel: &Kernel) -> Result<loader::Kernel> {
    let (release, directory) = directory(kernel)?;
    Ok(read_kernel(&kernel.root, &directory, &release)?)
}

fn directory(kernel: &Kernel) -> Result<(Kernelrelease, ReleaseDir)> {
    let release = Kernelrelease::try_from(kernel.release.as_bytes())?;
    let directory = ReleaseDir::find(&kernel.root, &release).context("no modules")?;
    Ok((release, directory))
}

fn add(modules: &mut Modules, kernel: &Kernel, reading: Reading<'_>) -> Result<Vec<ModuleId>> {
    let paths = kernel.modules()?;
    let facts = parallel::map_with(&paths, kmodule::Reader::new, |reader, path| {
        let read = |module: &Module<'_>| ModuleFacts::read(module, path, reading);
        reader.module(path, read)?
    })?;
    Ok(facts.into_iter().map(|facts| modules.add(facts)).collect())
}

fn told(scope: &Scope<'_>, module: ModuleId) -> String {
    let name = String::from_utf8_lossy(scope.modules().name(module)).into_owned();
    let verdict = scope.verdict(module);
    let reasons = verdict.reasons.iter();
    let reasons: Vec<String> = reasons
        .map(|reason| scope.describe(module, reason))
        .collect();
    format!("{name}: {}", reasons.join("; "))
}
