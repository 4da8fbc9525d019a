//! Runs the subcommands of kmp-split.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use modtree::{KernelFiles, is_plain_path};
use tagging::{TagCacheWriter, tagged_files};

use crate::buildroot::Buildroot;
use crate::cli::{
    Cli, Command, DiffArgs, ExplainArgs, ListsArgs, MachineArgs, PlanArgs, ReportArgs, SpecArgs,
    TagsArgs, TreeArgs,
};
use crate::cli_inputs::KernelArgs;
use crate::difference::difference;
use crate::document::Document;
use crate::explain::explain;
use crate::identity::Identity;
use crate::lists::Lists;
use crate::machine::MachineHardware;
use crate::machine_document::MachineEntry;
use crate::moves::Moves;
use crate::plan_inputs::PlanInputs;
use crate::planned::PlannedKernel;
use crate::report::page;
use crate::saved_file::save;
use crate::spec_text::Subpackages;
use crate::sysfs::modalias_list;
use crate::terminal;
use crate::text_table;
use crate::tree_macros::tree_macros;

/// Runs kmp-split on `args`, the first of which is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn"))
        .format_timestamp(None)
        .init();
    let args: Vec<OsString> = args.into_iter().collect();
    let into_spec =
        args.get(1).is_some_and(|name| writes_spec(name)) && !io::stdout().is_terminal();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return refuse(error.to_string().trim_end(), into_spec),
    };
    match cli.command.run() {
        Ok(text) => match io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            // Whoever reads the output, such as head, has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => refuse(&format!("cannot write to stdout: {error}"), into_spec),
        },
        Err(error) => refuse(&format!("{error:#}"), into_spec),
    }
}

/// Whether a spec may take the output of a subcommand by `%(...)`. rpm does not look at the exit status
/// of that, so a failure must also print a line that is an error anywhere in a spec.
fn writes_spec(command: &OsStr) -> bool {
    command == "spec" || command == "tree"
}

fn refuse(reason: &str, into_spec: bool) -> ExitCode {
    // If stderr and stdout are closed, nobody is left to read the reason.
    let _ = writeln!(io::stderr(), "kmp-split: {reason}");
    if into_spec {
        // The files of a package that does not exist.
        let line = "%files -n kmp-split-failed-see-the-error-above";
        let _ = writeln!(io::stdout(), "{line}");
    }
    ExitCode::FAILURE
}

impl Command {
    /// Returns the text for stdout. If any part fails, there is none.
    fn run(&self) -> Result<String> {
        match self {
            Self::Plan(args) => args.run(),
            Self::Explain(args) => args.run(),
            Self::Diff(args) => args.run(),
            Self::Machine(args) => args.run(),
            Self::Report(args) => args.run(),
            Self::Tree(args) => args.run(),
            Self::Spec(args) => args.run(),
            Self::Lists(args) => args.run(),
            Self::Tags(args) => args.run(),
        }
    }
}

impl PlanArgs {
    fn run(&self) -> Result<String> {
        let (planned, identity) = self.kernel.plan()?;
        let machines = machines(&self.machine)?;
        if self.json {
            let mut document = Document::new(&planned, &identity);
            let entries = machines.iter().map(|one| MachineEntry::new(&planned, one));
            document.machines = entries.collect();
            return document.json();
        }
        let text = text_table::text(&planned, &identity, &machines, self.sort);
        Ok(match terminal::width() {
            Some(width) => terminal::fit(&text, width),
            None => text,
        })
    }
}

impl ExplainArgs {
    fn run(&self) -> Result<String> {
        let (planned, identity) = self.kernel.plan()?;
        explain(&planned, &identity, &self.what, self.json)
    }
}

impl DiffArgs {
    fn run(&self) -> Result<String> {
        let (old, new) = (self.document(&self.old)?, self.document(&self.new)?);
        Ok(difference(&old, &new))
    }

    /// The plan that a file has, or that is made of the modules in a directory.
    fn document(&self, path: &Path) -> Result<Document> {
        if !path.is_dir() {
            let document = fs::read(path).map_err(Into::into);
            let document = document.and_then(|json| Document::parse(&json));
            return document.with_context(|| path.display().to_string());
        }
        let planned = PlanInputs {
            root: path,
            release: None,
            build_root: None,
            system_policy: &self.policy.system_policy,
            policy: &self.policy.policy,
            previous: None,
        };
        let planned = planned.plan()?;
        let identity = self.identity.identity(&planned)?;
        Ok(Document::new(&planned, &identity))
    }
}

impl MachineArgs {
    fn run(&self) -> Result<String> {
        modalias_list(&self.sysfs)
    }
}

