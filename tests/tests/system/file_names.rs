//! Holds the names of files that rpm's macros and Lua know equal to the tables of kmodule.
//!
//! rpm itself matches the expressions: a package with an empty file of each name is built with file
//! attributes that print the path of each file they match.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kmodule::{COMPRESSION_SUFFIXES, IMAGE_NAMES, MODULE_SUFFIX, SYMVERS_NAMES, module_name};
use kmpkit_tests::differ;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::vendor::VendorPackage;
use tagging::file_sets;

/// Directories that no generator is about, beside those of the file sets.
const OTHER_DIRECTORIES: [&str; 4] = [
    "/opt/lib/modules/6.1",
    "/usr/boot",
    "/lib/modules-6.1/6.1",
    "/usr/src/linux-headers-6.1",
];

/// Names that only look like those of kernels.
const NEAR_MISSES: [&str; 7] = [
    "vmlinu",
    "xvmlinuz",
    "bImage",
    "System.map",
    "config",
    "modules.builtin",
    "symversx",
];

/// What may follow a name.
const ENDINGS: [&str; 6] = ["", "-6.1-x", "-", ".old", "-6.1.hmac", "x"];

/// Suffixes that no table has.
const OTHER_SUFFIXES: [&str; 4] = [".lz4", ".gzx", "xz", ".debug"];

/// Names of modules without suffix, and what only looks like one.
const MODULES: [&str; 5] = ["xhci-pci", "a.ko.b", "a.komodo", "", "."];

/// The directories of all file sets, some below them, and others.
fn directories() -> BTreeSet<String> {
    let locations = file_sets().into_iter().flat_map(|set| set.locations);
    let own = locations.flat_map(|location| location.directories());
    let own = own.flat_map(|directory| {
        ["", "/6.1", "/6.1/kernel/fs"].map(|below| format!("/{}{below}", directory.display()))
    });
    own.chain(OTHER_DIRECTORIES.map(str::to_owned)).collect()
}

/// A file of each name in each directory.
fn paths() -> BTreeSet<String> {
    let kernels = IMAGE_NAMES.iter().chain(&SYMVERS_NAMES);
    let kernels = kernels.chain(&NEAR_MISSES);
    let kernels = kernels.flat_map(|name| ENDINGS.map(|ending| format!("{name}{ending}")));
    let modules = MODULES.map(|name| format!("{name}{MODULE_SUFFIX}"));
    let names: Vec<_> = kernels.chain(modules).collect();
    let suffixes: Vec<_> = COMPRESSION_SUFFIXES
        .into_iter()
        .chain(OTHER_SUFFIXES)
        .chain([""])
        .collect();
    let mut paths = BTreeSet::new();
    for directory in directories() {
        for name in &names {
            let files = suffixes.iter().map(|suffix| format!("{name}{suffix}"));
            paths.extend(files.map(|file| format!("{directory}/{file}")));
        }
    }
    paths
}

/// The paths that each of some macros matches, by rpm's own matching.
fn matched(rpm: &Rpm, macros: &[String]) -> Result<Vec<BTreeSet<String>>> {
    let config = tempfile::tempdir()?;
    let rpm = rpm.with_copied_config(&config.path().join("rpm"))?;
    let attrs = config.path().join("rpm/fileattrs");
    fs::remove_dir_all(&attrs)?;
    fs::create_dir(&attrs)?;
    for (number, name) in macros.iter().enumerate() {
        let print = format!(
            "%{{lua:print(\"matches({number}:\" .. arg[1]:sub(#rpm.expand(\"%{{buildroot}}\") + 1) .. \")\")}}"
        );
        let text =
            format!("%__probe{number}_path\t%{{{name}}}\n%__probe{number}_provides()\t{print}\n");
        fs::write(attrs.join(format!("probe{number}.attr")), text)?;
    }
    let package = VendorPackage::new()?;
    for path in paths() {
        package.file(&path, b"")?;
    }
    let built = package.build(&rpm, &[])?;
    let provides = rpm.dependencies(&built, "PROVIDE")?;
    let of = |number: usize| {
        let start = format!("matches({number}:");
        let paths = provides.iter().filter_map(|tag| tag.strip_prefix(&start));
        paths
            .filter_map(|path| path.strip_suffix(')'))
            .map(str::to_owned)
            .collect()
    };
    Ok((0..macros.len()).map(of).collect())
}

