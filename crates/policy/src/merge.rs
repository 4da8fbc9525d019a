//! Merges layers into one policy. For each key the last layer that has it counts.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use toml::Spanned;

use crate::by_name::ByName;
use crate::checked::{checked, replace, replace_checked};
use crate::error::{Error, Problem};
use crate::file_line::{FileLine, LineIndex};
use crate::import::{ImportedSet, import};
use crate::layer::Layer;
use crate::regexes::RegexBudget;
use crate::rules::{Base, ModuleRule, ModuleSet, Pattern, Policy};
use crate::schema::{self, OneOrMany, PolicyTables, SpannedText};
use crate::selector::Selector;
use crate::settings::PolicySettings;
use crate::tag;
use crate::tag_kind::TagKind;
use crate::text::{check_package_name, line, paragraph};

impl Policy {
    /// Merges layers. If the default policy is not among them, its single values hold, but not its
    /// sets, rules and patterns.
    ///
    /// # Errors
    /// A layer or an imported list is wrong, or a list cannot be read.
    pub fn from_layers(layers: &[Layer]) -> Result<Self, Error> {
        Self::from_layers_with(layers, |path| std::fs::read(path))
    }

    /// As [`Policy::from_layers`], but `read` returns the bytes of imported lists.
    ///
    /// # Errors
    /// As for [`Policy::from_layers`].
    pub fn from_layers_with(
        layers: &[Layer],
        read: impl Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Error> {
        let mut merged = Merged::default();
        let default = Layer::default_policy();
        let lines = LineIndex::new(default.file, &default.text);
        let file = schema::read(&default.text, &lines)?;
        merged.settings.add(&file, &lines)?;
        for layer in layers {
            merged.add(layer, &read)?;
        }
        merged.finish().map_err(|problem| problem.at(lines.line(1)))
    }
}

/// What the layers so far say.
#[derive(Default)]
struct Merged {
    settings: PolicySettings,
    regexes: RegexBudget,
    base: Base,
    imported_base: Vec<Selector>,
    sets: ByName<ModuleSet>,
    imported_sets: Vec<ImportedSet>,
    modules: Vec<ModuleRule>,
    patterns: ByName<Pattern>,
}

impl Merged {
    fn add(
        &mut self,
        layer: &Layer,
        read: impl Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<(), Error> {
        let lines = LineIndex::new(layer.file.clone(), &layer.text);
        let file = schema::read(&layer.text, &lines)?;
        self.settings.add(&file, &lines)?;
        let mut selectors = SelectorReader {
            lines: &lines,
            regexes: &mut self.regexes,
        };
        selectors.replace(&mut self.base.members, &file.base.members)?;
        selectors.replace(&mut self.base.except, &file.base.except)?;
        add_sets(&mut self.sets, &file, &mut selectors)?;
        add_patterns(&mut self.patterns, &file, &mut selectors)?;
        for rule in &file.import {
            let imported = import(rule, &layer.file, &lines, &read)?;
            self.imported_base.extend(imported.base);
            self.modules.extend(imported.rules);
            self.imported_sets.extend(imported.set);
        }
        let mut selectors = SelectorReader {
            lines: &lines,
            regexes: &mut self.regexes,
        };
        for rule in &file.module {
            self.modules.push(module_rule(rule, &mut selectors)?);
        }
        Ok(())
    }

    /// Imported members are added at the end, so that a later layer with members of its own does
    /// not remove them. Its `except` does.
    fn finish(mut self) -> Result<Policy, Problem> {
        self.base.members.extend(self.imported_base);
        for ImportedSet {
            name,
            line,
            members,
        } in self.imported_sets
        {
            let new = || ModuleSet::new(name.clone(), line);
            self.sets.entry(&name, new).members.extend(members);
        }
        Ok(Policy {
            unclaimed: self.settings.unclaimed()?,
            naming: self.settings.naming()?,
            grouping: self.settings.grouping()?,
            base: self.base,
            sets: self.sets.into_entries(),
            modules: self.modules,
            patterns: self.patterns.into_entries(),
        })
    }
}

fn add_sets(
    sets: &mut ByName<ModuleSet>,
    file: &PolicyTables,
    selectors: &mut SelectorReader<'_>,
) -> Result<(), Error> {
    let lines = selectors.lines;
    unique(file.set.iter().map(|set| &set.get_ref().name), lines)?;
    for set in &file.set {
        let (line_of_set, new) = (lines.line_of(set.span()), set.get_ref());
        let name = checked_name(&new.name, lines)?;
        let set = sets.entry(&name, || ModuleSet::new(name.clone(), line_of_set.clone()));
        set.line = line_of_set;
        replace_text(&mut set.summary, &new.summary, line, lines)?;
        replace_text(&mut set.description, &new.description, paragraph, lines)?;
        selectors.replace(&mut set.members, &new.members)?;
        selectors.replace(&mut set.except, &new.except)?;
        set.priority = new.priority.unwrap_or(set.priority);
    }
    Ok(())
}

fn add_patterns(
    patterns: &mut ByName<Pattern>,
    file: &PolicyTables,
    selectors: &mut SelectorReader<'_>,
) -> Result<(), Error> {
    let lines = selectors.lines;
    unique(file.pattern.iter().map(|new| &new.get_ref().name), lines)?;
    for pattern in &file.pattern {
        let (line_of_pattern, new) = (lines.line_of(pattern.span()), pattern.get_ref());
        let name = checked_name(&new.name, lines)?;
        let empty = || Pattern::new(name.clone(), line_of_pattern.clone());
        let pattern = patterns.entry(&name, empty);
        pattern.line = line_of_pattern;
        replace_text(&mut pattern.summary, &new.summary, line, lines)?;
        replace_text(&mut pattern.description, &new.description, paragraph, lines)?;
        replace_text(&mut pattern.category, &new.category, line, lines)?;
        replace(&mut pattern.order, new.order);
        pattern.visible = new.visible.unwrap_or(pattern.visible);
        selectors.replace(&mut pattern.members, &new.members)?;
        selectors.replace(&mut pattern.except, &new.except)?;
    }
    Ok(())
}

fn module_rule(
    rule: &Spanned<schema::ModuleTable>,
    selectors: &mut SelectorReader<'_>,
) -> Result<ModuleRule, Error> {
    let lines = selectors.lines;
    let line = lines.line_of(rule.span());
    let rule = rule.get_ref();
    let mut package = None;
    replace_text(&mut package, &rule.package, check_package_name, lines)?;
    Ok(ModuleRule {
        package,
        exclude: rule.exclude,
        hardware: rule.hardware,
        initrd: rule.initrd,
        supported: rule.supported,
        tags: tags(rule, lines)?,
        ..ModuleRule::new(line, selectors.of_rule(&rule.selectors)?)
    })
}

fn tags(
    rule: &schema::ModuleTable,
    lines: &LineIndex,
) -> Result<BTreeMap<TagKind, Vec<String>>, Error> {
    let mut tags = BTreeMap::new();
    for kind in TagKind::ALL {
        let Some(texts) = rule.tags(kind) else {
            continue;
        };
        let check = |text: &String| tag::check(kind, text).map(|()| text.clone());
        let texts = texts.iter().map(|text| checked(text, lines, check));
        tags.insert(kind, texts.collect::<Result<_, Error>>()?);
    }
    Ok(tags)
}

/// Reads the selectors of one layer.
struct SelectorReader<'l> {
    lines: &'l LineIndex,
    regexes: &'l mut RegexBudget,
}

impl SelectorReader<'_> {
    fn one(&mut self, text: &str, line: FileLine) -> Result<Selector, Error> {
        Selector::new(text, line.clone(), self.regexes).map_err(|problem| problem.at(line))
    }

