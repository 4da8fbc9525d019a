//! A path and the parts that are wanted in, the tags out; the file is read once at most.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use deptag::{Dialect, TagRules};
use kmodule::{FileKind, Module, Reader, file_kind};
use policy::{Override, TagKind};

use crate::kernel::{image_tags, symvers_tags};
use crate::link::Link;
use crate::overrides::Overrides;
use crate::symvers::Kernels;
use crate::{Error, Part, Tags};

/// What tags are made from, besides the files themselves.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// What decides their form.
    pub rules: TagRules,
    /// Module.symvers of the kernel, if it is not to be looked for.
    pub symvers: Option<PathBuf>,
    /// The directory of the system's policies; it need not be there.
    pub system_policy: PathBuf,
    /// Policies applied after those.
    pub policy: Vec<PathBuf>,
    /// What goes before the paths a package will have.
    pub build_root: Option<PathBuf>,
}

impl Sources {
    /// The options of a generator that amount to the same, as the macros of kmpkit-macros(7) write
    /// them.
    pub(crate) fn options(&self) -> String {
        let TagRules {
            dialect,
            flavor,
            kabi,
        } = &self.rules;
        let option = |name: &str, value: &dyn Display| format!("{name} {value}");
        let path = |name: &str, path: &Path| option(name, &path.display());
        let flavor = flavor.as_ref().map(|flavor| option("--flavor", flavor));
        let kabi = kabi.as_ref().map(|kabi| option("--kabi", kabi));
        let symvers = self.symvers.as_deref().map(|file| path("--symvers", file));
        let options = [Some(option("--dialect", dialect)), flavor, kabi, symvers];
        let policies = self.policy.iter().map(|file| path("--policy", file));
        let options: Vec<_> = options
            .into_iter()
            .flatten()
            .chain([path("--system-policy", &self.system_policy)])
            .chain(policies)
            .collect();
        options.join(" ")
    }

    /// The files that tags depend on, and the directory of policies, which changes when one comes
    /// or goes.
    ///
    /// # Errors
    /// That directory cannot be read.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, policy::Error> {
        let mut files = vec![self.system_policy.clone()];
        files.extend(policy::system_files(&self.system_policy)?);
        files.extend(self.policy.iter().cloned());
        files.extend(self.symvers.clone());
        Ok(files)
    }
}

/// Tells the tags of files.
pub struct Tagger {
    parts: Vec<Part>,
    rules: TagRules,
    overrides: Overrides,
    kernels: Kernels,
    build_root: Option<PathBuf>,
}

impl Tagger {
    /// Reads the policies, if one of `parts` depends on them.
    ///
    /// # Errors
    /// A policy is wrong or cannot be read.
    pub fn new(parts: Vec<Part>, sources: Sources) -> Result<Self, Error> {
        let build_root = sources.build_root;
        let overrides = match parts.iter().any(|part| part.is_of_policy()) {
            true => Overrides::read(
                &sources.system_policy,
                &sources.policy,
                build_root.as_deref(),
            )?,
            false => Overrides::default(),
        };
        Ok(Self {
            parts,
            rules: sources.rules,
            overrides,
            kernels: Kernels::new(sources.symvers),
            build_root,
        })
    }

    /// Adds the tags of the file at `path`; none for a file that nothing is to
    /// be said of.
    ///
    /// # Errors
    /// The file is named like a module, kernel image or symvers file but is no
    /// sound one, or a file that its tags depend on cannot be read.
    pub fn tags(&self, path: &Path, reader: &mut Reader, out: &mut Tags) -> Result<(), Error> {
        match file_kind(path) {
            FileKind::Module { name } => self.of_file(path, name, reader, out),
            FileKind::Other => {
                log::debug!("{}: no module, no tags", path.display());
                Ok(())
            }
            _ if !self.parts.contains(&Part::Provides) => Ok(()),
            _ if !matches!(self.link(path), Link::None) => Ok(()),
            FileKind::KernelImage { .. } => image_tags(
                path,
                self.kernels.given(),
                &self.rules,
                out.of(TagKind::Provides),
            ),
            FileKind::Symvers(_) => symvers_tags(path, &self.rules, out.of(TagKind::Provides)),
        }
    }

    /// Adds the tags of a module that has been read; `name` is its basename
    /// without `.ko`.
    ///
    /// # Errors
    /// It is damaged, or a file that its tags depend on cannot be read.
    pub fn of_module(
        &self,
        path: &Path,
        name: &[u8],
        module: &Module<'_>,
        out: &mut Tags,
    ) -> Result<(), Error> {
        let says = self.overrides.of(path);
        for &part in &self.parts {
            let rules = &self.rules;
            let tags = out.of(part.kind(rules.dialect));
            match part {
                Part::Provides => {
                    deptag::provided(name, rules, tags);
                    deptag::exports(module, rules, tags)?;
                }
                Part::Imports => {
                    let kernel = match rules.dialect {
                        Dialect::Suse => None,
                        Dialect::RedHat => self.kernels.of(module, path)?,
                    };
                    deptag::imports(module, rules, kernel.as_deref(), tags)?;
                }
                Part::Depends => deptag::depends(module, rules, tags),
                Part::Softdeps => deptag::recommends(module, rules, tags),
                Part::Weakdeps => deptag::suggests(module, rules, tags),
                Part::Hardware => match says.hardware {
                    Some((false, place)) => {
                        log::debug!("{}: no hardware, says {place}", path.display());
                    }
                    _ => deptag::hardware(module, rules, tags)?,
                },
                Part::Policy(kind) => self.of_policy(&says, name, kind, out),
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
        if !self.parts.iter().any(|part| part.is_of_module()) {
            return self.unread(path, name, out);
        }
        let mut tags = |module: &Module<'_>| self.of_module(path, name, module, out);
        if let Some(done) = reader.module_unless_link(path, &mut tags)? {
            return done;
        }
        match self.link(path) {
            Link::None => reader.module(path, tags)?,
            Link::ToHidden(target) => reader.module(&target, tags)?,
            Link::Elsewhere => {
                log::debug!("{}: its target carries the tags", path.display());
                Ok(())
            }
        }
    }

    /// What a policy says of a module needs its name only.
    fn unread(&self, path: &Path, name: &[u8], out: &mut Tags) -> Result<(), Error> {
        if matches!(self.link(path), Link::Elsewhere) {
            log::debug!("{}: its target carries the tags", path.display());
            return Ok(());
        }
        let says = self.overrides.of(path);
        for &part in &self.parts {
            if let Part::Policy(kind) = part {
                self.of_policy(&says, name, kind, out);
            }
        }
        Ok(())
    }

    fn of_policy(&self, says: &Override<'_>, name: &[u8], kind: TagKind, out: &mut Tags) {
        let added = says.tags.get(&kind).map_or(&[][..], |(tags, _)| tags);
        for added in added {
            out.of(kind)
                .add(|tag| tag.extend_from_slice(added.as_bytes()));
        }
        if let (TagKind::Provides, Some((true, _))) = (kind, says.initrd) {
            deptag::initrd(name, &self.rules, out.of(kind));
        }
    }

    fn link(&self, path: &Path) -> Link {
        Link::of(path, self.build_root.as_deref())
    }
}
