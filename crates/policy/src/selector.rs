//! A line such as `kernel/fs/**` in, whether it means a module out.

use glob::MatchOptions;
use regex::Regex;

use crate::{Place, Problem};

/// A module as selectors see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'m> {
    /// Basename without `.ko`, as in the file.
    pub name: &'m str,
    /// Path below `lib/modules/<kernelrelease>`, with or without `.ko` and what
    /// compression adds.
    pub path: &'m str,
}

/// What names modules.
#[derive(Clone, Debug)]
pub struct Selector {
    text: String,
    place: Place,
    kind: Kind,
    imported: bool,
}

/// Most selectors have no pattern, and a policy has thousands of them for
/// thousands of modules: those are compared, not matched.
#[derive(Clone, Debug)]
enum Kind {
    /// A name, with `_` for each `-`.
    Name(String),
    /// A glob on such names.
    NameGlob(glob::Pattern),
    /// A path without `.ko`.
    Path(String),
    /// What paths begin with.
    Below(String),
    /// A glob on paths.
    PathGlob(glob::Pattern),
    /// A glob of supported.conf.
    Guarded(glob::Pattern),
    Regex(Regex),
    /// The module that is needed.
    Needs(String),
}

const SUFFIXES: [&str; 5] = ["", ".xz", ".zst", ".gz", ".bz2"];
const WILD: [char; 3] = ['*', '?', '['];

/// `*` stays in a directory.
const IN_DIRECTORY: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// `*` is anything.
const ANYWHERE: MatchOptions = MatchOptions {
    require_literal_separator: false,
    ..IN_DIRECTORY
};

impl Selector {
    /// What a policy says.
    pub(crate) fn new(text: &str, place: Place) -> Result<Self, Problem> {
        let kind = match text.split_once(':') {
            Some(("re", regex)) => regex_kind(regex, text)?,
            Some(("needs", module)) => Kind::Needs(needed(module, text)?),
            _ => plain_kind(text)?,
        };
        Ok(Self {
            text: text.to_owned(),
            place,
            kind,
            imported: false,
        })
    }

    /// A line of a list of modules: names or paths.
    pub(crate) fn listed(text: &str, place: Place) -> Result<Self, Problem> {
        Ok(Self {
            text: text.to_owned(),
            place,
            kind: plain_kind(text)?,
            imported: true,
        })
    }

