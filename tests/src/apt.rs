//! Turns a suite and an architecture into packages of the Debian archive, through an apt
//! configuration that the host's own package lists never see.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tools::{run, tool};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// apt for one suite and one architecture, with its state in a directory of its own.
pub struct Apt {
    dir: PathBuf,
    suite: String,
    arch: String,
}

/// What the archive says about one package.
#[derive(Debug, Clone)]
pub struct Control {
    /// Package name.
    pub name: String,
    /// Version of the candidate.
    pub version: String,
    /// Names in `Depends`, the first of each group of alternatives.
    pub depends: Vec<String>,
}

impl Apt {
    /// Writes a private configuration into `dir` and fetches the package list of the suite.
    pub fn new(dir: &Path, suite: &str, arch: &str) -> Result<Apt> {
        Apt::with(
            dir,
            suite,
            arch,
            &format!("deb [arch={arch} target=Packages signed-by={KEYRING}]"),
        )
    }

    /// [`Apt::new`] for source packages alone.
    pub fn sources(dir: &Path, suite: &str) -> Result<Apt> {
        Apt::with(
            dir,
            suite,
            "amd64",
            &format!("deb-src [signed-by={KEYRING}]"),
        )
    }

    fn with(dir: &Path, suite: &str, arch: &str, kind: &str) -> Result<Apt> {
        let dir = std::path::absolute(dir)?;
        for part in ["state/lists/partial", "cache/archives/partial", "parts"] {
            let part = dir.join(part);
            fs::create_dir_all(&part).with_context(|| format!("create {}", part.display()))?;
        }
        let mirror = mirror()?;
        let source = format!("{kind} {mirror} {suite} main\n");
        fs::write(dir.join("sources.list"), source)?;
        fs::write(dir.join("state/status"), "")?;
        fs::write(dir.join("apt.conf"), configuration(&dir, arch))?;
        let apt = Apt {
            dir,
            suite: suite.to_owned(),
            arch: arch.to_owned(),
        };
        run(apt.command("apt-get")?.arg("update"))
            .with_context(|| format!("package lists of {suite}/{arch}"))?;
        Ok(apt)
    }

    /// All package names that start with `prefix`.
    pub fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let out = run(self.command("apt-cache")?.args(["pkgnames", prefix]))?;
        Ok(out.lines().map(str::to_owned).collect())
    }

    /// The candidate of each package.
    pub fn show(&self, names: &[String]) -> Result<Vec<Control>> {
        let out = run(self
            .command("apt-cache")?
            .args(["show", "--no-all-versions"])
            .args(names))
        .with_context(|| {
            format!(
                "{}/{} has not all of: {}",
                self.suite,
                self.arch,
                names.join(" ")
            )
        })?;
        out.split("\n\n")
            .filter(|p| !p.trim().is_empty())
            .map(control)
            .collect()
    }

    /// `names` and, through `Depends`, all `linux-*` packages of the same release.
    pub fn release_closure(&self, names: &[String]) -> Result<BTreeSet<String>> {
        let mut found: BTreeMap<String, Control> = BTreeMap::new();
        let mut ask: Vec<String> = names.to_vec();
        let mut version: Option<String> = None;
        while !ask.is_empty() {
            let mut next = BTreeSet::new();
            for package in self.show(&ask)? {
                let release = version.get_or_insert_with(|| package.version.clone());
                if *release == package.version {
                    next.extend(
                        package
                            .depends
                            .iter()
                            .filter(|d| d.starts_with("linux-"))
                            .cloned(),
                    );
                    found.insert(package.name.clone(), package);
                }
            }
            let providers = self.names("linux-")?;
            let known: BTreeSet<&str> = providers.iter().map(String::as_str).collect();
            ask = next
                .into_iter()
                .filter(|n| !found.contains_key(n) && known.contains(n.as_str()))
                .collect();
        }
        Ok(found.into_keys().collect())
    }

    /// Downloads the packages and unpacks them over each other into `root`.
    pub fn unpack(&self, names: &BTreeSet<String>, root: &Path) -> Result<()> {
        let debs = self.dir.join("debs");
        fs::create_dir_all(&debs)?;
        run(self
            .command("apt-get")?
            .arg("download")
            .args(names)
            .current_dir(&debs))?;
        let mut files: Vec<PathBuf> = fs::read_dir(&debs)?
            .map(|e| e.map(|e| e.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        if files.len() != names.len() {
            bail!(
                "{}: {} packages asked for, {} files came",
                debs.display(),
                names.len(),
                files.len()
            );
        }
        for file in files {
            run(tool("dpkg-deb")?.arg("-x").arg(&file).arg(root))?;
            fs::remove_file(&file)?;
        }
        Ok(())
    }

    /// Downloads what a source package has from upstream, and gives the archive's path.
    pub fn upstream_source(&self, name: &str, to: &Path) -> Result<PathBuf> {
        run(self
            .command("apt-get")?
            .args(["source", "--download-only", "--tar-only", name])
            .current_dir(to))?;
        let entries = fs::read_dir(to).with_context(|| format!("read {}", to.display()))?;
        let mut archives = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().contains(".orig.tar."));
        archives
            .next()
            .with_context(|| format!("{}: no archive of {name}", to.display()))
    }

    fn command(&self, program: &str) -> Result<Command> {
        let mut command = tool(program)?;
        command.arg("-q").arg("-c").arg(self.dir.join("apt.conf"));
        Ok(command)
    }
}

