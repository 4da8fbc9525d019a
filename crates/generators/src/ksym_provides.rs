//! Module, kernel image or symvers in, Provides out.

use std::path::Path;

use anyhow::Result;
use deptag::{TagRules, TagSet};
use kmodule::{FileKind, file_kind};

use crate::input::{Link, module_tags};
use crate::kernel::{image_tags, symvers_tags};
use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print what a kernel module or kernel provides
///
/// Reads paths on stdin, one a line. For a module it prints kmod() and, for
/// each symbol it exports, ksym() (kernel() for the kernel's own modules in the
/// redhat dialect) with the symbol's CRC. For a kernel image or symvers file it
/// prints the kernel's release and flavor, kmod() for each module linked in and
/// ksym() or kernel() for each symbol it exports.
#[derive(clap::Parser, Debug)]
#[command(name = "ksym-provides", version, after_long_help = ERRORS)]
pub struct KsymProvides {
    #[command(flatten)]
    options: Options,
}

impl Generator for KsymProvides {
    fn options(&self) -> &Options {
        &self.options
    }

    fn tags(&self, rules: &TagRules, path: &Path) -> Result<TagSet> {
        match file_kind(path) {
            FileKind::Module { name } => module_tags(path, |module| {
                Ok(deptag::provided(name, rules).merge(deptag::exports(module, rules)?))
            }),
            FileKind::Other => Ok(TagSet::default()),
            _ if !matches!(Link::of(path), Link::None) => Ok(TagSet::default()),
            FileKind::KernelImage { .. } => {
                image_tags(path, self.options.symvers.as_deref(), rules)
            }
            FileKind::Symvers(_) => symvers_tags(path, rules),
        }
    }
}
