//! Makes the tags of a file, for the outputs that are wanted. The file is read once at most.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use deptag::TagRules;
use kmodule::{Module, Reader, module_name};

use crate::generator::{GeneratorOutput, NamedModule, OtherFile, ReadModule, TagWriter};
use crate::link::LinkTarget;
use crate::overrides::Overrides;
use crate::softdeps::SoftdepsFile;
use crate::symvers::SymversCache;
use crate::{Error, FileTags, TagInputs};

/// Makes the tags of files, one after another.
pub struct Tagger {
    outputs: Vec<GeneratorOutput>,
    rules: TagRules,
    overrides: Overrides,
    symvers: SymversCache,
    softdeps: SoftdepsFile,
    build_root: Option<PathBuf>,
}

impl Tagger {
    /// Reads the policies, if one of `outputs` follows them.
    ///
    /// # Errors
    /// A policy is wrong or cannot be read.
    pub fn new(outputs: Vec<GeneratorOutput>, inputs: TagInputs) -> Result<Self, Error> {
        let build_root = inputs.build_root;
        let mut writers = outputs.iter().flat_map(|output| output.writers);
        let overrides = match writers.any(TagWriter::follows_policy) {
            true => Overrides::read(&inputs.system_policy, &inputs.policy, build_root.as_deref())?,
            false => Overrides::default(),
        };
        Ok(Self {
            outputs,
            rules: inputs.rules,
            overrides,
            symvers: SymversCache::new(inputs.symvers),
            softdeps: SoftdepsFile::new(inputs.softdeps, build_root.clone()),
            build_root,
        })
    }

    /// Adds the tags of the file at `path`. Files that no output is about get none, nor does what is
    /// no file: a `%ghost` need not exist when a package is built.
    ///
    /// # Errors
    /// The file is damaged or not what its name says, or a file that its tags depend on cannot be
    /// read.
    pub fn tags(&self, path: &Path, reader: &mut Reader, out: &mut FileTags) -> Result<(), Error> {
        if let Some(why) = no_file(path) {
            log::debug!("{}: {why}, so it has no tags", path.display());
            return Ok(());
        }
        match module_name(path) {
            Some(name) => self.of_file(path, name, reader, out),
            None => self.of_other_file(path, out),
        }
    }

    /// Adds the tags of a module that has been read. `name` is its basename without `.ko`.
    ///
    /// # Errors
    /// The module is damaged, or a file that its tags depend on cannot be read.
    pub fn of_module(
        &self,
        path: &Path,
        name: &[u8],
        module: &Module<'_>,
        out: &mut FileTags,
    ) -> Result<(), Error> {
        let policy = self.overrides.of(path);
        let rules = &self.rules;
        let file = ReadModule {
            path,
            name,
            module,
            rules,
            symvers: &self.symvers,
            softdeps: &self.softdeps,
        };
        for output in &self.outputs {
            let kind = output.types.of(rules.dialect);
            let tags = out.of(kind);
            for writer in output.writers {
                match writer {
                    TagWriter::Module(write) => write(&file, tags)?,
                    TagWriter::ModuleWithPolicy(write) => write(&file, &policy, tags)?,
                    TagWriter::Policy(write) => {
                        write(&NamedModule { name, rules }, &policy, kind, tags)
                    }
                    TagWriter::File(..) => {}
                }
            }
        }
        Ok(())
    }

    fn of_file(
        &self,
        path: &Path,
        name: &[u8],
        reader: &mut Reader,
        out: &mut FileTags,
    ) -> Result<(), Error> {
        let mut writers = self.outputs.iter().flat_map(|output| output.writers);
        if !writers.any(TagWriter::reads_module) {
            self.of_name(path, name, out);
            return Ok(());
        }
        let mut tags = |module: &Module<'_>| self.of_module(path, name, module, out);
        if let Some(done) = reader.module_unless_link(path, &mut tags)? {
            return done;
        }
        match self.link(path) {
            LinkTarget::None => reader.module(path, tags)?,
            LinkTarget::ToUntagged(target) => reader.module(&target, tags)?,
            LinkTarget::ToTagged | LinkTarget::ToNoFile => {
                log_link(path);
                Ok(())
            }
        }
    }

    /// Adds the tags of a module that need only its name and the policy.
    fn of_name(&self, path: &Path, name: &[u8], out: &mut FileTags) {
        if matches!(self.link(path), LinkTarget::ToTagged | LinkTarget::ToNoFile) {
            return log_link(path);
        }
        let policy = self.overrides.of(path);
        let rules = &self.rules;
        for output in &self.outputs {
            let kind = output.types.of(rules.dialect);
            for writer in output.writers {
                if let TagWriter::Policy(write) = writer {
                    write(&NamedModule { name, rules }, &policy, kind, out.of(kind));
                }
            }
        }
    }

    fn of_other_file(&self, path: &Path, out: &mut FileTags) -> Result<(), Error> {
        let mut is_tagged = false;
        for output in &self.outputs {
            for writer in output.writers {
                match writer {
                    TagWriter::File(set, write) if set.has_name(path) => {
                        is_tagged = true;
                        if !matches!(self.link(path), LinkTarget::None) {
                            continue;
                        }
                        let file = OtherFile {
                            path,
                            rules: &self.rules,
                            symvers: &self.symvers,
                        };
                        write(&file, out.of(output.types.of(self.rules.dialect)))?;
                    }
                    _ => {}
                }
            }
        }
        if !is_tagged {
            log::debug!("{}: no tags for a file of this name", path.display());
        }
        Ok(())
    }

    fn link(&self, path: &Path) -> LinkTarget {
        LinkTarget::of(path, self.build_root.as_deref())
    }
}

/// Why there is no file to read at a path; `None` if there may be one.
pub(crate) fn no_file(path: &Path) -> Option<&'static str> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Some("a directory"),
        Ok(metadata) if metadata.is_file() || metadata.is_symlink() => None,
        // A FIFO would never end.
        Ok(_) => Some("neither a file nor a link"),
        Err(error) if error.kind() == ErrorKind::NotFound => Some("it does not exist"),
        // Whoever opens it says why that fails.
        Err(_) => None,
    }
}

fn log_link(path: &Path) {
    log::debug!(
        "{}: a link; its target has the tags, if it is a file",
        path.display()
    );
}
