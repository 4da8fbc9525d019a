//! Selectors, which name modules in policies and imported lists.

use kmodule::{is_same_name, module_stem_str, normalized_str};
use regex_lite::Regex;

use crate::error::Problem;
use crate::file_line::{FileLine, LineIndex, PolicyFile};
use crate::path_glob::{ANYWHERE, PathGlob, normalized, pattern, single_stars};
use crate::regexes::{LIMIT_KIB, RegexBudget, RegexError};

/// A module, as selectors see it. Make it once for many selectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModulePath<'m> {
    /// The path without `.ko`.
    stem: &'m str,
    /// The last part of it.
    name: &'m str,
}

impl<'m> ModulePath<'m> {
    /// The module at `path` below `lib/modules/<kernelrelease>`. The path may end before `.ko`, or
    /// behind it, or behind the suffix of a compression.
    pub fn new(path: &'m str) -> Self {
        let stem = stem(path);
        let name = stem.rsplit_once('/').map_or(stem, |(_, name)| name);
        Self { stem, name }
    }
}

/// What names modules.
#[derive(Clone, Debug)]
pub struct Selector {
    text: String,
    line: FileLine,
    kind: SelectorKind,
    imported: bool,
}

/// How a selector is compared. Most have no pattern, and policies have thousands of selectors for
/// thousands of modules: those are compared as text.
#[derive(Clone, Debug)]
enum SelectorKind {
    /// A name, normalized.
    Name(String),
    /// A glob on normalized names.
    NameGlob(glob::Pattern),
    /// A path without `.ko`.
    Path(String),
    /// The directory with its `/`, with which paths begin.
    Below(String),
    /// A glob on paths without `.ko`.
    PathGlob(PathGlob),
    /// A glob of supported.conf, on paths below `kernel/` with a normalized name.
    SupportedConfGlob(glob::Pattern),
    /// A regular expression on paths without `.ko`.
    Regex(Regex),
    /// The name of the module that the selected modules need.
    Needs(String),
}

const WILD: [char; 3] = ['*', '?', '['];

impl Selector {
    /// A selector of a policy.
    pub(crate) fn new(
        text: &str,
        line: FileLine,
        regexes: &mut RegexBudget,
    ) -> Result<Self, Problem> {
        let kind = match text.split_once(':') {
            Some(("re", regex)) => regex_kind(regex, text, regexes)?,
            Some(("needs", module)) => SelectorKind::Needs(needed(module, text)?),
            _ => plain_kind(text)?,
        };
        Ok(Self {
            text: text.to_owned(),
            line,
            kind,
            imported: false,
        })
    }

    /// A selector without a file, for tests of the parser.
    ///
    /// # Errors
    /// The text is not a selector.
    #[doc(hidden)]
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let line = LineIndex::new(PolicyFile::Default, "").line(1);
        Self::new(text, line, &mut RegexBudget::default())
    }

    /// A line of a list of modules, a name or a path.
    pub(crate) fn listed(text: &str, line: FileLine) -> Result<Self, Problem> {
        Ok(Self {
            text: text.to_owned(),
            line,
            kind: plain_kind(text)?,
            imported: true,
        })
    }

    /// A path of supported.conf, read as SUSE's modpost reads it
    /// (kernel-source/patches.suse/supported-flag-wildcards). Without wildcards only the name
    /// counts, because modules move. With wildcards the whole path below `kernel/` counts, and `*`
    /// passes directories.
    pub(crate) fn guarded(text: &str, line: FileLine) -> Result<Self, Problem> {
        let path = checked_path(text)?;
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let kind = match path.contains(WILD) {
            false => SelectorKind::Name(normalized_str(name).into_owned()),
            true => {
                let glob = single_stars(&format!("{directory}/{}", normalized(name)));
                SelectorKind::SupportedConfGlob(valid(pattern(&glob), text)?)
            }
        };
        Ok(Self {
            text: text.to_owned(),
            line,
            kind,
            imported: true,
        })
    }

    /// The line that has the selector.
    pub fn line(&self) -> &FileLine {
        &self.line
    }

    /// The selector as it is written there.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the selector is from an imported list. Such lists cover more architectures than one
    /// kernel has, so it is no mistake if a selector matches no module.
    pub fn is_imported(&self) -> bool {
        self.imported
    }

    /// The module X of `needs: X`.
    pub fn needs(&self) -> Option<&str> {
        match &self.kind {
            SelectorKind::Needs(module) => Some(module),
            _ => None,
        }
    }

    /// Whether the selector names this module. What modules need is not known here, so a selector
    /// with `needs:` never matches.
    pub fn matches(&self, module: ModulePath<'_>) -> bool {
        let path = module.stem;
        match &self.kind {
            SelectorKind::Name(name) => is_same_name(name.as_bytes(), module.name.as_bytes()),
            SelectorKind::NameGlob(glob) => {
                glob.matches_with(&normalized_str(module.name), ANYWHERE)
            }
            SelectorKind::Path(same) => path == same,
            SelectorKind::Below(directory) => path.starts_with(directory),
            SelectorKind::PathGlob(glob) => glob.matches(path),
            SelectorKind::SupportedConfGlob(glob) => path
                .strip_prefix("kernel/")
                .and_then(|path| path.rsplit_once('/'))
                .map(|(directory, name)| format!("{directory}/{}", normalized_str(name)))
                .is_some_and(|path| glob.matches_with(&path, ANYWHERE)),
            SelectorKind::Regex(regex) => regex.is_match(path),
            SelectorKind::Needs(_) => false,
        }
    }
}

