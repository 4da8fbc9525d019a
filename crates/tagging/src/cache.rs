//! Writes a cache of the tags of all files in a buildroot, from which rpm's Lua answers.
//!
//! The cache is a directory. It has a file for each dependency type with all tags of the type, in no
//! order (`type_file`), and `index`, which says where the tags of each file stand:
//!
//! ```text
//! options <the options the tags were made with>
//! input <stamp> <path of a policy, symvers or softdeps file that the tags depend on>
//! file <stamp> [<type>=<offset>+<length>]... <path>
//! beside <stamp> <path of a file that the tags of the kernel in the line before depend on>
//! ```
//!
//! The index is written last, so a directory without one is no cache.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kmodule::{Module, Reader, module_name};
use parallel::map_with;
use policy::TagKind;
use rayon::slice::ParallelSliceMut;

use crate::generators::all_outputs;
use crate::kernel::files_beside;
use crate::softdeps::has_softdeps;
use crate::stamp::{LuaStamp, StampedFile, stamp_text, stamped, wait_until_after};
use crate::tagger::no_file;
use crate::type_file::TypeFile;
use crate::{Error, FileTags, TagInputs, Tagger};

/// Writes a tag cache. Threads may add modules in any order.
pub struct TagCacheWriter {
    tagger: Tagger,
    files: Vec<PathBuf>,
    directory: PathBuf,
    header: String,
    /// The file with what softdeps lead to. It is written when all modules have been read.
    softdeps: Option<PathBuf>,
    written: Mutex<Written>,
    /// Buffers that no thread is using.
    spare_buffers: Mutex<Vec<Buffers>>,
}

/// What has been written so far.
struct Written {
    type_files: Vec<TypeFile>,
    /// For each file its lines of the index, once its tags are written.
    index_lines: Vec<Option<Vec<u8>>>,
    /// The youngest second in any stamp.
    newest_second: i64,
}

/// Memory that is used for one file after another.
#[derive(Default)]
struct Buffers {
    tags: FileTags,
    lines: [Vec<u8>; TagKind::ALL.len()],
}

/// Writes the tags of `files` into the cache `directory`.
///
/// # Errors
/// As for the methods of [`TagCacheWriter`].
pub fn write_tag_cache(
    inputs: TagInputs,
    files: Vec<PathBuf>,
    directory: &Path,
) -> Result<(), Error> {
    TagCacheWriter::new(inputs, files, directory)?.finish()
}

