//! The options of depmod(8), and ours.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser};

/// Write the indexes modprobe reads
///
/// Reads the modules below /lib/modules/KERNELRELEASE and writes modules.dep, modules.alias and
/// their kin there, byte for byte as depmod(8) of kmod would. Options mean what they mean there.
#[derive(Parser, Debug)]
#[command(
    name = "kmp-depmod",
    disable_version_flag = true,
    args_override_self = true,
    after_long_help = DIFFERENCES
)]
pub struct Options {
    #[command(flatten)]
    pub(super) shared: SharedOptions,
    /// Look for modules in DIRECTORY below the root
    ///
    /// By default that is /lib/modules or, as for kmod, what kmpkit was built for with MODULE_DIRECTORY=. If the
    /// release is not there, and is in /usr/lib/modules or /lib/modules, it is that one.
    #[arg(short, long, value_name = "DIRECTORY")]
    pub(super) moduledir: Option<OsString>,
    /// Write below this root instead of that of --basedir
    #[arg(short, long, value_name = "ROOT", value_parser = path())]
    pub(super) outdir: Option<PathBuf>,
}

/// The options with --compat 30, of which kmod 34 has some no more and some not yet.
#[derive(Parser, Debug)]
#[command(
    name = "kmp-depmod",
    disable_version_flag = true,
    args_override_self = true
)]
pub(super) struct Options30 {
    #[command(flatten)]
    pub(super) shared: SharedOptions,
    /// Ignored
    #[arg(short = 'u', long)]
    pub(super) unresolved_error: bool,
    /// Ignored
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Ignored
    #[arg(short, long)]
    pub(super) root: bool,
    /// Ignored
    #[arg(short, long)]
    pub(super) map: bool,
}

/// A path, which may be empty: makefiles pass `-b "$(INSTALL_MOD_PATH)"`, and for kmod that is the
/// current directory.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// The options of both versions.
#[derive(Args, Debug)]
pub(super) struct SharedOptions {
    /// Probe all modules; this is the default if no files are named
    #[arg(short, long)]
    pub(super) all: bool,
    /// Do nothing if no module is newer than modules.dep; where an earlier run left facts, if no module has changed
    #[arg(short = 'A', long)]
    pub(super) quick: bool,
    /// The root the modules are in
    #[arg(short, long, value_name = "ROOT", value_parser = path())]
    pub(super) basedir: Option<PathBuf>,
    /// Read this file or directory instead of the system's depmod.d; may be repeated
    #[arg(short = 'C', long, value_name = "PATH", action = clap::ArgAction::Append, value_parser = path())]
    pub(super) config: Vec<PathBuf>,
    /// A Module.symvers with the kernel's own symbols, for --errsyms; their versions are compared
    #[arg(short = 'E', long, value_name = "FILE", value_parser = path())]
    pub(super) symvers: Option<PathBuf>,
    /// A System.map with the kernel's own symbols, for --errsyms
    #[arg(short = 'F', long, value_name = "FILE", value_parser = path())]
    pub(super) filesyms: Option<PathBuf>,
    /// Warn of symbols that neither the kernel nor a module exports
    #[arg(short, long)]
    pub(super) errsyms: bool,
    /// Write the text indexes to stdout, and no file
    #[arg(short = 'n', long, visible_alias = "dry-run")]
    pub(super) show: bool,
    /// Print which modules need which; given twice or three times, also what is done
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Warn of aliases a module has twice
    #[arg(short, long)]
    pub(super) warn: bool,
    /// The character the architecture puts before symbols
    #[arg(short = 'P', long, value_name = "CHARACTER")]
    pub(super) symbol_prefix: Option<OsString>,
    /// Whose indexes to write: kmod 34's or kmod 30's
    #[arg(long, value_name = "VERSION", value_parser = ["30", "34"], default_value = "34")]
    pub(super) compat: String,
    /// Read every module again, even if an earlier run left its facts
    #[arg(long)]
    pub(super) full: bool,
    /// Keep facts in DIRECTORY between runs, so that the next reads only what has changed
    ///
    /// Without this option facts of the system's own modules are kept in /var/lib/kmpkit/facts, and none
    /// with --basedir or --outdir or if SOURCE_DATE_EPOCH is set. DIRECTORY may be that of several
    /// releases and roots.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "show")]
    pub(super) store: Option<PathBuf>,
    /// Read from stdin what has changed since the last run, a path a line, and look at nothing else
    ///
    /// Lines name files and directories that were added, removed or changed: by absolute paths, with or
    /// without the root, or by paths below the release's directory. Paths elsewhere are ignored. A
    /// directory stands for everything in it, unless something in it is named, too. If the list is
    /// complete, the indexes are those of a run without it. If no earlier run left facts, everything
    /// is looked at.
    #[arg(long, conflicts_with_all = ["show", "quick"])]
    pub(super) changed: bool,
    /// Show the version
    #[arg(short = 'V', long)]
    pub(super) version: bool,
    /// The kernelrelease, of the running kernel by default, and perhaps files with modules
    #[arg(value_names = ["KERNELRELEASE", "FILE"], num_args = 0..)]
    pub(super) args: Vec<OsString>,
}

