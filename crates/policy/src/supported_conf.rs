//! Reads SUSE's supported.conf: which modules are supported, and by whom.

use crate::error::{Error, Problem};
use crate::file_line::{FileLine, LineIndex};
use crate::list_lines::list_lines;
use crate::rules::{ModuleRule, Support};
use crate::selector::Selector;
use crate::text::check_package_name;

/// What a supported.conf says.
#[derive(Debug, Default)]
pub(crate) struct SupportedConf {
    /// Members of the image package.
    pub(crate) base: Vec<Selector>,
    /// Rules for modules. If two are about the same module, the later one counts.
    pub(crate) rules: Vec<ModuleRule>,
}

/// What the guards of a line say so far. It is a few words however many guards there are, since
/// each path behind them is compared with it.
#[derive(Clone, Copy, Default)]
struct Guards<'t> {
    first: Option<&'t str>,
    base: bool,
    external: bool,
    /// The package NAME of the first guard `+NAME-kmp`.
    package: Option<&'t str>,
}

impl<'t> Guards<'t> {
    fn add(&mut self, guard: &'t str) {
        self.first.get_or_insert(guard);
        match guard {
            "+base" => self.base = true,
            "+external" => self.external = true,
            _ => {
                let package = guard
                    .strip_prefix('+')
                    .and_then(|it| it.strip_suffix("-kmp"));
                let package = package.filter(|name| !name.starts_with('!'));
                self.package = self.package.or(package);
            }
        }
    }

    fn support(&self) -> Support {
        match self.first {
            _ if self.external => Support::External,
            Some(first) if first.starts_with('-') => Support::No,
            _ => Support::Yes,
        }
    }
}

/// Reads guards and the paths behind them. Their syntax is that of kernel-source/scripts/guards,
/// their meaning is in kernel-source/scripts/sequence-patch and at the top of supported.conf.
pub(crate) fn supported_conf(text: &str, lines: &LineIndex) -> Result<SupportedConf, Error> {
    let mut conf = SupportedConf::default();
    let mut guards = Guards::default();
    let mut has_path = false;
    for (number, line) in list_lines(text, lines) {
        // A backslash at the end of a line joins the next line to it.
        let (words, continues) = match line.strip_suffix('\\') {
            Some(words) => (words, true),
            None => (line, false),
        };
        for word in words.split_whitespace() {
            if word.starts_with(['+', '-']) {
                guards.add(word);
            } else {
                has_path = true;
                let added = conf.add(guards, word, &number);
                added.map_err(|problem| problem.at(number.clone()))?;
            }
        }
        if !continues {
            if guards.first.is_some() && !has_path {
                return Err(Problem::NoModule.at(number));
            }
            guards = Guards::default();
            has_path = false;
        }
    }
    // For modpost the first line that matches counts, in a policy the last rule.
    conf.rules.reverse();
    Ok(conf)
}

impl SupportedConf {
    fn add(&mut self, guards: Guards<'_>, path: &str, line: &FileLine) -> Result<(), Problem> {
        let selector = Selector::guarded(path, line.clone())?;
        if guards.base {
            self.base.push(selector.clone());
        }
        guards.package.map_or(Ok(()), check_package_name)?;
        self.rules.push(ModuleRule {
            supported: Some(guards.support()),
            package: guards.package.map(str::to_owned),
            ..ModuleRule::new(line.clone(), vec![selector])
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_line::PolicyFile;

    fn read(text: &str) -> Result<SupportedConf, Error> {
        let file = PolicyFile::Path(std::path::Path::new("supported.conf").into());
        supported_conf(text, &LineIndex::new(file, text))
    }

    fn conf(text: &str) -> SupportedConf {
        read(text).unwrap()
    }

    fn conf_error(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    /// Line, selector, support and package, the last line first.
    fn rules(imported: &SupportedConf) -> Vec<(String, &str, Support, Option<&str>)> {
        let rules = imported.rules.iter();
        let rule = |rule: &'_ ModuleRule| rule.line.to_string();
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
            "supported.conf:2: guards without a module: write a path behind them"
        );
        assert_eq!(
            conf_error("lib/f#g\n"),
            r##"supported.conf:1: selector "lib/f#g": no module's path has '#'"##
        );
        assert!(
            conf_error("+é-kmp lib/a\n").starts_with("supported.conf:1: \"é\" is not a package")
        );
    }

    /// What is compared with each path does not grow with the guards before it.
    #[test]
    fn guards_hold_no_list() {
        fn holds_no_list<T: Copy>(_: T) {}
        let guards = "+a -b +base +c-kmp +d-kmp ".repeat(100);
        let conf = conf(&format!("{guards} lib/a lib/b\n"));
        assert_eq!(conf.rules.len(), 2);
        assert!(
            conf.rules
                .iter()
                .all(|rule| rule.package.as_deref() == Some("c"))
        );
        holds_no_list(Guards::default());
    }
}
