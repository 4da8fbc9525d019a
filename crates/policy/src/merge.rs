//! Layers in, one checked policy out: the later layer wins, key by key.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use toml::Spanned;

use crate::import::{self, Imported};
use crate::place::Source;
use crate::schema::{self, File, OneOrMany, Text};
use crate::settings::{Settings, checked, replace};
use crate::text::{line, package_name, paragraph};
use crate::{Base, Error, Layer, ModuleRule, Pattern, Place, Policy, Problem, Selector, Set};
use crate::{TagKind, tag};

impl Policy {
    /// Makes one policy of layers. Of the default policy only single values
    /// hold if it is not among them.
    ///
    /// # Errors
    /// A layer or a list it imports is wrong or cannot be read.
    pub fn from_layers(layers: &[Layer]) -> Result<Self, Error> {
        let mut draft = Draft::default();
        let shipped = Layer::shipped();
        let source = Source::new(&shipped.path, &shipped.text);
        let file = schema::read(&shipped.text, &source)?;
        draft.settings.add(&file, &source)?;
        for layer in layers {
            draft.add(layer)?;
        }
        draft.finish().map_err(|problem| problem.at(source.line(1)))
    }
}

/// What the layers so far say.
#[derive(Default)]
struct Draft {
    settings: Settings,
    base: Base,
    imported_base: Vec<Selector>,
    sets: Vec<Set>,
    imported_sets: Vec<(String, Place, Vec<Selector>)>,
    modules: Vec<ModuleRule>,
    patterns: Vec<Pattern>,
}

impl Draft {
    fn add(&mut self, layer: &Layer) -> Result<(), Error> {
        let source = Source::new(&layer.path, &layer.text);
        let file = schema::read(&layer.text, &source)?;
        self.settings.add(&file, &source)?;
        update(&mut self.base.members, &file.base.members, &source)?;
        update(&mut self.base.except, &file.base.except, &source)?;
        self.add_sets(&file, &source)?;
        self.add_patterns(&file, &source)?;
        let directory = layer.path.parent().unwrap_or(Path::new(""));
        for import in &file.import {
            self.add_import(import::read(import, directory, &source)?);
        }
        for rule in &file.module {
            self.modules.push(module_rule(rule, &source)?);
        }
        Ok(())
    }

