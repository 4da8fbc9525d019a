//! Turns whole kernels into the question whether the generators say what others say: symvers,
//! modinfo, modprobe, depmod and goblin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_fixtures::goblin_reader;
use kmpkit_tests::generate::{TagsByFile, tags};
use kmpkit_tests::kmod_tools::{depmod, modinfo, modversions, symvers};
use kmpkit_tests::{Kernel, cache_dir, differ};

#[test]
fn bookworm() -> Result<()> {
    check("bookworm", "amd64")
}

#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    check("trixie", "amd64")
}

/// Its kernel has no modversions.
#[test]
#[ignore = "test-all"]
fn sid() -> Result<()> {
    check("sid", "amd64")
}

#[test]
#[ignore = "test-all"]
fn big_endian_s390x() -> Result<()> {
    check("bookworm", "s390x")
}

#[test]
#[ignore = "test-all"]
fn ppc64el() -> Result<()> {
    check("bookworm", "ppc64el")
}

#[test]
#[ignore = "test-all"]
fn i386_32_bit() -> Result<()> {
    check("bookworm", "i386")
}

#[test]
#[ignore = "test-all"]
fn armhf_32_bit() -> Result<()> {
    check("bookworm", "armhf")
}

fn check(suite: &str, arch: &str) -> Result<()> {
    let kernel = Kernel::from_archive(suite, arch, &cache_dir())?;
    let facts = Oracle::read(&kernel)?;
    let counts = [
        ("exports of modules", exports(&kernel, &facts)?),
        ("exports of the kernel", kernel_exports(&kernel, &facts)?),
        ("imports", imports(&facts)?),
        ("aliases with a colon", aliases(&facts)?),
        ("aliases in the redhat dialect", redhat_aliases(&facts)?),
        ("dependencies", dependencies(&kernel, &facts)?),
        ("soft and weak dependencies", soft_dependencies(&facts)?),
        ("facts by goblin", by_goblin(&facts)?),
    ];
    println!(
        "{suite} {arch} {}, {} modules",
        kernel.release,
        facts.modules.len()
    );
    for (what, count) in counts {
        println!("  {count:>7} {what}");
    }
    Ok(())
}

/// What others say of a kernel, and what the generators do.
struct Oracle {
    modules: Vec<PathBuf>,
    flavor: String,
    modversions: bool,
    modinfo: BTreeMap<PathBuf, BTreeMap<String, Vec<String>>>,
    symvers: BTreeSet<(String, u32, String)>,
    provides: TagsByFile,
    requires: TagsByFile,
}

impl Oracle {
    fn read(kernel: &Kernel) -> Result<Self> {
        let modules = kernel.modules()?;
        let symvers = symvers(kernel)?;
        Ok(Self {
            flavor: kernel
                .release
                .rsplit('-')
                .next()
                .unwrap_or_default()
                .to_owned(),
            modversions: symvers.iter().any(|(_, crc, _)| *crc != 0),
            modinfo: modinfo(&modules)?,
            provides: tags("ksym-provides", &[], &modules)?,
            requires: tags("ksym-requires", &[], &modules)?,
            symvers,
            modules,
        })
    }

    /// Symbol and CRC of a `ksym(<flavor>:<symbol>) = <crc>`.
    fn symbol<'t>(&self, tag: &'t str) -> Option<(&'t str, u32)> {
        let tag = tag
            .strip_prefix("ksym(")?
            .strip_prefix(&self.flavor)?
            .strip_prefix(':')?;
        let (symbol, crc) = tag.split_once(") = ")?;
        Some((symbol, u32::from_str_radix(crc, 16).ok()?))
    }

    fn symbols<'t>(&self, tags: &'t BTreeSet<String>) -> BTreeMap<&'t str, u32> {
        tags.iter().filter_map(|tag| self.symbol(tag)).collect()
    }

    fn values(&self, module: &Path, key: &str) -> impl Iterator<Item = &str> {
        let fields = self.modinfo.get(module).and_then(|fields| fields.get(key));
        fields.into_iter().flatten().map(String::as_str)
    }
}

/// The file's name without `.ko` and compression, as kmod writes it.
fn kmod_name(module: &Path) -> String {
    let file = module.file_name().unwrap_or_default().to_string_lossy();
    file.split(".ko")
        .next()
        .unwrap_or_default()
        .replace('-', "_")
}