impl TagCacheWriter {
    /// Begins a cache in `directory` that will have the tags of `files`. An older cache there is
    /// invalid from now on.
    ///
    /// # Errors
    /// A policy is wrong or cannot be read, or the directory cannot be written.
    pub fn new(
        inputs: TagInputs,
        mut files: Vec<PathBuf>,
        directory: &Path,
    ) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::io(directory))?;
        let index = directory.join("index");
        if index.exists() {
            fs::remove_file(&index).map_err(Error::io(&index))?;
        }
        // Policies are stamped before the tagger reads them.
        let (header, newest_second) = header(&inputs)?;
        let type_files = TagKind::ALL.map(|kind| TypeFile::new(kind, directory));
        files.par_sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
        files.dedup();
        Ok(Self {
            header,
            softdeps: inputs.softdeps.clone(),
            tagger: Tagger::new(all_outputs(), inputs)?,
            written: Mutex::new(Written {
                type_files: type_files.into_iter().collect::<Result<_, _>>()?,
                index_lines: vec![None; files.len()],
                newest_second,
            }),
            files,
            directory: directory.to_owned(),
            spare_buffers: Mutex::default(),
        })
    }

    /// Adds the tags of a module that has been read, if it is one of the cache's files. One with
    /// softdeps waits until the file is there that says what they lead to.
    ///
    /// # Errors
    /// The module is damaged, or a file cannot be read or written.
    pub fn module(&self, path: &Path, module: &Module<'_>) -> Result<(), Error> {
        let order = |file: &PathBuf| bytes(file).cmp(bytes(path));
        match self.files.binary_search_by(order) {
            Ok(index) if !self.waits(module) => self.module_at(index, path, module),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn waits(&self, module: &Module<'_>) -> bool {
        self.softdeps.is_some() && has_softdeps(module)
    }

    fn module_at(&self, index: usize, path: &Path, module: &Module<'_>) -> Result<(), Error> {
        let name = module_name(path).unwrap_or_default();
        let stamp = module.metadata().map(LuaStamp::of);
        self.with_buffers(|buffers| {
            self.tagger
                .of_module(path, name, module, &mut buffers.tags)?;
            self.add(index, path, stamp, &[], buffers)
        })
    }

    /// Adds the tags of all files that are missing, on all processors, and writes the index.
    ///
    /// # Errors
    /// A file is damaged or cannot be read or written. The error is about the first such path.
    pub fn finish(self) -> Result<(), Error> {
        // The file is stamped before the tagger reads it.
        let softdeps = stamped(self.softdeps.clone().into_iter().collect());
        map_with(
            &self.missing_files(),
            Reader::new,
            |reader, &(index, path)| self.file(index, path, reader),
        )?;
        let Self {
            directory,
            mut header,
            written,
            ..
        } = self;
        let written = written.into_inner();
        let mut written = written.unwrap_or_else(PoisonError::into_inner);
        written.newest_second = written.newest_second.max(inputs(&softdeps, &mut header));
        for file in written.type_files {
            file.finish()?;
        }
        // Lua sees times in whole seconds. A file that changes again in the second of its stamp
        // would look unchanged.
        wait_until_after(written.newest_second);
        let lines: Vec<_> = written.index_lines.into_iter().flatten().collect();
        let (new, index) = (directory.join("index.new"), directory.join("index"));
        fs::write(&new, [header.into_bytes(), lines.concat()].concat()).map_err(Error::io(&new))?;
        fs::rename(&new, &index).map_err(Error::io(&index))
    }

    fn missing_files(&self) -> Vec<(usize, &Path)> {
        let written = lock(&self.written);
        let files = (0..).zip(&self.files).zip(&written.index_lines);
        let missing = files.filter(|(_, lines)| lines.is_none());
        missing
            .map(|((index, path), _)| (index, path.as_path()))
            .collect()
    }

    fn file(&self, index: usize, path: &Path, reader: &mut Reader) -> Result<(), Error> {
        let add = |module: &Module<'_>| self.module_at(index, path, module);
        let read = match module_name(path) {
            Some(_) => reader.module_unless_link(path, add),
            None => Ok(None),
        };
        match read {
            Ok(Some(added)) => return added,
            // Such as an excluded module, which was removed meanwhile. Most modules are there, so this
            // is asked only if one cannot be read.
            _ if no_file(path).is_some() => return Ok(()),
            Ok(None) => {}
            Err(error) => return Err(error.into()),
        }
        // The file is stamped before it is read.
        let stamp = LuaStamp::read(path);
        self.with_buffers(|buffers| {
            let beside = stamped(files_beside(path)?);
            self.tagger.tags(path, reader, &mut buffers.tags)?;
            // The stamp of a link says nothing about the file whose tags it has.
            let stamp = stamp.filter(|_| buffers.tags.is_empty() || !path.is_symlink());
            self.add(index, path, stamp, &beside, buffers)
        })
    }

    fn with_buffers(
        &self,
        work: impl FnOnce(&mut Buffers) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut buffers = lock(&self.spare_buffers).pop().unwrap_or_default();
        work(&mut buffers)?;
        buffers.tags.clear();
        lock(&self.spare_buffers).push(buffers);
        Ok(())
    }

    fn add(
        &self,
        index: usize,
        path: &Path,
        stamp: Option<LuaStamp>,
        beside: &[StampedFile],
        buffers: &mut Buffers,
    ) -> Result<(), Error> {
        let Buffers { tags, lines } = buffers;
        for (kind, lines) in TagKind::ALL.into_iter().zip(&mut *lines) {
            lines.clear();
            tags.of(kind).tags().write_lines(lines);
        }
        let mut line = format!("file {}", stamp_text(stamp)).into_bytes();
        let written = &mut *lock(&self.written);
        for (file, lines) in written.type_files.iter_mut().zip(&*lines) {
            if !lines.is_empty() {
                let offset = file.append(path, lines)?;
                let range = format!(" {}={offset}+{}", file.name(), lines.len());
                line.extend_from_slice(range.as_bytes());
            }
        }
        line.extend_from_slice(&[b" ", bytes(path), b"\n"].concat());
        for StampedFile { path, stamp } in beside {
            let start = format!("beside {} ", stamp_text(*stamp));
            line.extend_from_slice(&[start.as_bytes(), bytes(path), b"\n"].concat());
        }
        if let Some(lines) = written.index_lines.get_mut(index) {
            *lines = Some(line);
        }
        let stamps = beside.iter().filter_map(|file| file.stamp).chain(stamp);
        let seconds = stamps.map(LuaStamp::second);
        written.newest_second = seconds.fold(written.newest_second, i64::max);
        Ok(())
    }
}

/// The first lines of the index, and the youngest second in their stamps.
fn header(inputs: &TagInputs) -> Result<(String, i64), Error> {
    let mut header = format!("options {}\n", inputs.options());
    let newest_second = self::inputs(&stamped(inputs.files()?), &mut header);
    Ok((header, newest_second))
}

/// Appends lines of files that tags depend on. Returns the youngest second in their stamps.
fn inputs(files: &[StampedFile], header: &mut String) -> i64 {
    let mut newest_second = 0;
    for StampedFile { path, stamp } in files {
        // Writing to a String cannot fail.
        let _ = writeln!(header, "input {} {}", stamp_text(*stamp), path.display());
        newest_second = newest_second.max(stamp.map_or(0, LuaStamp::second));
    }
    newest_second
}

/// How a path is written and ordered in the cache.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