    fn add_sets(&mut self, file: &File, source: &Source) -> Result<(), Error> {
        unique(file.set.iter().map(|set| &set.get_ref().name), source)?;
        for set in &file.set {
            let (place, new) = (source.place(set.span()), set.get_ref());
            let name = checked_name(&new.name, source)?;
            let same = |old: &Set| old.name == name;
            let empty = || empty_set(name.clone(), place.clone());
            change(&mut self.sets, same, empty, |set| {
                set.place = place.clone();
                say(&mut set.summary, &new.summary, line, source)?;
                say(&mut set.description, &new.description, paragraph, source)?;
                update(&mut set.members, &new.members, source)?;
                update(&mut set.except, &new.except, source)?;
                set.priority = new.priority.unwrap_or(set.priority);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn add_patterns(&mut self, file: &File, source: &Source) -> Result<(), Error> {
        unique(file.pattern.iter().map(|new| &new.get_ref().name), source)?;
        for pattern in &file.pattern {
            let (place, new) = (source.place(pattern.span()), pattern.get_ref());
            let name = checked_name(&new.name, source)?;
            let same = |old: &Pattern| old.name == name;
            let empty = || empty_pattern(name.clone(), place.clone());
            change(&mut self.patterns, same, empty, |pattern| {
                pattern.place = place.clone();
                say(&mut pattern.summary, &new.summary, line, source)?;
                say(
                    &mut pattern.description,
                    &new.description,
                    paragraph,
                    source,
                )?;
                say(&mut pattern.category, &new.category, line, source)?;
                replace(&mut pattern.order, new.order);
                pattern.visible = new.visible.unwrap_or(pattern.visible);
                update(&mut pattern.members, &new.members, source)?;
                update(&mut pattern.except, &new.except, source)
            })?;
        }
        Ok(())
    }

    fn add_import(&mut self, imported: Imported) {
        self.imported_base.extend(imported.base);
        self.modules.extend(imported.rules);
        if let Some((name, place)) = imported.set {
            self.imported_sets.push((name, place, imported.members));
        }
    }

    /// Lists are additions: a later layer that names members of its own does
    /// not take them away, `except` does.
    fn finish(mut self) -> Result<Policy, Problem> {
        self.base.members.extend(self.imported_base);
        for (name, place, members) in self.imported_sets {
            let same = |old: &Set| old.name == name;
            let empty = || empty_set(name.clone(), place);
            change(&mut self.sets, same, empty, |set| {
                set.members.extend(members);
                Ok(())
            })?;
        }
        Ok(Policy {
            unclaimed: self.settings.unclaimed()?,
            naming: self.settings.naming()?,
            grouping: self.settings.grouping()?,
            base: self.base,
            sets: self.sets,
            modules: self.modules,
            patterns: self.patterns,
        })
    }
}

fn empty_set(name: String, place: Place) -> Set {
    Set {
        name,
        place,
        summary: None,
        description: None,
        members: Vec::new(),
        except: Vec::new(),
        priority: 0,
    }
}

fn empty_pattern(name: String, place: Place) -> Pattern {
    Pattern {
        name,
        place,
        summary: None,
        description: None,
        category: None,
        order: None,
        visible: true,
        members: Vec::new(),
        except: Vec::new(),
    }
}

fn module_rule(rule: &Spanned<schema::ModuleRule>, source: &Source) -> Result<ModuleRule, Error> {
    let place = source.place(rule.span());
    let rule = rule.get_ref();
    let mut package = None;
    say(&mut package, &rule.package, package_name, source)?;
    Ok(ModuleRule {
        package,
        exclude: rule.exclude,
        hardware: rule.hardware,
        initrd: rule.initrd,
        supported: rule.supported,
        tags: tags(rule, source)?,
        ..ModuleRule::new(place, matched(&rule.selectors, source)?)
    })
}

fn matched(which: &Spanned<OneOrMany>, source: &Source) -> Result<Vec<Selector>, Error> {
    let selectors = match which.get_ref() {
        OneOrMany::One(text) => vec![selector(text, source.place(which.span()))?],
        OneOrMany::Many(texts) => selectors(texts, source)?,
    };
    match selectors.iter().find(|selector| selector.needs().is_some()) {
        None => Ok(selectors),
        Some(needs) => {
            let problem = Problem::Needs(needs.text().to_owned());
            Err(problem.at(needs.place().clone()))
        }
    }
}

fn tags(
    rule: &schema::ModuleRule,
    source: &Source,
) -> Result<BTreeMap<TagKind, Vec<String>>, Error> {
    let mut tags = BTreeMap::new();
    for kind in TagKind::ALL {
        let Some(texts) = rule.tags(kind) else {
            continue;
        };
        let check = |text: &String| tag::check(text).map(|()| text.clone());
        let texts = texts.iter().map(|text| source.check(text, check));
        tags.insert(kind, texts.collect::<Result<_, Error>>()?);
    }
    Ok(tags)
}

/// Puts selectors in the place of what earlier layers have; none leaves them.
fn update(
    slot: &mut Vec<Selector>,
    texts: &Option<Vec<Text>>,
    source: &Source,
) -> Result<(), Error> {
    if let Some(texts) = texts {
        *slot = selectors(texts, source)?;
    }
    Ok(())
}

fn selectors(texts: &[Text], source: &Source) -> Result<Vec<Selector>, Error> {
    let texts = texts.iter();
    texts
        .map(|text| selector(text.get_ref(), source.place(text.span())))
        .collect()
}

fn selector(text: &str, place: Place) -> Result<Selector, Error> {
    Selector::new(text, place.clone()).map_err(|problem| problem.at(place))
}

fn checked_name(name: &Text, source: &Source) -> Result<String, Error> {
    source.check(name, |name| package_name(name).map(|()| name.clone()))
}

/// Puts text in the place of what earlier layers have; none leaves it.
fn say(
    slot: &mut Option<String>,
    text: &Option<Text>,
    check: impl FnOnce(&str) -> Result<(), Problem>,
    source: &Source,
) -> Result<(), Error> {
    let check = |text: &String| check(text).map(|()| text.clone());
    replace(slot, checked(source, text, check)?);
    Ok(())
}

/// Within a layer a second mention is a mistake, not a change.
fn unique<'t>(names: impl Iterator<Item = &'t Text>, source: &Source) -> Result<(), Error> {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for name in names {
        let place = source.place(name.span());
        if let Some(first) = seen.insert(name.get_ref(), place.clone()) {
            let name = name.get_ref().clone();
            return Err(Problem::Twice { name, first }.at(place));
        }
    }
    Ok(())
}

/// Changes the one that is the `same`, or an `empty` one that is added.
fn change<T, E>(
    all: &mut Vec<T>,
    same: impl Fn(&T) -> bool,
    empty: impl FnOnce() -> T,
    change: impl FnOnce(&mut T) -> Result<(), E>,
) -> Result<(), E> {
    match all.iter_mut().find(|old| same(old)) {
        Some(old) => change(old),
        None => {
            let mut new = empty();
            change(&mut new)?;
            all.push(new);
            Ok(())
        }
    }
}