fn macros_are_the_tables(rpm: &Rpm) -> Result<()> {
    let sets = file_sets();
    let mut macros: Vec<_> = sets
        .iter()
        .map(|set| format!("__kmpkit_{}_path", set.name))
        .collect();
    macros.extend(["__kmpkit_tagged_path", "__kmpkit_coarse_path"].map(str::to_owned));
    let matched = matched(rpm, &macros)?;
    let [of_sets @ .., tagged, coarse] = matched.as_slice() else {
        anyhow::bail!("no answer");
    };
    let mut all = BTreeSet::new();
    // rpm asks about directories too.
    let only_files = |found: &BTreeSet<String>| found.intersection(&paths()).cloned().collect();
    for (set, found) in sets.iter().zip(of_sets) {
        let has = |path: &String| set.has(Path::new(path.trim_start_matches('/')));
        let wanted: BTreeSet<_> = paths().into_iter().filter(has).collect();
        ensure!(wanted.len() > 20, "{} {} paths", wanted.len(), set.name);
        differ::sets(set.name, &only_files(found), &wanted)?;
        all.extend(wanted);
    }
    differ::sets("all sets", &only_files(tagged), &all)?;
    let missed: Vec<_> = all.difference(coarse).collect();
    ensure!(missed.is_empty(), "the coarse expression misses {missed:?}");
    Ok(())
}

#[test]
fn macros_are_the_tables_with_the_hosts_rpm() -> Result<()> {
    macros_are_the_tables(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn macros_are_the_tables_with_other_rpms() -> Result<()> {
    macros_are_the_tables(&Rpm::suite("trixie")?)?;
    macros_are_the_tables(&Rpm::suite("sid")?)
}

/// `rpm --eval` with kmpkit installed.
fn eval(defines: &[(&str, &str)], text: &str) -> Result<String> {
    let mut rpm = tool("rpm")?;
    rpm.env("RPM_CONFIGDIR", Stage::get()?.rpm_config());
    for (name, value) in defines {
        rpm.args(["--define", &format!("{name} {value}")]);
    }
    run(rpm.args(["--eval", text]))
}

/// rpm's Lua asks grep about files that no tag cache has.
#[test]
fn grep_matches_what_rpm_matches() -> Result<()> {
    let expression = eval(&[], "%{__kmpkit_tagged_path}")?;
    let directory = tempfile::tempdir()?;
    let list = directory.path().join("paths");
    let text: String = paths().iter().map(|path| format!("{path}\n")).collect();
    fs::write(&list, text)?;
    let mut grep = Command::new("grep");
    grep.args(["-E", "-e", expression.trim_end()]).arg(&list);
    let found: BTreeSet<_> = run(&mut grep)?.lines().map(str::to_owned).collect();
    let is_tagged = |path: &String| {
        let path = Path::new(path.trim_start_matches('/'));
        file_sets().iter().any(|set| set.has(path))
    };
    let wanted = paths().into_iter().filter(is_tagged).collect();
    differ::sets("grep -E", &found, &wanted)
}

/// The name of a module in Lua is that of kmodule.
#[test]
fn lua_names_modules_as_the_tables_do() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let list = directory.path().join("paths");
    let modules = file_sets().into_iter().find(|set| set.name == "module");
    let modules = modules.context("no set of modules")?;
    let is_module = |path: &String| modules.has(Path::new(path.trim_start_matches('/')));
    let paths: Vec<_> = paths().into_iter().filter(is_module).collect();
    fs::write(&list, paths.join("\n"))?;
    let script = format!(
        "%{{lua:for path in io.lines(\"{}\") do require(\"kmpkit_neighbours\").module_name(path); print(\"\\n\") end}}",
        list.display()
    );
    // As in a package with a generator of its own for symbols.
    let own = [
        ("__provided_ksyms_path", "x"),
        ("__provided_ksyms_provides", "x"),
    ];
    let text = eval(&own, &script)?;
    let found: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    let name = |path: &String| {
        let name = module_name(Path::new(path)).unwrap_or_default();
        format!("kmod({}{MODULE_SUFFIX})", String::from_utf8_lossy(name))
    };
    let wanted: Vec<_> = paths.iter().map(name).collect();
    ensure!(found == wanted, "{found:?}\ninstead of\n{wanted:?}");
    Ok(())
}