/// How kmp depmod differs from depmod.
const DIFFERENCES: &str = "\
Differences from depmod of kmod:

After each run all indexes are regular files of the user who runs it, with mode 0644. Files that would not \
change are not written. All new files are complete and synced before the first \
takes its place, so a full or read-only file system changes nothing and the exit status is 1. kmod 34 \
puts a truncated file in place, and succeeds on a read-only file system. A run that is killed leaves \
indexes that modprobe can use, and temporary files that the next run removes. Runs for one directory \
wait for each other.

Only modules that have changed are read. /var/lib/kmpkit/facts keeps the facts of modules, with device, \
inode, size and times of each file; nothing in it is needed. It has none of releases whose directories are \
gone: the next run removes them. With --basedir or --outdir, or where SOURCE_DATE_EPOCH is set, nothing is \
kept unless --store says where. The indexes are those of a run with --full. A file that changed while it was read, or shortly before, is read again the next time. In a copied tree, a \
compressed module with the same size, time of modification and content is not decompressed again. The \
facts are not used with --errsyms, for named files, or with --show. If nothing at all has changed, \
warnings about the contents of modules come only with --full or --verbose.

A module name, alias or exported symbol that is not 7-bit text is left out of the binary indexes, which \
have no room for it, with a message; the text indexes have it. kmod 34 stops there in the middle of \
writing, and kmod 30 writes what lies behind its tables in memory. With --compat 30, symbols of 1,017 bytes and more are written whole, as kmod 34 \
writes them; kmod 30 writes another symbol in their place.

With --changed, only what the list names and what links lead to is looked at. After a run that failed or \
was killed, and in a tree that is a copy, everything is looked at. A file with several names must be in \
the list by all of them.

If the lower layer of an overlay is exchanged for one whose files have the same inodes, sizes and times, \
that cannot be seen: use --full then.

Modules compressed with gzip, xz and zstd are always read; kmod must be built for each. What is compressed \
is read as kmod 34 reads it, also with --compat 30. So zstd without the size of its contents is not read, \
nor a second frame, and of gzip that is cut what is there: which modules are listed with which aliases must \
not depend on who made the indexes. kmod 30 reads all of zstd that is there.

Regular expressions of depmod.d have neither references back to groups nor collating elements; a line \
with one is for no kernel.

A directory that a link leads back to is not entered again on the way from itself, and at most 65,535 \
directories are entered by links. kmod goes round until the system refuses, and lists the longest path.

With --basedir or --outdir, a link on the way to the release's directory is followed as the system sees it \
whose root that is: an absolute link does not lead to the directory of the host. Links inside that directory \
are followed as kmod follows them, for some trees are made of links to another place.

If modules need each other, circles are reported until each module of a circle is in one of them, in the \
order of kmod. kmod also reports modules that only a circle needs, and stops if a circle leads to another.

A damaged module of which some facts can be read is read as kmod 34 reads it, also with --compat 30.

--quick compares times only if no earlier run left facts. If one did, it also works if modules were \
removed, if modules with old times were added, as those from packages have, and if an earlier run did \
not come to its end.

Messages say what kmod's say, not always in the same words. Of one file, at most 1,000 lines are \
complained about.

The exit status is 0 if the indexes are as they should be, also if a module is damaged. It is 1 if the \
command line is wrong, if modules need each other, or if something cannot be read or written.
";