fn exports(kernel: &Kernel, facts: &Oracle) -> Result<usize> {
    let mut ours = BTreeSet::new();
    for (module, tags) in &facts.provides {
        let path = module
            .strip_prefix(kernel.modules_dir.join("kernel"))?
            .to_string_lossy();
        let path = path.split(".ko").next().unwrap_or_default().to_owned();
        for (symbol, crc) in facts.symbols(tags) {
            ours.insert((symbol.to_owned(), crc, path.clone()));
        }
        ensure!(
            tags.contains(&format!("kmod({}.ko)", kmod_name(module))),
            "{module:?}: no kmod()"
        );
    }
    let theirs = facts
        .symvers
        .iter()
        .filter(|(_, _, module)| module != "vmlinux" && facts.modversions)
        .cloned()
        .collect();
    differ::sets("exports of modules and Module.symvers", &ours, &theirs)?;
    Ok(ours.len())
}

/// From symvers, and from an image that has no symvers beside it.
fn kernel_exports(kernel: &Kernel, facts: &Oracle) -> Result<usize> {
    let theirs: BTreeSet<(String, u32)> = facts
        .symvers
        .iter()
        .filter(|(_, _, module)| module == "vmlinux" && facts.modversions)
        .map(|(symbol, crc, _)| (symbol.clone(), *crc))
        .collect();
    let alone = tempfile::tempdir()?;
    let image = alone.path().join("vmlinuz");
    std::fs::copy(&kernel.vmlinuz, &image)?;
    let mut sources = vec![kernel.symvers.clone().context("no symvers")?];
    if kernel.arch == "amd64" || kernel.arch == "i386" {
        sources.push(image);
    }
    for source in sources {
        let tags = tags("ksym-provides", &[], std::slice::from_ref(&source))?;
        let tags = tags.get(&source).context("no tags")?;
        let ours = facts
            .symbols(tags)
            .into_iter()
            .map(|(symbol, crc)| (symbol.to_owned(), crc));
        let name = format!("exports of {} and Module.symvers", source.display());
        differ::sets(&name, &ours.collect(), &theirs)?;
        let release = format!("kernel-release({})", kernel.release);
        ensure!(
            tags.contains(&release),
            "{}: no {release}",
            source.display()
        );
    }
    Ok(theirs.len())
}

fn imports(facts: &Oracle) -> Result<usize> {
    let mut count = 0;
    for (module, tags) in &facts.requires {
        if !facts.modversions {
            ensure!(
                tags.len() == 1 && tags.iter().all(|tag| tag.starts_with("kernel-")),
                "{module:?}: {tags:?}"
            );
            continue;
        }
        let theirs = modversions(module)?;
        let ours = facts
            .symbols(tags)
            .into_iter()
            .map(|(symbol, crc)| (symbol.to_owned(), crc));
        differ::maps(&module.display().to_string(), &ours.collect(), &theirs)?;
        ensure!(
            tags.len() == theirs.len(),
            "{module:?}: tags that are no symbols"
        );
        count += theirs.len();
    }
    Ok(count)
}

fn aliases(facts: &Oracle) -> Result<usize> {
    let mut count = 0;
    let prefix = format!("modalias(kernel-{}:", facts.flavor);
    for (module, tags) in tags("modalias-supplements", &[], &facts.modules)? {
        let mut ours = BTreeSet::new();
        for tag in &tags {
            let pattern = tag
                .strip_prefix(&prefix)
                .and_then(|tag| tag.strip_suffix(')'));
            let pattern = pattern.with_context(|| format!("{module:?}: {tag}"))?;
            ensure!(tag.len() < 1024, "{module:?}: libsolv ignores {tag}");
            for alias in patterns(pattern) {
                ensure!(ours.insert(alias.clone()), "{module:?}: {alias} twice");
            }
        }
        let theirs: BTreeSet<String> = facts
            .values(&module, "alias")
            .filter(|alias| alias.contains(':'))
            .map(str::to_owned)
            .collect();
        differ::sets(&module.display().to_string(), &ours, &theirs)?;
        count += theirs.len();
    }
    Ok(count)
}

/// All aliases; what is not in Fedora's set of characters is an underscore.
fn redhat_aliases(facts: &Oracle) -> Result<usize> {
    let mut count = 0;
    for (module, tags) in tags(
        "modalias-supplements",
        &["--dialect", "redhat"],
        &facts.modules,
    )? {
        let version = facts.values(&module, "version").next().map(|version| {
            let keep = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
            version.replace(|c| !keep(c), "_")
        });
        let end = version.map_or(")".to_owned(), |version| format!(") = {version}"));
        let mut ours = BTreeSet::new();
        for tag in &tags {
            let pattern = tag
                .strip_prefix("modalias(")
                .and_then(|tag| tag.strip_suffix(&end));
            let pattern = pattern.with_context(|| format!("{module:?}: {tag}, not {end}"))?;
            ours.extend(expanded(pattern));
        }
        let keep = |c: char| c.is_ascii_alphanumeric() || "][._:*?/-".contains(c);
        let theirs: BTreeSet<String> = facts
            .values(&module, "alias")
            .flat_map(|alias| expanded(&alias.replace(|c| !keep(c), "_")))
            .collect();
        differ::sets(&module.display().to_string(), &ours, &theirs)?;
        count += theirs.len();
    }
    Ok(count)
}

