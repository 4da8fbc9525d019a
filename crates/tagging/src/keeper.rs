//! The files of a buildroot in, a directory with all their tags out, for rpm's Lua to answer from.
//!
//! For each dependency type it has a file named like it in small letters, in rpm's multifile format:
//! `;<path>`, then the tags of that file, a line each. They stand there as the processors told them,
//! in no order. `index` says where:
//!
//! ```text
//! options <the options the tags were made with>
//! input <stamp> <path of a policy or symvers file the tags depend on>
//! file <stamp> [<type>=<offset>+<length>]... <path>
//! beside <stamp> <path of a file the tags of the kernel before depend on>
//! ```
//!
//! A stamp is size, mtime, ctime and inode, in whole seconds, as rpm's Lua sees them, of a link its
//! own; `-` where there is no file, or none to go by. The index is written last, so it is there only if everything is.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kmodule::{Module, Reader, module_name};
use parallel::map_with;
use policy::TagKind;
use rayon::slice::ParallelSliceMut;

use crate::kernel::consulted;
use crate::stamp::Stamp;
use crate::{Error, Part, Sources, Tagger, Tags};

/// Keeps the tags of files as they are told.
pub struct Keeper {
    tagger: Tagger,
    files: Vec<PathBuf>,
    into: PathBuf,
    header: String,
    kept: Mutex<Kept>,
    /// Buffers no thread has in hand.
    spare: Mutex<Vec<Buffers>>,
}

struct Kept {
    texts: Vec<Text>,
    /// The line of each file, once its tags are there.
    lines: Vec<Option<Vec<u8>>>,
    newest: i64,
}

/// The memory for one file after another.
#[derive(Default)]
struct Buffers {
    tags: Tags,
    lines: [Vec<u8>; TagKind::ALL.len()],
}

/// The file with all tags of one type.
struct Text {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    len: usize,
}

/// Keeps the tags of `files` in the directory `into`.
///
/// # Errors
/// As for the methods of [`Keeper`].
pub fn keep(sources: Sources, files: Vec<PathBuf>, into: &Path) -> Result<(), Error> {
    Keeper::new(sources, files, into)?.finish()
}

impl Keeper {
    /// Makes an empty directory of tags; it will have those of `files`.
    ///
    /// # Errors
    /// A policy is wrong or cannot be read, or the directory cannot be written.
    pub fn new(sources: Sources, mut files: Vec<PathBuf>, into: &Path) -> Result<Self, Error> {
        fs::create_dir_all(into).map_err(Error::io(into))?;
        let index = into.join("index");
        if index.exists() {
            fs::remove_file(&index).map_err(Error::io(&index))?;
        }
        // Before the tagger reads them.
        let (header, newest) = header(&sources)?;
        let texts = TagKind::ALL.map(|kind| Text::new(kind, into));
        files.par_sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
        files.dedup();
        Ok(Self {
            header,
            tagger: Tagger::new(Part::all(), sources)?,
            kept: Mutex::new(Kept {
                texts: texts.into_iter().collect::<Result<_, _>>()?,
                lines: vec![None; files.len()],
                newest,
            }),
            files,
            into: into.to_owned(),
            spare: Mutex::default(),
        })
    }

    /// Keeps the tags of a module that has been read.
    ///
    /// # Errors
    /// It is damaged, or a file cannot be read or written.
    pub fn module(&self, path: &Path, module: &Module<'_>) -> Result<(), Error> {
        let place = |file: &PathBuf| bytes(file).cmp(bytes(path));
        match self.files.binary_search_by(place) {
            Ok(index) => self.module_at(index, path, module),
            Err(_) => Ok(()),
        }
    }

    fn module_at(&self, index: usize, path: &Path, module: &Module<'_>) -> Result<(), Error> {
        let name = module_name(path).unwrap_or_default();
        let stamp = Stamp::of(module.metadata());
        self.with_buffers(|buffers| {
            self.tagger
                .of_module(path, name, module, &mut buffers.tags)?;
            self.add(index, path, Some(stamp), &[], buffers)
        })
    }

    /// Keeps the tags of all files that are left, on all processors.
    ///
    /// # Errors
    /// A file is damaged or cannot be read or written: the first by path.
    pub fn finish(self) -> Result<(), Error> {
        map_with(&self.left(), Reader::new, |reader, &(index, path)| {
            self.file(index, path, reader)
        })?;
        let Self {
            into, header, kept, ..
        } = self;
        let kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        for text in kept.texts {
            text.file
                .into_inner()
                .map_err(|error| Error::io(&text.path)(error.into_error()))?;
        }
        wait_until_after(kept.newest);
        let lines: Vec<_> = kept.lines.into_iter().flatten().collect();
        let (new, index) = (into.join("index.new"), into.join("index"));
        fs::write(&new, [header.into_bytes(), lines.concat()].concat()).map_err(Error::io(&new))?;
        fs::rename(&new, &index).map_err(Error::io(&index))
    }

    /// The files whose tags are not there yet.
    fn left(&self) -> Vec<(usize, &Path)> {
        let kept = lock(&self.kept);
        let files = (0..).zip(&self.files).zip(&kept.lines);
        let left = files.filter(|(_, line)| line.is_none());
        left.map(|((index, path), _)| (index, path.as_path()))
            .collect()
    }

