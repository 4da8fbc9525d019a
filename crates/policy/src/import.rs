//! A list that others keep in, rules and selectors out.

use std::path::Path;

use toml::Spanned;

use crate::place::Source;
use crate::schema::{self, Format};
use crate::text::package_name;
use crate::{Error, ModuleRule, Place, Problem, Selector, Support};

/// What a list says.
#[derive(Default)]
pub(crate) struct Imported {
    /// Members of the image package.
    pub(crate) base: Vec<Selector>,
    /// Overrides, in an order where the later counts.
    pub(crate) rules: Vec<ModuleRule>,
    /// The set that `members` belong to, and where that is said.
    pub(crate) set: Option<(String, Place)>,
    /// Members of that set.
    pub(crate) members: Vec<Selector>,
}

/// Reads the list an `[[import]]` of a file in `directory` names.
pub(crate) fn read(
    import: &Spanned<schema::Import>,
    directory: &Path,
    source: &Source,
) -> Result<Imported, Error> {
    let place = source.place(import.span());
    let import = import.get_ref();
    let by = source.place(import.file.span());
    let path = directory.join(import.file.get_ref());
    log::info!("policy imports {}", path.display());
    let bytes = std::fs::read(&path).map_err(|source| Error::Import {
        by: by.clone(),
        path: path.clone(),
        source,
    })?;
    // Comments may be in any encoding; a module's path that is not ASCII is
    // refused anyway.
    let text = String::from_utf8_lossy(&bytes);
    let list = Source::new(&path, &text);
    let within = |error: Error| Error::Imported {
        by: by.clone(),
        error: Box::new(error),
    };
    match import.format {
        Format::SupportedConf => {
            nothing_beside_guards(import, source)?;
            supported_conf(&text, &list).map_err(within)
        }
        Format::ModulesList => {
            let members = modules_list(&text, &list).map_err(within)?;
            let set = import.set.as_ref().map(|set| set_name(set, source));
            let supported = import.supported.as_ref().map(|value| *value.get_ref());
            if set.is_none() && supported.is_none() {
                return Err(Problem::ListForNothing.at(place));
            }
            Ok(of_modules(members, set.transpose()?, supported))
        }
    }
}

fn nothing_beside_guards(import: &schema::Import, source: &Source) -> Result<(), Error> {
    let set = import.set.as_ref().map(|set| ("set", set.span()));
    let supported = import.supported.as_ref();
    let supported = supported.map(|supported| ("supported", supported.span()));
    match set.or(supported) {
        Some((key, span)) => Err(Problem::GuardsSayIt(key).at(source.place(span))),
        None => Ok(()),
    }
}

fn set_name(set: &schema::Text, source: &Source) -> Result<(String, Place), Error> {
    source.check(set, |name| package_name(name))?;
    Ok((set.get_ref().clone(), source.place(set.span())))
}

fn of_modules(
    members: Vec<Selector>,
    set: Option<(String, Place)>,
    supported: Option<Support>,
) -> Imported {
    let mut imported = Imported::default();
    if supported.is_some() {
        let rules = members.iter().map(|module| ModuleRule {
            supported,
            ..ModuleRule::new(module.place().clone(), vec![module.clone()])
        });
        imported.rules = rules.collect();
    }
    if set.is_some() {
        imported.set = set;
        imported.members = members;
    }
    imported
}

/// One module a line, with or without `.ko`, as in mod-extra.list and
/// mod-internal.list of Fedora's kernel.
fn modules_list(text: &str, list: &Source) -> Result<Vec<Selector>, Error> {
    let mut members = Vec::new();
    for (place, line) in lines(text, list) {
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        let selector = match line.contains(char::is_whitespace) {
            true => Err(Problem::ManyWords(line.to_owned())),
            false => Selector::listed(line, place.clone()),
        };
        members.push(selector.map_err(|problem| problem.at(place))?);
    }
    Ok(members)
}

/// Guards, then the paths they hold for, as kernel-source/scripts/guards reads
/// them; what the guards mean is in kernel-source/scripts/sequence-patch and in
/// the head of supported.conf.
fn supported_conf(text: &str, list: &Source) -> Result<Imported, Error> {
    let mut imported = Imported::default();
    // A backslash at the end of a line joins the next one to it.
    let mut guards: Vec<&str> = Vec::new();
    let mut guarded = false;
    for (place, line) in lines(text, list) {
        let line = without_comment(line);
        let (words, goes_on) = match line.strip_suffix('\\') {
            Some(words) => (words, true),
            None => (line, false),
        };
        for word in words.split_whitespace() {
            if word.starts_with(['+', '-']) {
                guards.push(word);
                continue;
            }
            guarded = true;
            guard(&mut imported, &guards, word, &place).map_err(|p| p.at(place.clone()))?;
        }
        if !goes_on {
            if !guarded && !guards.is_empty() {
                return Err(Problem::NoModule.at(place));
            }
            guards.clear();
            guarded = false;
        }
    }
    // modpost takes the first line that matches, a policy the last rule.
    imported.rules.reverse();
    Ok(imported)
}

