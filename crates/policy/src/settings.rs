//! Single values of a layer in, checked settings out: the later layer wins.

use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::Spanned;

use crate::place::Source;
use crate::schema::{self, File};
use crate::text::name_part;
use crate::{Error, Problem, Template, Unclaimed};

/// How packages are named and tied.
#[derive(Clone, Debug)]
pub struct Naming {
    /// Packages of modules.
    pub kmp: Template,
    /// Pattern packages.
    pub pattern: Template,
    /// The package that requires all others; it has no `{name}`.
    pub all: Option<Template>,
    /// What unsupported and external modules add to the name of their group.
    pub unsupported: Option<String>,
    /// Whether the kABI is part of names.
    pub kabi: bool,
    /// What a package that needs another one requires.
    pub depends: Depends,
}

/// What a package that needs another one requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depends {
    /// The module, whoever packaged it.
    Kmod,
    /// Moreover the package of the same build.
    Package,
}

/// What becomes of modules that no set claims.
#[derive(Clone, Debug)]
pub struct Grouping {
    /// What makes a group.
    pub by: By,
    /// How many directories name a package.
    pub depth: usize,
    /// At least and at most so many packages.
    pub packages: RangeInclusive<usize>,
    /// Bytes of memory that modules put together do not exceed.
    pub largest: u64,
}

/// What makes a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Every module is one.
    PerModule,
    /// Modules of a directory.
    Directory,
    /// Directories and what modules need of each other.
    Auto,
}

impl By {
    /// As a policy writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerModule => "per-module",
            Self::Directory => "directory",
            Self::Auto => "auto",
        }
    }
}

/// What the layers so far have set.
#[derive(Default)]
pub(crate) struct Settings {
    unclaimed: Option<Unclaimed>,
    kmp: Option<Template>,
    pattern: Option<Template>,
    all: Option<Option<Template>>,
    unsupported: Option<Option<String>>,
    kabi: Option<bool>,
    depends: Option<Depends>,
    by: Option<By>,
    depth: Option<usize>,
    packages: Option<RangeInclusive<usize>>,
    largest: Option<u64>,
}

impl Settings {
    pub(crate) fn add(&mut self, file: &File, source: &Source) -> Result<(), Error> {
        replace(&mut self.unclaimed, file.unclaimed);
        self.add_naming(&file.naming, source)?;
        self.add_grouping(&file.grouping, source)
    }

    fn add_naming(&mut self, naming: &schema::Naming, source: &Source) -> Result<(), Error> {
        let many = |text: &String| Template::of_many(text);
        let one = |text: &String| unless_empty(text, Template::of_one);
        let part = |text: &String| unless_empty(text, |part| name_part(part).map(|()| part.into()));
        replace(&mut self.kmp, checked(source, &naming.kmp, many)?);
        replace(&mut self.pattern, checked(source, &naming.pattern, many)?);
        replace(&mut self.all, checked(source, &naming.all, one)?);
        let unsupported = checked(source, &naming.unsupported, part)?;
        replace(&mut self.unsupported, unsupported);
        replace(&mut self.kabi, naming.kabi);
        replace(&mut self.depends, naming.depends);
        Ok(())
    }

    fn add_grouping(&mut self, grouping: &schema::Grouping, source: &Source) -> Result<(), Error> {
        replace(&mut self.by, grouping.by);
        replace(&mut self.depth, checked(source, &grouping.depth, depth)?);
        let packages = checked(source, &grouping.packages, packages)?;
        replace(&mut self.packages, packages);
        let largest = checked(source, &grouping.largest, bytes)?;
        replace(&mut self.largest, largest);
        Ok(())
    }

    pub(crate) fn unclaimed(&self) -> Result<Unclaimed, Problem> {
        set(self.unclaimed, "unclaimed")
    }

    pub(crate) fn naming(&self) -> Result<Naming, Problem> {
        Ok(Naming {
            kmp: set(self.kmp.clone(), "[naming] kmp")?,
            pattern: set(self.pattern.clone(), "[naming] pattern")?,
            all: set(self.all.clone(), "[naming] all")?,
            unsupported: set(self.unsupported.clone(), "[naming] unsupported")?,
            kabi: set(self.kabi, "[naming] kabi")?,
            depends: set(self.depends, "[naming] depends")?,
        })
    }

    pub(crate) fn grouping(&self) -> Result<Grouping, Problem> {
        Ok(Grouping {
            by: set(self.by, "[grouping] by")?,
            depth: set(self.depth, "[grouping] depth")?,
            packages: set(self.packages.clone(), "[grouping] packages")?,
            largest: set(self.largest, "[grouping] largest")?,
        })
    }
}

fn set<T>(value: Option<T>, key: &'static str) -> Result<T, Problem> {
    value.ok_or(Problem::Unset(key))
}

/// Lets a value take the place of what earlier layers have; none leaves it.
pub(crate) fn replace<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

/// An optional value, checked.
pub(crate) fn checked<T, U>(
    source: &Source,
    value: &Option<Spanned<T>>,
    check: impl FnOnce(&T) -> Result<U, Problem>,
) -> Result<Option<U>, Error> {
    let value = value.as_ref().map(|value| source.check(value, check));
    value.transpose()
}

fn unless_empty<T>(
    text: &str,
    check: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    match text {
        "" => Ok(None),
        text => check(text).map(Some),
    }
}

fn depth(&depth: &usize) -> Result<usize, Problem> {
    match depth {
        0 => Err(Problem::Depth),
        depth => Ok(depth),
    }
}

fn packages(range: &Vec<usize>) -> Result<RangeInclusive<usize>, Problem> {
    match range.as_slice() {
        &[least, most] if (1..=most).contains(&least) => Ok(least..=most),
        _ => Err(Problem::Range(range.clone())),
    }
}

fn bytes(&kib: &u64) -> Result<u64, Problem> {
    kib.checked_mul(1024).ok_or(Problem::Largest(kib))
}