impl ReportArgs {
    fn run(&self) -> Result<String> {
        let (planned, identity) = self.kernel.plan()?;
        let document = Document::new(&planned, &identity);
        let policy = &self.kernel.inputs.policy;
        let layers = policy::layers(Some(&policy.system_policy), &policy.policy)?;
        let page = page(&planned, &document, &machines(&self.machine)?, &layers)?;
        if self.html == Path::new("-") {
            return Ok(page);
        }
        save(&self.html, &page)?;
        Ok(String::new())
    }
}

impl TreeArgs {
    fn run(&self) -> Result<String> {
        let release = self.release.as_ref().map(|release| &release.0);
        let mut out = String::new();
        for (name, value) in tree_macros(&KernelFiles::find(&self.root, release)?) {
            must_be_plain(&value)?;
            out += &format!("{name} {value}\n");
        }
        Ok(out)
    }
}

impl SpecArgs {
    fn run(&self) -> Result<String> {
        let (planned, identity) = self.kernel.plan()?;
        subpackages(&planned, &identity, &self.lists)
    }
}

impl ListsArgs {
    fn run(&self) -> Result<String> {
        let cache = self.tags.as_ref().map(|tags| self.tag_cache(tags));
        let cache = cache.transpose()?;
        let (planned, identity) = self.plan(cache.as_ref())?;
        let of_rpmbuild = std::env::var_os("RPM_BUILD_ROOT");
        Lists {
            tree: &planned.tree,
            plan: &planned.plan,
            policy: &planned.policy,
            buildroot: Buildroot {
                path: &self.buildroot,
                of_rpmbuild: of_rpmbuild.as_deref().map(Path::new),
                forced: self.force,
            },
            into: &self.lists,
            everything: self.everything,
        }
        .write()?;
        if let Some(path) = &self.softdeps {
            save(path, &planned.softdeps.of_tree(&planned.tree).text())?;
        }
        if let Some(path) = &self.spec {
            save(path, &subpackages(&planned, &identity, &self.lists)?)?;
        }
        if let Some(path) = &self.plan {
            save(path, &Document::new(&planned, &identity).json()?)?;
        }
        if let Some(cache) = cache {
            cache.finish()?;
        }
        Ok(String::new())
    }

    fn tag_cache(&self, tags: &Path) -> Result<TagCacheWriter> {
        let form = &self.kernel.identity.form;
        let policy = &self.kernel.inputs.policy;
        let softdeps = self.softdeps.as_deref();
        let inputs = form.tag_inputs(policy, &self.symvers, softdeps, &self.buildroot);
        let files = tagged_files(&self.buildroot)?;
        Ok(TagCacheWriter::new(inputs, files, tags)?)
    }

    /// Plans the modules in the buildroot. Their tags are added to the cache.
    fn plan(&self, cache: Option<&TagCacheWriter>) -> Result<(PlannedKernel, Identity)> {
        let inputs = self.kernel.inputs.plan_inputs(Some(&self.buildroot));
        let planned = inputs.plan_with(|path, module| {
            let added = cache.map(|cache| cache.module(path, module));
            Ok(added.transpose().map(drop)?)
        })?;
        let identity = self.kernel.identity.identity(&planned)?;
        Ok((planned, identity))
    }
}

impl TagsArgs {
    fn run(&self) -> Result<String> {
        let softdeps = self.softdeps.as_deref();
        let inputs = self
            .form
            .tag_inputs(&self.policy, &self.symvers, softdeps, &self.buildroot);
        tagging::write_tag_cache(inputs, tagged_files(&self.buildroot)?, &self.into)?;
        Ok(String::new())
    }
}

impl KernelArgs {
    fn plan(&self) -> Result<(PlannedKernel, Identity)> {
        let planned = self.inputs.plan_inputs(None).plan()?;
        let identity = self.identity.identity(&planned)?;
        Ok((planned, identity))
    }
}

fn subpackages(planned: &PlannedKernel, identity: &Identity, lists: &Path) -> Result<String> {
    must_be_plain(&lists.to_string_lossy())?;
    Ok(Subpackages {
        identity,
        tree: &planned.tree,
        resolution: &planned.resolution,
        plan: &planned.plan,
        moves: &Moves::of(&planned.plan, identity),
        lists,
    }
    .text())
}

fn machines(files: &[PathBuf]) -> Result<Vec<MachineHardware>> {
    files
        .iter()
        .map(|path| MachineHardware::read(path))
        .collect()
}

fn must_be_plain(path: &str) -> Result<()> {
    ensure!(
        is_plain_path(path),
        "{path:?}: use another path; only A-Z a-z 0-9 . _ + ~ - / are safe in a spec"
    );
    Ok(())
}