    fn all(&mut self, texts: &[SpannedText]) -> Result<Vec<Selector>, Error> {
        let lines = self.lines;
        let texts = texts.iter();
        texts
            .map(|text| self.one(text.get_ref(), lines.line_of(text.span())))
            .collect()
    }

    /// Replaces the selectors of earlier layers. Without a list they stay.
    fn replace(
        &mut self,
        slot: &mut Vec<Selector>,
        texts: &Option<Vec<SpannedText>>,
    ) -> Result<(), Error> {
        if let Some(texts) = texts {
            *slot = self.all(texts)?;
        }
        Ok(())
    }

    /// The selectors of a `[[module]]` rule. Such rules are applied to one module at a time, also
    /// where nothing is known of the others, so they cannot ask what a module needs.
    fn of_rule(&mut self, which: &Spanned<OneOrMany>) -> Result<Vec<Selector>, Error> {
        let selectors = match which.get_ref() {
            OneOrMany::One(text) => vec![self.one(text, self.lines.line_of(which.span()))?],
            OneOrMany::Many(texts) => self.all(texts)?,
        };
        match selectors.iter().find(|selector| selector.needs().is_some()) {
            None => Ok(selectors),
            Some(needs) => {
                let problem = Problem::Needs(needs.text().to_owned());
                Err(problem.at(needs.line().clone()))
            }
        }
    }
}

fn checked_name(name: &SpannedText, lines: &LineIndex) -> Result<String, Error> {
    checked(name, lines, |name| {
        check_package_name(name).map(|()| name.clone())
    })
}

/// Replaces a text of earlier layers. Without a text the earlier one stays.
fn replace_text(
    slot: &mut Option<String>,
    text: &Option<SpannedText>,
    check: impl FnOnce(&str) -> Result<(), Problem>,
    lines: &LineIndex,
) -> Result<(), Error> {
    let check = |text: &String| check(text).map(|()| text.clone());
    replace_checked(slot, text, lines, check)
}

/// Refuses a layer that defines a name twice. That is a mistake, not a change.
fn unique<'t>(
    names: impl Iterator<Item = &'t SpannedText>,
    lines: &LineIndex,
) -> Result<(), Error> {
    let mut seen: HashMap<&str, FileLine> = HashMap::new();
    for name in names {
        let line = lines.line_of(name.span());
        if let Some(first) = seen.insert(name.get_ref(), line.clone()) {
            let name = name.get_ref().clone();
            return Err(Problem::Twice { name, first }.at(line));
        }
    }
    Ok(())
}
