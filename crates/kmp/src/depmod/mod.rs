//! `kmp depmod`: makes indexes as depmod(8) would.

mod abbreviations;
mod in_root;
mod options;
mod paths;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, FromArgMatches};
use depmod::{
    Compat, Dependency, Error, FoundModules, Indexes, KernelSymbolsFile, LockedDirectory,
    ReadModules, Settings, Update, is_up_to_date,
};
use facts::{FactsHome, StoreFile};
use log::LevelFilter;

pub use options::Options;
use options::{Options30, SharedOptions};
use paths::{Paths, absolute, on_host};

use crate::command_line::refused;
use crate::environment::Environment;

/// Runs the command line, whose first word is passed over; messages have this name.
pub(crate) fn run(name: &str, args: Vec<OsString>, environment: &Environment) -> ExitCode {
    let invocation = match Invocation::parse(name, args) {
        Ok(invocation) => invocation,
        Err(error) => return refused(&error),
    };
    crate::log::start(name.to_owned(), invocation.level());
    match invocation.run(environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let level = match error.downcast_ref() {
                Some(Error::Cycles(_)) => "ERROR",
                _ => "FATAL",
            };
            // If stderr is closed, nobody is left to tell.
            let _ = writeln!(io::stderr(), "{name}: {level}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for, in the options of either version.
struct Invocation {
    shared: SharedOptions,
    compat: Compat,
    moduledir: Option<OsString>,
    outdir: Option<PathBuf>,
    ignored: Vec<&'static str>,
}

impl Invocation {
    /// Takes a command line apart; usage is told under this name.
    fn parse(name: &str, args: Vec<OsString>) -> Result<Self, clap::Error> {
        let (args, compat) = abbreviations::complete(args);
        if compat == Compat::Kmod34 {
            let options: Options = parsed(name, args)?;
            return Ok(Self {
                shared: options.shared,
                compat,
                moduledir: options.moduledir,
                outdir: options.outdir,
                ignored: Vec::new(),
            });
        }
        let options: Options30 = parsed(name, args)?;
        let deprecated = [
            (options.unresolved_error, "unresolved-error"),
            (options.quiet, "quiet"),
            (options.root, "root"),
            (options.map, "map"),
        ];
        let given = deprecated.into_iter().filter(|(given, _)| *given);
        Ok(Self {
            shared: options.shared,
            compat,
            moduledir: None,
            outdir: None,
            ignored: given.map(|(_, name)| name).collect(),
        })
    }

    fn level(&self) -> LevelFilter {
        match self.shared.verbose {
            0 | 1 => LevelFilter::Warn,
            2 => LevelFilter::Info,
            _ => LevelFilter::Debug,
        }
    }

    fn run(&self, environment: &Environment) -> Result<()> {
        if self.shared.version {
            return print_version(self.compat);
        }
        for name in &self.ignored {
            log::warn!("Ignored deprecated option --{name}");
        }
        let (release, files) = self.release_and_files()?;
        let basedir = self.shared.basedir.as_deref();
        let paths = match &self.moduledir {
            Some(moduledir) => Paths {
                moduledir,
                release: &release,
            },
            None => Paths::by_default(&release, basedir)?,
        };
        let directory = paths.below(basedir)?;
        let output = match &self.outdir {
            Some(root) => paths.below(Some(root))?,
            None => directory.clone(),
        };
        match self.shared.show {
            // --quick does nothing for indexes that are only shown.
            true if self.shared.quick => Ok(()),
            true => self.show(&self.settings(release, directory)?, &files),
            false => {
                let home = self.facts_home(environment);
                let settings = self.settings(release, directory)?;
                self.write(&settings, &files, &output, home.as_ref())
            }
        }
    }

    fn show(&self, settings: &Settings, files: &[PathBuf]) -> Result<()> {
        let modules = ReadModules::read(self.find(settings, files)?);
        // Dependencies are printed before the indexes.
        let indexes = Indexes::of(&modules, &mut self.printer())?;
        print(&indexes)
    }

    /// Where facts are kept between runs: where somebody asks for it, or if the system's own indexes are
    /// made.
    fn facts_home(&self, environment: &Environment) -> Option<FactsHome> {
        match &self.shared.store {
            Some(path) => Some(FactsHome::at(path)),
            None if self.shared.basedir.is_some() || self.outdir.is_some() => None,
            None => environment.facts_home(),
        }
    }

    fn write(
        &self,
        settings: &Settings,
        files: &[PathBuf],
        output: &Path,
        home: Option<&FactsHome>,
    ) -> Result<()> {
        let directory = LockedDirectory::lock(output, home)?;
        if !self.all(files) {
            let modules = ReadModules::read(FoundModules::named(settings, files)?);
            let outputs = Indexes::of(&modules, &mut self.printer())?.outputs()?;
            return Ok(directory.publish(&outputs, self.compat, || None)?);
        }
        let store = match self.shared.full {
            true => StoreFile::default(),
            false => directory.store(),
        };
        // A store tells more than times do.
        if self.shared.quick && !store.is_there() && is_up_to_date(&settings.directory) {
            return Ok(());
        }
        let update = Update {
            settings,
            output,
            home,
            full: self.shared.full,
            tell: self.tells(),
        };
        let updated = update.run_in(directory, store, &mut self.printer())?;
        log::debug!("{updated:?}");
        Ok(())
    }

    /// Whether all modules are meant, and not only the files that are named.
    fn all(&self, files: &[PathBuf]) -> bool {
        self.shared.all || self.shared.quick || files.is_empty()
    }

    fn find(&self, settings: &Settings, files: &[PathBuf]) -> Result<FoundModules<'static>, Error> {
        match self.all(files) {
            true => FoundModules::all(settings),
            false => FoundModules::named(settings, files),
        }
    }

    /// Whether messages are asked for that only come while indexes are made.
    fn tells(&self) -> bool {
        self.shared.verbose > 0 || self.shared.warn || self.shared.errsyms
    }

    fn release_and_files(&self) -> Result<(String, Vec<PathBuf>)> {
        let mut args = self.shared.args.iter();
        let release = match args.next() {
            Some(release) => match release.to_str() {
                Some(release) if depmod::is_release(release) => release.to_owned(),
                _ => bail!("Bad version passed {}", release.to_string_lossy()),
            },
            None => rustix::system::uname()
                .release()
                .to_str()
                .context("the running kernel's release is no text")?
                .to_owned(),
        };
        Ok((release, args.map(PathBuf::from).collect()))
    }

    /// The changed paths, if they come on stdin.
    fn changed(&self, directory: &Path) -> Result<Option<Vec<PathBuf>>> {
        if !self.shared.changed {
            return Ok(None);
        }
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text).context("stdin")?;
        let lines = text.split(|&byte| byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        let basedir = self.shared.basedir.as_deref().map(absolute).transpose()?;
        Ok(Some(
            lines
                .map(|line| on_host(OsStr::from_bytes(line), basedir.as_deref(), directory))
                .collect(),
        ))
    }

    fn settings(&self, release: String, directory: PathBuf) -> Result<Settings> {
        let shared = &self.shared;
        let symbol_prefix = match &shared.symbol_prefix {
            None => None,
            Some(prefix) => match prefix.as_bytes() {
                [prefix] => Some(*prefix),
                _ => bail!("-P only takes a single char"),
            },
        };
        let kernel_symbols = match (&shared.symvers, &shared.filesyms) {
            (Some(path), _) => KernelSymbolsFile::Symvers(path.clone()),
            (None, Some(path)) => KernelSymbolsFile::SystemMap(path.clone()),
            (None, None) => KernelSymbolsFile::None,
        };
        if shared.errsyms && kernel_symbols == KernelSymbolsFile::None {
            log::warn!("-e needs -E or -F");
        }
        Ok(Settings {
            changed: self.changed(&directory)?,
            compat: self.compat,
            release,
            directory,
            config: (!shared.config.is_empty()).then(|| shared.config.clone()),
            kernel_symbols,
            symbol_prefix,
            report_unknown: shared.errsyms,
            warn_duplicates: shared.warn,
        })
    }

    /// Prints which modules need which, if that was asked for.
    fn printer(&self) -> impl FnMut(Dependency<'_>) + use<> {
        let mut out = (self.shared.verbose > 0).then(|| io::BufWriter::new(io::stdout()));
        move |dependency| {
            if let Some(out) = &mut out {
                // Whoever closes stdout has read enough.
                let _ = writeln!(
                    out,
                    "{} needs \"{}\": {}",
                    dependency.user.display(),
                    String::from_utf8_lossy(dependency.symbol),
                    dependency.supplier.display()
                );
            }
        }
    }
}

fn parsed<O: CommandFactory + FromArgMatches>(
    name: &str,
    args: Vec<OsString>,
) -> Result<O, clap::Error> {
    let mut command = O::command().bin_name(name);
    let matches = command.try_get_matches_from_mut(args)?;
    O::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Prints first what kmod prints, for that is what scripts look for (kmod/tools/kmod.c,
/// `kmod_version`).
fn print_version(compat: Compat) -> Result<()> {
    let kmod = match compat {
        Compat::Kmod34 => 34,
        Compat::Kmod30 => 30,
    };
    let own = env!("CARGO_PKG_VERSION");
    let text = format!("kmod version {kmod}\n+ZSTD +XZ +ZLIB -OPENSSL\nkmp-depmod {own}\n");
    // Whoever closes stdout has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn print(indexes: &Indexes<'_>) -> Result<()> {
    let mut out = io::stdout().lock();
    let result = indexes
        .texts()?
        .iter()
        .try_for_each(|output| out.write_all(&output.bytes))
        .and_then(|()| out.flush());
    match result {
        // Whoever closes stdout has read enough; that is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("stdout"),
    }
}
