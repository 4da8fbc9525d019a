//! Reads the lists that a policy imports.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use toml::Spanned;

use crate::checked::checked;
use crate::error::{Error, Problem};
use crate::file_line::{FileLine, LineIndex, PolicyFile};
use crate::modules_list::modules_list;
use crate::rules::{ModuleRule, Support};
use crate::schema::{ImportTable, ListFormat, SpannedText};
use crate::selector::Selector;
use crate::supported_conf::supported_conf;
use crate::text::check_package_name;

/// What an imported list adds to a policy.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// Members of the image package.
    pub(crate) base: Vec<Selector>,
    /// Rules for modules. If two are about the same module, the later one counts.
    pub(crate) rules: Vec<ModuleRule>,
    /// Members of a set.
    pub(crate) set: Option<ImportedSet>,
}

/// Members that a list adds to a set.
#[derive(Debug)]
pub(crate) struct ImportedSet {
    /// The set.
    pub(crate) name: String,
    /// The line of the policy that names the set.
    pub(crate) line: FileLine,
    /// The members.
    pub(crate) members: Vec<Selector>,
}

/// Reads the list that an `[[import]]` names. `read` returns the bytes of a file.
pub(crate) fn import(
    import: &Spanned<ImportTable>,
    file: &PolicyFile,
    lines: &LineIndex,
    read: impl Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<Imported, Error> {
    let line = lines.line_of(import.span());
    let import = import.get_ref();
    let by = lines.line_of(import.file.span());
    let path = file.directory().join(import.file.get_ref());
    log::info!("policy imports {}", path.display());
    let bytes = read(&path).map_err(|source| Error::Import {
        by: by.clone(),
        path: path.clone(),
        source,
    })?;
    let within = |error: Error| Error::Imported {
        by: by.clone(),
        error: Box::new(error),
    };
    let text = list_text(&bytes);
    let list = LineIndex::new(path.clone().into(), &text);
    match import.format {
        ListFormat::SupportedConf => {
            refuse_beside_guards(import, lines)?;
            let conf = supported_conf(&text, &list).map_err(within)?;
            Ok(Imported {
                base: conf.base,
                rules: conf.rules,
                set: None,
            })
        }
        ListFormat::ModulesList => {
            let members = modules_list(&text, &list).map_err(within)?;
            let set = import.set.as_ref().map(|set| set_name(set, lines));
            let supported = import.supported.as_ref().map(|value| *value.get_ref());
            if set.is_none() && supported.is_none() {
                return Err(Problem::ListForNothing.at(line));
            }
            Ok(of_modules(members, set.transpose()?, supported))
        }
    }
}

/// Checks a list that is not in a file, for tests of the parsers.
///
/// # Errors
/// A line of the list is wrong.
#[doc(hidden)]
pub fn check_list(format: ListFormat, bytes: &[u8]) -> Result<(), Error> {
    let text = list_text(bytes);
    let list = LineIndex::new(Path::new("list").to_owned().into(), &text);
    match format {
        ListFormat::SupportedConf => supported_conf(&text, &list).map(drop),
        ListFormat::ModulesList => modules_list(&text, &list).map(drop),
    }
}

/// Comments of a list may be in any encoding. A module's path that is not ASCII is refused later.
fn list_text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn refuse_beside_guards(import: &ImportTable, lines: &LineIndex) -> Result<(), Error> {
    let set = import.set.as_ref().map(|set| ("set", set.span()));
    let supported = import.supported.as_ref();
    let supported = supported.map(|supported| ("supported", supported.span()));
    match set.or(supported) {
        Some((key, span)) => Err(Problem::GuardsDecide(key).at(lines.line_of(span))),
        None => Ok(()),
    }
}

fn set_name(set: &SpannedText, lines: &LineIndex) -> Result<(String, FileLine), Error> {
    checked(set, lines, |name| check_package_name(name))?;
    Ok((set.get_ref().clone(), lines.line_of(set.span())))
}

fn of_modules(
    members: Vec<Selector>,
    set: Option<(String, FileLine)>,
    supported: Option<Support>,
) -> Imported {
    let mut imported = Imported::default();
    if supported.is_some() {
        let rules = members.iter().map(|module| ModuleRule {
            supported,
            ..ModuleRule::new(module.line().clone(), vec![module.clone()])
        });
        imported.rules = rules.collect();
    }
    imported.set = set.map(|(name, line)| ImportedSet {
        name,
        line,
        members,
    });
    imported
}
