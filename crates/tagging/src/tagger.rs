//! Makes the tags of a file, for the outputs that are wanted. The file is read once at most.

use std::path::{Path, PathBuf};

use deptag::TagRules;
use kmodule::{Module, Reader, module_name};

use crate::generator::{ModuleFile, NamedModule, OtherFile, Output, Writer};
use crate::link::Link;
use crate::overrides::Overrides;
use crate::symvers::SymversCache;
use crate::{Error, TagInputs, Tags};

/// Makes the tags of files, one after another.
pub struct Tagger {
    outputs: Vec<Output>,
    rules: TagRules,
    overrides: Overrides,
    symvers: SymversCache,
    build_root: Option<PathBuf>,
}

impl Tagger {
    /// Reads the policies, if one of `outputs` follows them.
    ///
    /// # Errors
    /// A policy is wrong or cannot be read.
    pub fn new(outputs: Vec<Output>, inputs: TagInputs) -> Result<Self, Error> {
        let build_root = inputs.build_root;
        let mut writers = outputs.iter().flat_map(|output| output.writers);
        let overrides = match writers.any(Writer::follows_policy) {
            true => Overrides::read(&inputs.system_policy, &inputs.policy, build_root.as_deref())?,
            false => Overrides::default(),
        };
        Ok(Self {
            outputs,
            rules: inputs.rules,
            overrides,
            symvers: SymversCache::new(inputs.symvers),
            build_root,
        })
    }

    /// Adds the tags of the file at `path`. Files that no output is about get none.
    ///
    /// # Errors
    /// The file is damaged or not what its name says, or a file that its tags depend on cannot be
    /// read.
    pub fn tags(&self, path: &Path, reader: &mut Reader, out: &mut Tags) -> Result<(), Error> {
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
        out: &mut Tags,
    ) -> Result<(), Error> {
        let policy = self.overrides.of(path);
        let rules = &self.rules;
        let file = ModuleFile {
            path,
            name,
            module,
            rules,
            symvers: &self.symvers,
        };
        for output in &self.outputs {
            let kind = output.types.of(rules.dialect);
            let tags = out.of(kind);
            for writer in output.writers {
                match writer {
                    Writer::Module(write) => write(&file, tags)?,
                    Writer::ModuleWithPolicy(write) => write(&file, &policy, tags)?,
                    Writer::Policy(write) => {
                        write(&NamedModule { name, rules }, &policy, kind, tags)
                    }
                    Writer::File(..) => {}
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
        out: &mut Tags,
    ) -> Result<(), Error> {
        let mut writers = self.outputs.iter().flat_map(|output| output.writers);
        if !writers.any(Writer::reads_module) {
            self.of_name(path, name, out);
            return Ok(());
        }
        let mut tags = |module: &Module<'_>| self.of_module(path, name, module, out);
        if let Some(done) = reader.module_unless_link(path, &mut tags)? {
            return done;
        }
        match self.link(path) {
            Link::None => reader.module(path, tags)?,
            Link::ToUntagged(target) => reader.module(&target, tags)?,
            Link::ToTagged => {
                log_link(path);
                Ok(())
            }
        }
    }

    /// Adds the tags of a module that need only its name and the policy.
    fn of_name(&self, path: &Path, name: &[u8], out: &mut Tags) {
        if matches!(self.link(path), Link::ToTagged) {
            return log_link(path);
        }
        let policy = self.overrides.of(path);
        let rules = &self.rules;
        for output in &self.outputs {
            let kind = output.types.of(rules.dialect);
            for writer in output.writers {
                if let Writer::Policy(write) = writer {
                    write(&NamedModule { name, rules }, &policy, kind, out.of(kind));
                }
            }
        }
    }

    fn of_other_file(&self, path: &Path, out: &mut Tags) -> Result<(), Error> {
        let mut is_tagged = false;
        for output in &self.outputs {
            for writer in output.writers {
                match writer {
                    Writer::File(set, write) if (set.has_name)(path) => {
                        is_tagged = true;
                        if !matches!(self.link(path), Link::None) {
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

    fn link(&self, path: &Path) -> Link {
        Link::of(path, self.build_root.as_deref())
    }
}

fn log_link(path: &Path) {
    log::debug!("{}: a link; its target has the tags", path.display());
}
