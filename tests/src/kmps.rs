//! Turns names of modules into packages with real modules of a kernel, nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::kernel::walk;
use crate::tools::{need, run, tool};

/// A package with files.
#[derive(Debug, Clone)]
pub struct Kmp {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Where each file goes, and what it is a copy of.
    pub files: Vec<(String, PathBuf)>,
    /// Files it owns without having them.
    pub ghosts: Vec<String>,
    /// What it comes after and goes before.
    pub order_with: Option<String>,
    /// What rpm runs in itself when files of all packages are there, in Lua.
    pub posttrans: Option<String>,
}

impl Kmp {
    /// A package with nothing in it.
    pub fn empty(name: &str) -> Kmp {
        Kmp {
            name: name.to_owned(),
            version: 1,
            files: Vec::new(),
            ghosts: Vec::new(),
            order_with: None,
            posttrans: None,
        }
    }

    /// A package with one file.
    pub fn new(name: &str, version: u32, path: &str, copy_of: &Path) -> Kmp {
        Kmp {
            version,
            files: vec![(path.to_owned(), copy_of.to_owned())],
            ..Kmp::empty(name)
        }
    }
}

/// Builds packages, no two of one name, into `into`, and gives their paths in the same order.
pub fn build(kmps: &[Kmp], into: &Path) -> Result<Vec<PathBuf>> {
    need(&["rpmbuild"])?;
    let work = tempfile::tempdir().context("temporary directory")?;
    let spec = work.path().join("kmps.spec");
    fs::write(&spec, text(kmps)?).with_context(|| spec.display().to_string())?;
    let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
    let mut rpmbuild = tool("rpmbuild")?;
    rpmbuild
        .args(["-bb", "--quiet"])
        .args(define("_topdir", &work.path().display().to_string()))
        .args(define("_rpmdir", &into.display().to_string()))
        .args(define("_binary_payload", "w1.zstdio"))
        .args(define("_rpmfilename", "%%{NAME}-%%{VERSION}.rpm"))
        .args(define("__os_install_post", "%{nil}"))
        .args(define("debug_package", "%{nil}"));
    run(rpmbuild.arg(&spec))?;
    let mut found = Vec::new();
    walk(into, &mut found)?;
    let path = |kmp: &Kmp| {
        let path = into.join(format!("{}-{}.rpm", kmp.name, kmp.version));
        found
            .contains(&path)
            .then_some(path)
            .with_context(|| format!("no package {}", kmp.name))
    };
    kmps.iter().map(path).collect()
}

fn text(kmps: &[Kmp]) -> Result<String> {
    let mut spec = "Name: kmps\nVersion: 0\nRelease: 0\nSummary: x\nLicense: x\n\
                    %description\nx\n"
        .to_owned();
    let mut install = "%install\n".to_owned();
    for kmp in kmps {
        let Kmp { name, version, .. } = kmp;
        let order = kmp.order_with.iter();
        let order: String = order
            .map(|other| format!("OrderWithRequires: {other}\n"))
            .collect();
        writeln!(
            spec,
            "%package -n {name}\nSummary: x\nVersion: {version}\nAutoReqProv: no\n{order}\
             %description -n {name}\nx\n%files -n {name}"
        )?;
        let mut directories = BTreeSet::new();
        for (path, _) in &kmp.files {
            let above = Path::new(path).ancestors().skip(1);
            directories.extend(above.take_while(|path| !path.ends_with("modules")));
        }
        // As packages of modules do: the last one to go takes them along.
        for path in directories.iter().filter(|path| path.parent().is_some()) {
            writeln!(spec, "%dir {}", path.display())?;
        }
        for (path, from) in &kmp.files {
            writeln!(spec, "{path}")?;
            writeln!(
                install,
                "install -D -m 0644 {} %{{buildroot}}{path}",
                from.display()
            )?;
        }
        for path in &kmp.ghosts {
            writeln!(spec, "%ghost {path}")?;
            writeln!(
                install,
                "mkdir -p $(dirname %{{buildroot}}{path}); touch %{{buildroot}}{path}"
            )?;
        }
        if let Some(lua) = &kmp.posttrans {
            writeln!(spec, "%posttrans -n {name} -p <lua>\n{lua}")?;
        }
    }
    Ok(spec + &install)
}
