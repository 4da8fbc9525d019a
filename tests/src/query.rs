//! Turns built rpms into what rpm shows of them, all in a few queries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::tools::{run, tool};

/// What rpm shows of one package.
#[derive(Debug, Default)]
pub struct Shown {
    /// Name, version and release.
    pub nvr: String,
    /// Dependencies by type (`Provide`, `Require`, …) as rpm prints them, without `rpmlib()`.
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// SHA-256 of each regular file, by path; empty for directories.
    pub files: BTreeMap<String, String>,
    /// Mode, owner, flags of the spec and target of a link, of each file by path.
    pub attributes: BTreeMap<String, String>,
    /// Scriptlets and triggers of every kind.
    pub scripts: Vec<String>,
    /// Entries of the changelog.
    pub changelog: usize,
    /// Summary and description, each line with its end.
    pub text: String,
    /// Licence, address, group, architecture.
    pub about: String,
}

impl Shown {
    /// Name without version and release.
    pub fn name(&self) -> &str {
        let name = self.nvr.rsplitn(3, '-').nth(2);
        name.unwrap_or(&self.nvr)
    }

    /// All of it as lines, to be compared.
    pub fn facts(&self) -> BTreeSet<String> {
        let tags = self.tags.iter();
        let tags =
            tags.flat_map(|(kind, tags)| tags.iter().map(move |tag| format!("{kind}s {tag}")));
        let files = self.attributes.iter().map(|(path, attributes)| {
            let digest = self.files.get(path).map_or("", String::as_str);
            format!("{path} {attributes} {digest}")
        });
        let scripts = self.scripts.iter().map(|script| format!("script {script}"));
        tags.chain(files)
            .chain(scripts)
            .chain([
                self.nvr.clone(),
                format!("{} entries in the changelog", self.changelog),
                self.text.clone(),
                self.about.clone(),
            ])
            .collect()
    }
}

/// The types of dependencies that are shown.
pub const TYPES: [&str; 9] = [
    "Provide",
    "Require",
    "Recommend",
    "Suggest",
    "Supplement",
    "Enhance",
    "Conflict",
    "Obsolete",
    "Order",
];
const SCRIPTS: [&str; 8] = [
    "PREIN",
    "POSTIN",
    "PREUN",
    "POSTUN",
    "PRETRANS",
    "POSTTRANS",
    "TRIGGERSCRIPTS",
    "FILETRIGGERSCRIPTS",
];

/// Queries packages with the host's rpm, by file.
pub fn shown(rpms: &[PathBuf]) -> Result<BTreeMap<PathBuf, Shown>> {
    let mut format = String::from("package\\t%{NAME}-%{VERSION}-%{RELEASE}\\n");
    for kind in TYPES {
        let upper = kind.to_uppercase();
        format += &format!(
            "[{kind}\\t%{{{upper}NAME}} %{{{upper}FLAGS:depflags}} %{{{upper}VERSION}}\\n]"
        );
    }
    for script in SCRIPTS {
        format += &format!("[script\\t%{{{script}}}\\n]");
    }
    format += "[file\\t%{FILENAMES}\\t%{FILEDIGESTS}\\t%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} \
               %{FILEFLAGS:fflags} %{FILELINKTOS}\\n][entry\\t%{CHANGELOGTIME}\\n]";
    format += "about\\t%{LICENSE}, %{URL}, %{GROUP}, %{ARCH}\\n";
    format += "text\\t%{SUMMARY}\\ntext\\t%{DESCRIPTION}\\n";
    let mut all = BTreeMap::new();
    for some in rpms.chunks(500) {
        let text = run(tool("rpm")?
            .args(["-qp", "--nosignature", "--qf", &format])
            .args(some))?;
        let parts: Vec<&str> = text
            .split("package\t")
            .filter(|part| !part.is_empty())
            .collect();
        ensure!(
            parts.len() == some.len(),
            "rpm answered {} of {}",
            parts.len(),
            some.len()
        );
        for (rpm, part) in some.iter().zip(parts) {
            all.insert(
                rpm.clone(),
                parse(part).with_context(|| rpm.display().to_string())?,
            );
        }
    }
    Ok(all)
}

fn parse(part: &str) -> Result<Shown> {
    let mut lines = part.lines();
    let mut shown = Shown {
        nvr: lines.next().context("no name")?.to_owned(),
        ..Shown::default()
    };
    for line in lines {
        let Some((key, value)) = line.split_once('\t') else {
            shown.text += &format!("{line}\n");
            continue;
        };
        match key {
            "file" => {
                let (path, rest) = value.split_once('\t').context("no digest")?;
                let (digest, attributes) = rest.split_once('\t').context("no mode")?;
                shown.files.insert(path.to_owned(), digest.to_owned());
                shown
                    .attributes
                    .insert(path.to_owned(), attributes.to_owned());
            }
            "script" => shown.scripts.push(value.to_owned()),
            "entry" => shown.changelog += 1,
            "about" => shown.about = value.to_owned(),
            "text" => shown.text += &format!("{value}\n"),
            _ if value.starts_with("rpmlib(") => {}
            _ => {
                let tag = value.split_whitespace().collect::<Vec<_>>().join(" ");
                shown.tags.entry(key.to_owned()).or_default().insert(tag);
            }
        }
    }
    Ok(shown)
}

/// SHA-256 of files, by path, from sha256sum.
pub fn digests(files: &[PathBuf]) -> Result<BTreeMap<PathBuf, String>> {
    let mut all = BTreeMap::new();
    for some in files.chunks(500) {
        let text = run(tool("sha256sum")?.arg("--").args(some))?;
        for line in text.lines() {
            let (digest, path) = line.split_once("  ").context("sha256sum")?;
            all.insert(Path::new(path).to_owned(), digest.to_owned());
        }
    }
    Ok(all)
}
