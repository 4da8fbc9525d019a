//! Runs generators on files and reads the tags they print.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use deptag::Dialect;
use policy::TagKind;
use tagging::{GENERATORS, OutputOption};

use crate::stage::Stage;

/// One way to run a generator.
#[derive(Debug)]
pub struct Call {
    /// The type of the tags that it prints then.
    pub kind: TagKind,
    /// The generator.
    pub generator: &'static str,
    /// The option that asks for these tags, if there is one.
    pub options: Vec<String>,
    /// Whether it prints nothing without a policy.
    pub needs_policy: bool,
}

impl Call {
    /// The type as rpm shows it: `Provide`, `Require`, …
    pub fn shown_type(&self) -> &'static str {
        match self.kind {
            TagKind::OrderWithRequires => "Order",
            kind => kind.as_str().trim_end_matches('s'),
        }
    }
}

/// All ways to run all generators, in a dialect.
pub fn calls(dialect: Dialect) -> Vec<Call> {
    let calls = GENERATORS.iter().flat_map(|generator| {
        let outputs = generator.outputs().into_iter();
        outputs.map(|output| Call {
            kind: output.types.of(dialect),
            generator: generator.name,
            options: match output.option {
                OutputOption::Default => Vec::new(),
                OutputOption::Flag { name, .. } => vec![format!("--{name}")],
                OutputOption::Type(kind) => vec!["--type".to_owned(), kind.as_str().to_owned()],
            },
            needs_policy: generator.needs_policy(),
        })
    });
    calls.collect()
}

/// TagsByFile by file.
pub type TagsByFile = BTreeMap<PathBuf, BTreeSet<String>>;

/// What a generator prints for many files, in one run.
pub fn tags(generator: &str, options: &[&str], files: &[PathBuf]) -> Result<TagsByFile> {
    let mut all = vec!["--multifile"];
    all.extend(options);
    let output = answer(generator, &all, files)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{generator}: {said}");
    let text = String::from_utf8(output.stdout).context("tags that are no UTF-8")?;
    let mut tags = TagsByFile::new();
    let mut current = None;
    for line in text.lines() {
        match (line.strip_prefix(';'), &mut current) {
            (Some(path), _) => {
                let path = PathBuf::from(path);
                ensure!(
                    files.contains(&path) || files.len() > 50,
                    "{generator} made up {path:?}"
                );
                current = Some(tags.entry(path).or_default());
            }
            (None, Some(set)) => {
                ensure!(
                    set.insert(line.to_owned()),
                    "{generator} printed {line} twice"
                );
            }
            (None, None) => bail!("{generator}: {line} before any path"),
        }
    }
    ensure!(
        tags.len() == files.len(),
        "{generator} answered {} of {} files",
        tags.len(),
        files.len()
    );
    Ok(tags)
}

/// Status, stdout and stderr of one run.
pub fn answer(generator: &str, options: &[&str], files: &[PathBuf]) -> Result<Output> {
    let mut child = Stage::get()?
        .tool(generator)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| generator.to_owned())?;
    let paths: Vec<u8> = files.iter().flat_map(|file| line(file)).collect();
    let mut stdin = child.stdin.take().context("stdin")?;
    let feed = std::thread::spawn(move || stdin.write_all(&paths));
    let output = child
        .wait_with_output()
        .with_context(|| generator.to_owned())?;
    match feed.join() {
        Ok(fed) => fed.with_context(|| format!("{generator} does not read all of its input"))?,
        Err(_) => bail!("{generator}: the thread that feeds it failed"),
    }
    Ok(output)
}

fn line(file: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    [file.as_os_str().as_bytes(), b"\n"].concat()
}