    /// A path of supported.conf, read as SUSE's modpost does
    /// (kernel-source/patches.suse/supported-flag-wildcards): of a path without
    /// wildcards only the name counts, wherever the module has moved; else the
    /// whole path below `kernel/`, where `*` passes directories.
    pub(crate) fn guarded(text: &str, place: Place) -> Result<Self, Problem> {
        let path = checked_path(text)?;
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let kind = match path.contains(WILD) {
            false => Kind::Name(name.replace('-', "_")),
            true => {
                let glob = format!("{directory}/{}", underscored(name));
                Kind::Guarded(compiled(&one_star(&glob), text)?)
            }
        };
        Ok(Self {
            text: text.to_owned(),
            place,
            kind,
            imported: true,
        })
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// As it is written there.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it comes from an imported list. Such a list speaks of more
    /// architectures than a tree has: that it means no module is no mistake.
    pub fn is_imported(&self) -> bool {
        self.imported
    }

    /// `needs: X`: the name X.
    pub fn needs(&self) -> Option<&str> {
        match &self.kind {
            Kind::Needs(module) => Some(module),
            _ => None,
        }
    }

    /// Whether it means this module. What a module needs is not known here, so
    /// a selector with `needs:` means none.
    pub fn matches(&self, module: Named<'_>) -> bool {
        let Named { name, path } = module;
        match &self.kind {
            Kind::Name(same) => is_name(same, name),
            Kind::NameGlob(glob) => glob.matches_with(&name.replace('-', "_"), ANYWHERE),
            Kind::Path(same) => path.starts_with(same) && without_ko(path) == same,
            Kind::Below(directory) => path.starts_with(directory),
            Kind::PathGlob(glob) => glob.matches_with(without_ko(path), IN_DIRECTORY),
            Kind::Guarded(glob) => path
                .strip_prefix("kernel/")
                .and_then(|path| without_ko(path).rsplit_once('/'))
                .map(|(directory, name)| format!("{directory}/{}", name.replace('-', "_")))
                .is_some_and(|path| glob.matches_with(&path, ANYWHERE)),
            Kind::Regex(regex) => regex.is_match(without_ko(path)),
            Kind::Needs(_) => false,
        }
    }
}

/// Whether `name` is `underscored`, but for dashes.
fn is_name(underscored: &str, name: &str) -> bool {
    let bytes = name.bytes().map(|byte| match byte {
        b'-' => b'_',
        byte => byte,
    });
    underscored.len() == name.len() && underscored.bytes().eq(bytes)
}

/// A path without `.ko` and what compression adds to it.
fn without_ko(path: &str) -> &str {
    SUFFIXES
        .iter()
        .find_map(|suffix| path.strip_suffix(suffix)?.strip_suffix(".ko"))
        .unwrap_or(path)
}

fn regex_kind(regex: &str, text: &str) -> Result<Kind, Problem> {
    if regex.is_empty() {
        return Err(Problem::EmptySelector(text.to_owned()));
    }
    Regex::new(regex)
        .map(Kind::Regex)
        .map_err(|error| Problem::Regex {
            selector: text.to_owned(),
            reason: last_line(&error.to_string()),
        })
}

/// regex shows the expression on the lines before the reason.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

fn needed(module: &str, text: &str) -> Result<String, Problem> {
    let module = checked_path(module.trim()).map_err(|problem| match problem {
        Problem::EmptySelector(_) => Problem::EmptySelector(text.to_owned()),
        other => other,
    })?;
    match module.chars().find(|&c| c == '/' || WILD.contains(&c)) {
        Some(character) => Err(Problem::Character {
            selector: text.to_owned(),
            character,
        }),
        None => Ok(module.to_owned()),
    }
}

fn plain_kind(text: &str) -> Result<Kind, Problem> {
    let path = checked_path(text)?;
    if !path.contains('/') {
        return name_kind(path, text);
    }
    let below = path.strip_suffix("/**").or_else(|| path.strip_suffix('/'));
    Ok(match (below, path.contains(WILD)) {
        (Some(directory), _) if !directory.contains(WILD) => Kind::Below(format!("{directory}/")),
        (Some(directory), _) => Kind::PathGlob(compiled(&format!("{directory}/**"), text)?),
        (None, true) => Kind::PathGlob(compiled(path, text)?),
        (None, false) => Kind::Path(path.to_owned()),
    })
}

fn name_kind(name: &str, text: &str) -> Result<Kind, Problem> {
    match name.contains(WILD) {
        true => compiled(&one_star(&underscored(name)), text).map(Kind::NameGlob),
        false => Ok(Kind::Name(name.replace('-', "_"))),
    }
}

/// The text without `.ko`, if modules can have such paths: with the characters
/// modtree allows, and those of globs.
fn checked_path(text: &str) -> Result<&str, Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._+~-/*?[]!".contains(c);
    let selector = || text.to_owned();
    if let Some(character) = text.chars().find(|&c| !fits(c)) {
        let selector = selector();
        return Err(Problem::Character {
            selector,
            character,
        });
    }
    let path = without_ko(text);
    let parts = path.strip_suffix('/').unwrap_or(path).split('/');
    match path {
        "" => Err(Problem::EmptySelector(selector())),
        _ if parts.clone().any(|part| matches!(part, "" | "." | "..")) => {
            Err(Problem::OutOfTree(selector()))
        }
        path => Ok(path),
    }
}

fn compiled(glob: &str, text: &str) -> Result<glob::Pattern, Problem> {
    glob::Pattern::new(glob).map_err(|error| Problem::Glob {
        selector: text.to_owned(),
        reason: error.msg,
    })
}

/// Makes `-` and `_` one, except in brackets, where `-` is a range.
fn underscored(glob: &str) -> String {
    // How many characters of a bracket were seen: a "]" that comes first is one
    // of them, as in glob(7).
    let mut seen: Option<usize> = None;
    let same = |c: char| {
        seen = match (seen, c) {
            (None, '[') => Some(0),
            (None, _) => None,
            (Some(0), '!') => Some(0),
            (Some(1..), ']') => None,
            (Some(members), _) => Some(members + 1),
        };
        match (seen, c) {
            (None, '-') => '_',
            (_, c) => c,
        }
    };
    glob.chars().map(same).collect()
}

/// Makes runs of `*` one: where `*` passes directories anyway, `**` is no more,
/// and glob has it stand alone in its directory.
fn one_star(glob: &str) -> String {
    let mut one = String::with_capacity(glob.len());
    for c in glob.chars() {
        if c != '*' || !one.ends_with('*') {
            one.push(c);
        }
    }
    one
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::place::Source;

    fn place() -> Place {
        Source::new(Path::new("p.toml"), "").line(1)
    }

    fn named(path: &str) -> Named<'_> {
        let name = without_ko(path.rsplit('/').next().unwrap());
        Named { name, path }
    }

    fn matches(selector: &str, path: &str) -> bool {
        let selector = Selector::new(selector, place()).unwrap();
        selector.matches(named(path))
    }

    fn refusal(selector: &str) -> String {
        Selector::new(selector, place()).unwrap_err().to_string()
    }

    #[test]
    fn names_are_compared_without_telling_dash_from_underscore() {
        for path in ["kernel/a/snd-hda-intel.ko", "snd_hda_intel.ko.zst"] {
            for selector in [
                "snd-hda-intel",
                "snd_hda-intel",
                "snd-hda-intel.ko",
                "snd-hda-*",
                "snd_h?a-*",
                "*-intel",
                "*",
                "**",
                "snd[-_]hda[!a]intel",
                "snd[!a-z]hda-intel",
            ] {
                assert!(matches(selector, path), "{selector} {path}");
            }
            for selector in ["snd-hda", "SND-hda-intel", "snd-hda-inte?l", "kernel"] {
                assert!(!matches(selector, path), "{selector} {path}");
            }
        }
    }

    #[test]
    fn brackets_keep_their_dash() {
        assert_eq!(underscored("a-[b-d]-[!]-]-["), "a_[b-d]_[!]-]_[");
        assert!(matches("sd[a-c]-x", "kernel/sdb_x.ko"));
        assert!(!matches("sd[a-c]-x", "kernel/sd__x.ko"));
    }

    #[test]
    fn a_star_stays_in_its_directory_and_two_do_not() {
        let ext4 = "kernel/fs/ext4/ext4.ko.xz";
        for selector in [
            "kernel/fs/**",
            "kernel/fs/",
            "kernel/fs/ext4/",
            "kernel/*/ext4/ext4",
            "kernel/fs/ext?/*",
            "kernel/fs/ext4/ext4",
            "kernel/fs/ext4/ext4.ko",
            "kernel/fs/ext4/ext4.ko.zst",
            "kernel/**/ext4",
            "**/ext4",
            "kernel/f[a-z]/",
            "re:^kernel/(fs|crypto)/.*4$",
        ] {
            assert!(matches(selector, ext4), "{selector}");
            assert!(matches(selector, "kernel/fs/ext4/ext4"), "{selector}");
        }
        for selector in [
            "kernel/fs/*",
            "kernel/*/ext4",
            "kernel/f/",
            "kernel/fs/ext",
            "kernel/fs/ext4",
            "kernel/fs/ext4/ext4/",
            "re:^fs",
            "re:ko",
            "needs: ext4",
        ] {
            assert!(!matches(selector, ext4), "{selector}");
        }
    }

    #[test]
    fn two_stars_may_be_no_directory() {
        let selector = "kernel/net/**/netfilter/";
        for path in [
            "kernel/net/netfilter/x.ko",
            "kernel/net/ipv4/netfilter/x.ko",
            "kernel/net/a/b/netfilter/c/x.ko",
        ] {
            assert!(matches(selector, path), "{path}");
        }
        assert!(!matches(selector, "kernel/net/netfilter.ko"));
        assert!(!matches(selector, "kernel/net/xnetfilter/x.ko"));
    }

    #[test]
    fn paths_tell_dash_from_underscore() {
        assert!(!matches("kernel/a_b", "kernel/a-b.ko"));
        assert!(matches("kernel/a-b", "kernel/a-b.ko"));
    }

    #[test]
    fn needs_gives_a_name() {
        let needs = |text| Selector::new(text, place()).unwrap();
        assert_eq!(needs("needs: mac80211").needs(), Some("mac80211"));
        assert_eq!(needs("needs:usbcore.ko").needs(), Some("usbcore"));
        assert_eq!(needs("usbcore").needs(), None);
    }

    #[test]
    fn what_can_match_nothing_is_refused() {
        for (selector, reason) in [
            ("", r#"selector "" names nothing"#),
            ("re:", r#"selector "re:" names nothing"#),
            ("needs: ", r#"selector "needs: " names nothing"#),
            (
                "need: usbcore",
                r#"selector "need: usbcore": no module's path has ':'"#,
            ),
            (
                "needs: usb*",
                r#"selector "needs: usb*": no module's path has '*'"#,
            ),
            ("a\nb", r#"selector "a\nb": no module's path has '\n'"#),
            (
                "/lib/modules/x",
                r#"selector "/lib/modules/x": such a path is not below lib/modules/<kernelrelease>"#,
            ),
            (
                "kernel/../x",
                r#"selector "kernel/../x": such a path is not below lib/modules/<kernelrelease>"#,
            ),
            ("a[b", r#"selector "a[b": invalid range pattern"#),
            (
                "kernel/a**",
                r#"selector "kernel/a**": recursive wildcards must form a single path component"#,
            ),
            ("re:a(", r#"selector "re:a(": unclosed group"#),
        ] {
            assert_eq!(refusal(selector), reason);
        }
    }

    #[test]
    fn guarded_paths_are_read_as_modpost_reads_them() {
        let matches = |selector, path| {
            let selector = Selector::guarded(selector, place()).unwrap();
            selector.matches(named(path))
        };
        assert!(matches(
            "drivers/md/md-cluster",
            "kernel/drivers/md/md_cluster.ko"
        ));
        assert!(matches(
            "drivers/md/dm-mod",
            "kernel/drivers/moved/dm-mod.ko.zst"
        ));
        assert!(matches("drivers/atm/*", "kernel/drivers/atm/he.ko"));
        assert!(matches(
            "drivers/isdn/*",
            "kernel/drivers/isdn/mISDN/l1oip.ko"
        ));
        assert!(matches(
            "kernel/trace/*-delay",
            "kernel/kernel/trace/x_delay.ko"
        ));
        assert!(!matches("drivers/atm/*", "updates/drivers/atm/he.ko"));
        assert!(!matches("drivers/atm/*", "kernel/drivers/atm2/he.ko"));
    }
}