/// What guards say of a path.
fn guard(
    imported: &mut Imported,
    guards: &[&str],
    path: &str,
    place: &Place,
) -> Result<(), Problem> {
    let selector = Selector::guarded(path, place.clone())?;
    if guards.contains(&"+base") {
        imported.base.push(selector.clone());
    }
    let kmp = guards.iter().find_map(|guard| {
        let name = guard.strip_prefix('+')?.strip_suffix("-kmp")?;
        (!name.starts_with('!')).then_some(name)
    });
    kmp.map_or(Ok(()), package_name)?;
    imported.rules.push(ModuleRule {
        supported: Some(support(guards)),
        package: kmp.map(str::to_owned),
        ..ModuleRule::new(place.clone(), vec![selector])
    });
    Ok(())
}

fn support(guards: &[&str]) -> Support {
    match guards.first() {
        _ if guards.contains(&"+external") => Support::External,
        Some(first) if first.starts_with('-') => Support::No,
        _ => Support::Yes,
    }
}

fn lines<'t>(text: &'t str, list: &'t Source) -> impl Iterator<Item = (Place, &'t str)> {
    let lines = text.lines().enumerate();
    lines.map(|(index, line)| (list.line(index + 1), line))
}

/// A `#` begins a comment at the beginning of a word.
fn without_comment(line: &str) -> &str {
    let begins = |&(offset, _): &(usize, &str)| {
        let before = line.get(..offset).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    let comment = line.match_indices('#').find(begins);
    let words = comment.and_then(|(offset, _)| line.get(..offset));
    words.unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new(Path::new("supported.conf"), text)
    }

    fn conf(text: &str) -> Imported {
        supported_conf(text, &source(text)).unwrap()
    }

    fn conf_error(text: &str) -> String {
        let error = supported_conf(text, &source(text)).err().unwrap();
        error.to_string()
    }

    /// Line, selector, support and package, the last line first.
    fn rules(imported: &Imported) -> Vec<(String, &str, Support, Option<&str>)> {
        let rules = imported.rules.iter();
        let rule = |rule: &'_ ModuleRule| rule.place.to_string();
        rules
            .map(|r| {
                let supported = r.supported.unwrap();
                (
                    rule(r),
                    r.selectors[0].text(),
                    supported,
                    r.package.as_deref(),
                )
            })
            .collect()
    }

    #[test]
    fn guards_say_who_supports_and_where_it_goes() {
        let text = "# head\n\
                    +cluster-md-kmp\tdrivers/md/md-cluster\t# fate#319339\n\
                    \t\tarch/x86/kvm/kvm\n\
                    +\t\tlib/a\n\
                    -\t\tdrivers/atm/*\n\
                    -!optional\tlib/b\n\
                    +external\tlib/c # by others\n\
                    - +kselftests-kmp\tlib/test\n\
                    +base\t\tdrivers/acpi/button\n\
                    -\t\\\n\
                    \tlib/d lib/e\n\
                    lib/f#g\n";
        let text = text.replace("lib/f#g\n", "\t\t# jsc#PED-10947\n");
        let imported = conf(&text);
        let no = Support::No;
        let yes = Support::Yes;
        let expected = [
            ("11", "lib/e", no, None),
            ("11", "lib/d", no, None),
            ("9", "drivers/acpi/button", yes, None),
            ("8", "lib/test", no, Some("kselftests")),
            ("7", "lib/c", Support::External, None),
            ("6", "lib/b", no, None),
            ("5", "drivers/atm/*", no, None),
            ("4", "lib/a", yes, None),
            ("3", "arch/x86/kvm/kvm", yes, None),
            ("2", "drivers/md/md-cluster", yes, Some("cluster-md")),
        ]
        .map(|(line, path, support, kmp)| (format!("supported.conf:{line}"), path, support, kmp));
        assert_eq!(rules(&imported), expected);
        let base: Vec<_> = imported.base.iter().map(Selector::text).collect();
        assert_eq!(base, ["drivers/acpi/button"]);
        assert!(imported.base[0].is_imported());
    }

    #[test]
    fn guards_must_guard_something_that_can_be() {
        assert_eq!(
            conf_error("lib/a\n+external\nlib/b\n"),
            "supported.conf:2: guards without a module"
        );
        assert_eq!(
            conf_error("lib/f#g\n"),
            r##"supported.conf:1: selector "lib/f#g": no module's path has '#'"##
        );
        assert!(conf_error("+é-kmp lib/a\n").starts_with("supported.conf:1: \"é\" is no package"));
    }

    #[test]
    fn a_list_has_a_module_a_line() {
        let text = "# extra\naer_inject.ko\n\n  cfg80211-tests # test\nkernel/fs/ufs/ufs.ko.xz\n";
        let members = modules_list(text, &source(text)).unwrap();
        let members: Vec<_> = members
            .iter()
            .map(|module| (module.place().to_string(), module.text()))
            .collect();
        let expected = [
            ("2", "aer_inject.ko"),
            ("4", "cfg80211-tests"),
            ("5", "kernel/fs/ufs/ufs.ko.xz"),
        ]
        .map(|(line, text)| (format!("supported.conf:{line}"), text));
        assert_eq!(members, expected);
        let error = modules_list("a\nb c\n", &source("a\nb c\n")).unwrap_err();
        let expected = r#"supported.conf:2: "b c" is more than one module"#;
        assert_eq!(error.to_string(), expected);
    }
}
