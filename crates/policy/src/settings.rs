//! Merges the single values of layers. For each key the last layer that sets it counts.

use std::ops::RangeInclusive;

use crate::checked::{replace, replace_checked};
use crate::error::{Error, Problem};
use crate::file_line::LineIndex;
use crate::grouping::{GroupBy, Grouping, Unclaimed};
use crate::naming::{Depends, Naming};
use crate::schema::{self, PolicyTables};
use crate::template::Template;
use crate::text::name_part;

/// The values that the layers so far set.
#[derive(Default)]
pub(crate) struct PolicySettings {
    unclaimed: Option<Unclaimed>,
    kmp: Option<Template>,
    pattern: Option<Template>,
    /// `Some(None)`: a layer sets it to the empty string, which means no such package.
    all: Option<Option<Template>>,
    /// `Some(None)`: a layer sets it to the empty string, which means no suffix.
    unsupported: Option<Option<String>>,
    kabi: Option<bool>,
    depends: Option<Depends>,
    by: Option<GroupBy>,
    depth: Option<usize>,
    packages: Option<RangeInclusive<usize>>,
    largest: Option<u64>,
}

impl PolicySettings {
    pub(crate) fn add(&mut self, file: &PolicyTables, lines: &LineIndex) -> Result<(), Error> {
        replace(&mut self.unclaimed, file.unclaimed);
        self.add_naming(&file.naming, lines)?;
        self.add_grouping(&file.grouping, lines)
    }

    fn add_naming(&mut self, naming: &schema::NamingTable, lines: &LineIndex) -> Result<(), Error> {
        let many = |text: &String| Template::of_many(text);
        let one = |text: &String| unless_empty(text, Template::of_one);
        let part = |text: &String| unless_empty(text, |part| name_part(part).map(|()| part.into()));
        replace_checked(&mut self.kmp, &naming.kmp, lines, many)?;
        replace_checked(&mut self.pattern, &naming.pattern, lines, many)?;
        replace_checked(&mut self.all, &naming.all, lines, one)?;
        replace_checked(&mut self.unsupported, &naming.unsupported, lines, part)?;
        replace(&mut self.kabi, naming.kabi);
        replace(&mut self.depends, naming.depends);
        Ok(())
    }

    fn add_grouping(
        &mut self,
        grouping: &schema::GroupingTable,
        lines: &LineIndex,
    ) -> Result<(), Error> {
        replace(&mut self.by, grouping.by);
        replace_checked(&mut self.depth, &grouping.depth, lines, depth)?;
        replace_checked(&mut self.packages, &grouping.packages, lines, packages)?;
        replace_checked(&mut self.largest, &grouping.largest, lines, bytes)
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