/// What a pattern stands for: one for each character in its brackets, from left to right.
fn expanded(pattern: &str) -> Vec<String> {
    let parts = pattern.split_once('[').and_then(|(head, rest)| {
        let (set, tail) = rest.split_once(']')?;
        Some((head, set, tail))
    });
    if let Some((head, set, tail)) = parts {
        let tails = expanded(tail);
        let each = set
            .chars()
            .flat_map(|c| tails.iter().map(move |tail| format!("{head}{c}{tail}")));
        return each.collect();
    }
    vec![pattern.to_owned()]
}

/// The aliases a pattern stands for: brackets first, then `%XX`.
fn patterns(pattern: &str) -> Vec<String> {
    expanded(pattern)
        .iter()
        .map(|alias| unescaped(alias))
        .collect()
}

fn unescaped(pattern: &str) -> String {
    let mut parts = pattern.split('%');
    let mut alias = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        alias.extend(u8::from_str_radix(code, 16).map(char::from));
        alias.push_str(rest);
    }
    alias
}

/// Direct dependencies against the exporters of the symbols a module uses, and all that follow from
/// them against modules.dep.
fn dependencies(kernel: &Kernel, facts: &Oracle) -> Result<usize> {
    let theirs = depmod(kernel)?;
    let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut count = 0;
    for (module, tags) in tags("depmod-requires", &[], &facts.modules)? {
        let ours: BTreeSet<String> = tags
            .iter()
            .map(|tag| {
                let name = tag
                    .strip_prefix("kmod(")
                    .and_then(|tag| tag.strip_suffix(".ko)"));
                name.map(str::to_owned)
                    .with_context(|| format!("{module:?}: {tag}"))
            })
            .collect::<Result<_>>()?;
        let read = goblin_reader::facts_of_file(&module).map_err(anyhow::Error::msg)?;
        let exporters: BTreeSet<String> = read
            .undefined
            .iter()
            .filter_map(|symbol| theirs.exporter.get(symbol.trim_start_matches('.')))
            .cloned()
            .collect();
        differ::sets(
            &format!("{} and the exporters of its symbols", module.display()),
            &ours,
            &exporters,
        )?;
        count += ours.len();
        direct.insert(kmod_name(&module), ours);
    }
    for (module, needs) in &theirs.closure {
        let needs = needs
            .iter()
            .map(|path| kmod_name(Path::new(path)))
            .collect();
        let ours = reach(&direct, &kmod_name(Path::new(module)));
        differ::sets(&format!("{module} and modules.dep"), &ours, &needs)?;
    }
    ensure!(
        theirs.closure.len() == facts.modules.len(),
        "depmod lists {}",
        theirs.closure.len()
    );
    Ok(count)
}

fn reach(direct: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(module) = open.pop() {
        for next in direct.get(&module).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

fn soft_dependencies(facts: &Oracle) -> Result<usize> {
    let mut count = 0;
    for (option, key) in [("--recommends", "softdep"), ("--suggests", "weakdep")] {
        for (module, ours) in tags("depmod-requires", &[option], &facts.modules)? {
            let theirs = facts
                .values(&module, key)
                .flat_map(str::split_whitespace)
                .filter(|word| !word.ends_with(':'))
                .map(|name| name.replace('-', "_"))
                .map(|name| format!("(kmod({name}.ko) or kmod-alias({name}))"))
                .collect();
            differ::sets(&format!("{} {key}", module.display()), &ours, &theirs)?;
            count += theirs.len();
        }
    }
    Ok(count)
}

fn by_goblin(facts: &Oracle) -> Result<usize> {
    let mut count = 0;
    for module in &facts.modules {
        let read = goblin_reader::facts_of_file(module).map_err(anyhow::Error::msg)?;
        for (tags, theirs) in [
            (&facts.provides, &read.exports),
            (&facts.requires, &read.imports),
        ] {
            let tags = tags.get(module).with_context(|| format!("{module:?}"))?;
            let ours = facts
                .symbols(tags)
                .into_iter()
                .map(|(symbol, crc)| (symbol.to_owned(), crc));
            differ::maps(&module.display().to_string(), &ours.collect(), theirs)?;
            count += theirs.len();
        }
    }
    Ok(count)
}