/// The Debian mirror the host itself uses.
pub fn mirror() -> Result<String> {
    let format = "$(REPO_URI)|$(RELEASE)|$(LABEL)";
    let out =
        run(tool("apt-get")?.args(["indextargets", "--format", format, "Created-By: Packages"]))?;
    let rows: Vec<Vec<&str>> = out.lines().map(|l| l.split('|').collect()).collect();
    let column = |row: &Vec<&str>, n: usize| row.get(n).copied().unwrap_or_default().to_owned();
    let labelled = rows.iter().find(|row| column(row, 2) == "Debian");
    let by_path = || {
        rows.iter()
            .find(|row| column(row, 0).trim_end_matches('/').ends_with("/debian"))
    };
    match labelled.or_else(by_path) {
        Some(row) => Ok(column(row, 0)),
        None => {
            bail!("apt-get indextargets shows no Debian mirror among the host's sources:\n{out}")
        }
    }
}

fn configuration(dir: &Path, arch: &str) -> String {
    let dir = dir.display();
    format!(
        r#"#clear APT::Architectures;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Dir::State "{dir}/state";
Dir::State::lists "{dir}/state/lists";
Dir::State::status "{dir}/state/status";
Dir::Cache "{dir}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::sourcelist "{dir}/sources.list";
Dir::Etc::sourceparts "{dir}/parts";
Dir::Etc::preferences "{dir}/preferences";
Dir::Etc::preferencesparts "{dir}/parts";
"#
    )
}

fn control(paragraph: &str) -> Result<Control> {
    let field = |name: &str| {
        paragraph
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))
            .map(|v| v.trim().to_owned())
    };
    let first_name = |group: &str| {
        group
            .split(['|', '(', ':'])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    Ok(Control {
        name: field("Package").with_context(|| format!("no Package field in: {paragraph}"))?,
        version: field("Version").with_context(|| format!("no Version field in: {paragraph}"))?,
        depends: field("Depends")
            .unwrap_or_default()
            .split(',')
            .map(first_name)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_give_first_alternatives() -> Result<()> {
        let c = control("Package: a\nVersion: 1\nDepends: linux-b (= 1), x | y, z:any (>= 2)\n")?;
        assert_eq!(c.depends, ["linux-b", "x", "z"]);
        Ok(())
    }
}