    fn file(&self, index: usize, path: &Path, reader: &mut Reader) -> Result<(), Error> {
        let keep = |module: &Module<'_>| self.module_at(index, path, module);
        if module_name(path).is_some() {
            if let Some(kept) = reader.module_unless_link(path, keep)? {
                return kept;
            }
        }
        // Before it is read.
        let stamp = stamp(path);
        self.with_buffers(|buffers| {
            let beside = stamped(consulted(path)?);
            self.tagger.tags(path, reader, &mut buffers.tags)?;
            // A link's own stamp says nothing of the file whose tags it has.
            let stamp = stamp.filter(|_| buffers.tags.is_empty() || !path.is_symlink());
            self.add(index, path, stamp, &beside, buffers)
        })
    }

    fn with_buffers(
        &self,
        work: impl FnOnce(&mut Buffers) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut buffers = lock(&self.spare).pop().unwrap_or_default();
        work(&mut buffers)?;
        buffers.tags.clear();
        lock(&self.spare).push(buffers);
        Ok(())
    }

    fn add(
        &self,
        index: usize,
        path: &Path,
        stamp: Option<Stamp>,
        beside: &[(PathBuf, Option<Stamp>)],
        buffers: &mut Buffers,
    ) -> Result<(), Error> {
        let Buffers { tags, lines } = buffers;
        for (kind, lines) in TagKind::ALL.into_iter().zip(&mut *lines) {
            lines.clear();
            tags.of(kind).tags().write_lines(lines);
        }
        let mut line = format!("file {}", shown(stamp)).into_bytes();
        let kept = &mut *lock(&self.kept);
        for (text, lines) in kept.texts.iter_mut().zip(&*lines) {
            if !lines.is_empty() {
                let offset = text.add(path, lines)?;
                let place = format!(" {}={offset}+{}", text.name, lines.len());
                line.extend_from_slice(place.as_bytes());
            }
        }
        line.extend_from_slice(&[b" ", bytes(path), b"\n"].concat());
        for (path, stamp) in beside {
            let start = format!("beside {} ", shown(*stamp));
            line.extend_from_slice(&[start.as_bytes(), bytes(path), b"\n"].concat());
        }
        if let Some(place) = kept.lines.get_mut(index) {
            *place = Some(line);
        }
        let stamps = beside.iter().filter_map(|(_, stamp)| *stamp).chain(stamp);
        kept.newest = stamps.fold(kept.newest, |newest, stamp| newest.max(stamp.ctime));
        Ok(())
    }
}

impl Text {
    fn new(kind: TagKind, into: &Path) -> Result<Self, Error> {
        let name = kind.as_str().to_ascii_lowercase();
        let path = into.join(&name);
        let file = File::create(&path).map_err(Error::io(&path))?;
        Ok(Self {
            name,
            path,
            file: BufWriter::with_capacity(64 << 10, file),
            len: 0,
        })
    }

    /// Appends the lines of a file and tells where they begin.
    fn add(&mut self, path: &Path, lines: &[u8]) -> Result<usize, Error> {
        let head = [b";", bytes(path), b"\n"].concat();
        let mut write = || {
            self.file.write_all(&head)?;
            self.file.write_all(lines)
        };
        write().map_err(Error::io(&self.path))?;
        let offset = self.len + head.len();
        self.len = offset + lines.len();
        Ok(offset)
    }
}

/// The options and the stamps of what they name, and the time of the youngest of these.
fn header(sources: &Sources) -> Result<(String, i64), Error> {
    let mut header = format!("options {}\n", sources.options());
    let mut newest = 0;
    for (path, stamp) in stamped(sources.files()?) {
        // Writing to a String cannot fail.
        let _ = writeln!(header, "input {} {}", shown(stamp), path.display());
        newest = newest.max(stamp.map_or(0, |stamp| stamp.ctime));
    }
    Ok((header, newest))
}

/// Files with their stamps, and what links lead to with its own.
fn stamped(files: Vec<PathBuf>) -> Vec<(PathBuf, Option<Stamp>)> {
    let with_target = |path: PathBuf| {
        let target = path.canonicalize().ok().filter(|target| *target != path);
        [Some(path), target].into_iter().flatten()
    };
    let all = files.into_iter().flat_map(with_target);
    all.map(|path| {
        let stamp = stamp(&path);
        (path, stamp)
    })
    .collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.symlink_metadata().ok()?;
    Some(Stamp::of(&metadata))
}

fn shown(stamp: Option<Stamp>) -> String {
    stamp.map_or_else(|| "-".to_owned(), |stamp| stamp.to_string())
}

/// Lua sees times in whole seconds: a file that changes in the second of its stamp could look the
/// same. So the tags count only from the next second on, and a little later, for the clock of a
/// file system lags behind by a tick (linux/fs/inode.c, `current_time`).
fn wait_until_after(second: i64) {
    const TICK: Duration = Duration::from_millis(20);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let (Ok(now), Ok(second)) = (now, u64::try_from(second)) else {
        return;
    };
    let wait = (Duration::from_secs(second + 1) + TICK).saturating_sub(now);
    // A time in the future says nothing.
    sleep(wait.min(Duration::from_secs(1) + TICK));
}

/// How a path is written and ordered here.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