/// A name or path without `.ko` and the suffix of a compression.
fn stem(path: &str) -> &str {
    module_stem_str(path).unwrap_or(path)
}

fn regex_kind(regex: &str, text: &str, regexes: &mut RegexBudget) -> Result<SelectorKind, Problem> {
    let selector = || text.to_owned();
    if regex.is_empty() {
        return Err(Problem::EmptySelector(selector()));
    }
    match regexes.compile(regex) {
        Ok(regex) => Ok(SelectorKind::Regex(regex)),
        Err(RegexError::Syntax(reason)) => Err(Problem::Regex {
            selector: selector(),
            reason,
        }),
        Err(RegexError::TooLarge) => Err(Problem::RegexTooLarge {
            selector: selector(),
            limit: LIMIT_KIB,
        }),
    }
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

fn plain_kind(text: &str) -> Result<SelectorKind, Problem> {
    let path = checked_path(text)?;
    if !path.contains('/') {
        return name_kind(path, text);
    }
    let path_glob = |glob: &str| valid(PathGlob::new(glob), text).map(SelectorKind::PathGlob);
    let below = path.strip_suffix("/**").or_else(|| path.strip_suffix('/'));
    match (below, path.contains(WILD)) {
        (Some(directory), _) if !directory.contains(WILD) => {
            Ok(SelectorKind::Below(format!("{directory}/")))
        }
        (Some(directory), _) => path_glob(&format!("{directory}/**")),
        (None, true) => path_glob(path),
        (None, false) => Ok(SelectorKind::Path(path.to_owned())),
    }
}

fn name_kind(name: &str, text: &str) -> Result<SelectorKind, Problem> {
    match name.contains(WILD) {
        true => {
            let glob = single_stars(&normalized(name));
            valid(pattern(&glob), text).map(SelectorKind::NameGlob)
        }
        false => Ok(SelectorKind::Name(normalized_str(name).into_owned())),
    }
}

fn valid<G>(glob: Result<G, &'static str>, text: &str) -> Result<G, Problem> {
    glob.map_err(|reason| Problem::Glob {
        selector: text.to_owned(),
        reason,
    })
}

/// Returns the text without `.ko` if modules can have such paths: made of the characters that
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
    let path = stem(text);
    let mut parts = path.strip_suffix('/').unwrap_or(path).split('/');
    match path {
        "" => Err(Problem::EmptySelector(selector())),
        _ if parts.any(|part| matches!(part, "" | "." | "..")) => {
            Err(Problem::OutOfTree(selector()))
        }
        path => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, path: &str) -> bool {
        let selector = Selector::parse(selector).unwrap();
        selector.matches(ModulePath::new(path))
    }

    fn refusal(selector: &str) -> String {
        Selector::parse(selector).unwrap_err().to_string()
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
        let needs = |text| Selector::parse(text).unwrap();
        assert_eq!(needs("needs: mac80211").needs(), Some("mac80211"));
        assert_eq!(needs("needs:usbcore.ko").needs(), Some("usbcore"));
        assert_eq!(needs("usbcore").needs(), None);
    }

    #[test]
    fn what_can_match_nothing_is_refused() {
        for (selector, reason) in [
            (
                "",
                r#"selector "" is empty: write a module's name, a path or a pattern"#,
            ),
            (
                "re:",
                r#"selector "re:" is empty: write a module's name, a path or a pattern"#,
            ),
            (
                "needs: ",
                r#"selector "needs: " is empty: write a module's name, a path or a pattern"#,
            ),
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
                r#"selector "/lib/modules/x": write the path below lib/modules/<kernelrelease>, such as kernel/fs/ext4"#,
            ),
            (
                "kernel/../x",
                r#"selector "kernel/../x": write the path below lib/modules/<kernelrelease>, such as kernel/fs/ext4"#,
            ),
            ("a[b", r#"selector "a[b": invalid range pattern"#),
            (
                "kernel/a**",
                r#"selector "kernel/a**": recursive wildcards must form a single path component"#,
            ),
            (
                "re:a(",
                r#"selector "re:a(": found open group without closing ')'"#,
            ),
        ] {
            assert_eq!(refusal(selector), reason);
        }
    }

    #[test]
    fn guarded_paths_are_read_as_modpost_reads_them() {
        let matches = |selector, path| {
            let line = LineIndex::new(PolicyFile::Default, "").line(1);
            let selector = Selector::guarded(selector, line).unwrap();
            selector.matches(ModulePath::new(path))
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
