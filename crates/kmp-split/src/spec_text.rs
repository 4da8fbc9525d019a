//! A plan in, the subpackages of a spec file or of a spec part out.
//!
//! rpm's section parser reads the text, and which parts of it pass macro
//! expansion depends on its version. Paths and names were checked when tree and
//! policy were read; free text, such as a module's description, is made
//! harmless here: no `%`, so no line starts with a directive, and none with `#`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use deptag::Dialect;
use modtree::{Difference, ModuleId, Resolution, Tree};
use policy::Depends;

use crate::identity::Identity;
use crate::moves::{Moves, Word};
use crate::plan::{Package, PackageId, PatternPackage, Plan};

/// What the subpackages are made of.
#[derive(Clone, Copy)]
pub struct Subpackages<'s> {
    /// Names and versions.
    pub identity: &'s Identity,
    /// The modules.
    pub tree: &'s Tree,
    /// Who needs whom.
    pub resolution: &'s Resolution,
    /// Their packages.
    pub plan: &'s Plan,
    /// What became of packages of an earlier plan.
    pub moves: &'s Moves,
    /// The directory that has a list of files for each package; see [`crate::lists`].
    pub lists: &'s Path,
}

/// A package of a spec file, as far as all kinds of them are alike.
struct Section<'s> {
    name: &'s str,
    summary: &'s str,
    tags: Vec<String>,
    description: &'s str,
    files: Option<String>,
}

impl Subpackages<'_> {
    /// The text of all subpackages: modules, patterns and metapackages.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for package in self.plan.packages.values() {
            self.kmp(&mut out, package);
        }
        for pattern in &self.plan.patterns {
            self.pattern(&mut out, pattern);
        }
        for (stem, packages) in &self.moves.names {
            self.former(&mut out, stem, packages);
        }
        for (name, packages) in self.identity.metapackages(self.plan) {
            self.metapackage(&mut out, &name, &packages);
        }
        out
    }

    fn kmp(&self, out: &mut String, package: &Package) {
        let name = self.identity.kmp(&package.stem);
        let summary = self.summary(package);
        let list = self.lists.join(format!("{}.list", package.stem));
        write(
            out,
            Section {
                name: &name,
                summary: &summary,
                tags: self.kmp_tags(package, &name),
                description: &self.description(package),
                files: Some(list.display().to_string()),
            },
        );
    }

    /// The package's own tags; those of its modules come from the generators.
    fn kmp_tags(&self, package: &Package, name: &str) -> Vec<String> {
        let Identity { flavor, evr, .. } = self.identity;
        let stem = &package.stem;
        let flavor = flavor.as_str();
        let mut provided = Vec::new();
        let mut tags = self.side_by_side();
        // Modules go before what keeps their indexes, where both go.
        tags.push("OrderWithRequires: kmpkit".to_owned());
        match self.identity.dialect {
            Dialect::Suse => {
                provided.push(format!("{stem}-kmp"));
                tags.push(format!("Enhances: kernel-{flavor}"));
            }
            Dialect::RedHat => provided.push(format!("kmod-{stem}")),
        }
        if self.identity.naming.kabi {
            provided.push(self.identity.kmp_of_any_kabi(stem));
        }
        provided.retain(|provided| provided != name);
        tags.extend(
            provided
                .iter()
                .map(|name| format!("Provides: {name} = {evr}")),
        );
        if self.identity.naming.depends == Depends::Package {
            let needs = package.needs.iter().map(|&id| &self.plan.packages[id].stem);
            let needs = needs.map(|stem| format!("Requires: {} = {evr}", self.identity.kmp(stem)));
            tags.extend(needs);
        }
        tags.extend(self.only_by_symbols(package));
        tags.extend(self.words(stem));
        tags
    }

    /// Packages that a module needs for symbols of modules its `depends=` does not name: without
    /// modversions no other tag says so.
    fn only_by_symbols(&self, package: &Package) -> BTreeSet<String> {
        let differences = self.resolution.differences.iter();
        let providers = differences.filter_map(|difference| match difference {
            Difference::OnlySymbols { user, provider } if package.modules.contains(user) => {
                self.plan.package_of(*provider)
            }
            _ => None,
        });
        let others = providers.filter(|&id| self.plan.packages[id].stem != package.stem);
        others
            .map(|id| format!("Requires: {}", self.requirement(id)))
            .collect()
    }

    /// What an update needs where modules came from other packages.
    fn words(&self, stem: &str) -> Vec<String> {
        let words = self.moves.words(stem).map(|word| match word {
            Word::Replaces { stem, since } => {
                let old = self.identity.kmp(stem);
                vec![
                    format!("Provides: {old} = {}", self.identity.evr),
                    format!("Obsoletes: {old} < {since}"),
                ]
            }
            Word::TakesFrom { stem, since } => {
                vec![format!("Conflicts: {} < {since}", self.identity.kmp(stem))]
            }
            Word::TakesFromImage { since } => {
                vec![format!("Conflicts: {} < {since}", self.identity.image)]
            }
            Word::GivesToImage => vec![self.image()],
            Word::Gives(to) => vec![format!("Recommends: {}", self.requirement(*to))],
        });
        words.flatten().collect()
    }

    /// Kernels live side by side, and so do their modules.
    fn side_by_side(&self) -> Vec<String> {
        let mut tags = Vec::new();
        if self.identity.is_multiversion() {
            tags.push("Provides: multiversion(kernel)".to_owned());
        }
        if self.identity.dialect == Dialect::RedHat {
            tags.push("Provides: installonlypkg(kernel-module)".to_owned());
        }
        tags
    }

    fn pattern(&self, out: &mut String, pattern: &PatternPackage) {
        let summary = match one_line(&pattern.summary) {
            told if told.is_empty() => format!("Kernel modules: {}", pattern.name),
            told => told,
        };
        // The name among all patterns of a distribution; a version, so without a dash.
        let pattern_name = format!("kernel_{}", pattern.name.replace('-', "_"));
        let mut tags = vec![format!("Provides: pattern() = {}", escaped(&pattern_name))];
        if let Some(category) = pattern.category.as_ref().filter(|text| !text.is_empty()) {
            tags.push(format!(
                "Provides: pattern-category() = {}",
                escaped(category)
            ));
        }
        if let Some(order) = pattern.order {
            tags.push(format!("Provides: pattern-order() = {order}"));
        }
        if pattern.visible {
            tags.push("Provides: pattern-visible()".to_owned());
        }
        tags.push(self.image());
        let packages = pattern.packages.iter();
        tags.extend(packages.map(|&id| format!("Requires: {}", self.requirement(id))));
        let description = pattern.description.as_deref().map(paragraph);
        write(
            out,
            Section {
                name: &self.identity.pattern(&pattern.name),
                summary: &summary,
                tags,
                description: &description.unwrap_or_else(|| format!("{summary}.")),
                files: None,
            },
        );
    }

    /// A package that is no more, as a name that leads to its modules.
    fn former(&self, out: &mut String, stem: &str, packages: &BTreeSet<PackageId>) {
        let mut tags = self.side_by_side();
        tags.push(self.image());
        let requires = packages
            .iter()
            .map(|&id| format!("Requires: {}", self.requirement(id)));
        tags.extend(requires);
        write(
            out,
            Section {
                name: &self.identity.kmp(stem),
                summary: "Kernel modules that are in other packages now",
                tags,
                description: "This package has no files: it requires the packages that have the modules it had \
                              in earlier builds, the kernel image among them.",
                files: None,
            },
        );
    }

    fn metapackage(&self, out: &mut String, name: &str, packages: &[PackageId]) {
        let flavor = self.identity.flavor.as_str();
        let mut tags = self.side_by_side();
        tags.push(self.image());
        let packages = packages.iter();
        tags.extend(packages.map(|&id| format!("Requires: {}", self.requirement(id))));
        write(
            out,
            Section {
                name,
                summary: &format!("The kernel and all its modules, flavor {flavor}"),
                tags,
                description: "This package has no files: it requires the kernel image and the packages \
                              of its modules, as a kernel that is one package would bring them.",
                files: None,
            },
        );
    }

    fn image(&self) -> String {
        format!("Requires: {} = {}", self.identity.image, self.identity.evr)
    }

    /// See [`Identity::requirement`].
    fn requirement(&self, id: PackageId) -> String {
        let package = &self.plan.packages[id];
        let module = package.modules.first().map(|&id| self.module_name(id));
        self.identity
            .requirement(package, module.unwrap_or_default())
    }

    fn module_name(&self, id: ModuleId) -> &str {
        &self.tree.modules[id].file.name
    }

    /// One line for rpm to show: the set's, else the only module's own description, else what
    /// modules there are.
    fn summary(&self, package: &Package) -> String {
        let own = |&id: &ModuleId| self.tree.modules[id].description.as_deref();
        let told = match (&package.summary, &package.modules[..]) {
            (Some(summary), _) => one_line(summary),
            (None, [only]) => one_line(own(only).unwrap_or_default()),
            (None, _) => String::new(),
        };
        if !told.is_empty() {
            return told;
        }
        let names = package.modules.iter().map(|&id| self.module_name(id));
        let names = names.collect::<Vec<_>>().join(", ");
        let modules = match package.modules.len() {
            1 => format!("Kernel module {names}"),
            _ => format!("Kernel modules {names}"),
        };
        shortened(&modules, SUMMARY)
    }

    fn description(&self, package: &Package) -> String {
        let flavor = self.identity.flavor.as_str();
        let modules = package.modules.iter().map(|&id| {
            let module = self.module_name(id);
            let described = self.tree.modules[id].description.as_deref().map(words);
            match described.filter(|text| !text.is_empty()) {
                Some(text) => format!("* {module}: {}", shortened(&text, TOLD)),
                None => format!("* {module}"),
            }
        });
        let told = match (&package.description, &package.summary) {
            (Some(description), _) => paragraph(description),
            (None, Some(summary)) => words(summary) + ".",
            (None, None) => String::new(),
        };
        let mut text = match told.is_empty() {
            true => String::new(),
            false => told + "\n\n",
        };
        let _ = write!(text, "Kernel modules for {flavor} kernels:");
        for module in modules {
            let _ = write!(text, "\n{module}");
        }
        text
    }
}

fn write(out: &mut String, section: Section<'_>) {
    let Section {
        name,
        summary,
        tags,
        description,
        files,
    } = section;
    let tags: String = tags.iter().map(|tag| format!("{tag}\n")).collect();
    let description = lines(description);
    let files = files.map_or_else(String::new, |list| format!(" -f {list}"));
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "%package -n {name}\nSummary: {summary}\n{tags}\
         %description -n {name}\n{description}\n\
         %files -n {name}{files}\n\n"
    );
}

/// Characters of a line of text; rpmlint(1) wants no more.
const WIDTH: usize = 79;
/// Characters of a summary.
const SUMMARY: usize = WIDTH;
/// Characters of what a module says of itself among others.
const TOLD: usize = 120;

/// Free text as words, without what rpm could expand.
fn words(text: &str) -> String {
    let plain = text.replace(|c: char| c.is_control(), " ");
    let plain = plain.replace('%', " percent");
    let words: Vec<_> = plain.split_whitespace().collect();
    words.join(" ").trim_end_matches(['.', ' ']).to_owned()
}

/// The same, as long as a summary may be.
fn one_line(text: &str) -> String {
    shortened(&words(text), SUMMARY)
}

/// Free text of several lines, none of which can be taken for a directive: rpm knows them by what
/// a line starts with.
fn paragraph(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace(|c: char| c.is_control(), " ");
        let line = line.replace('%', " percent");
        line.trim().to_owned()
    });
    let lines: Vec<_> = lines.collect();
    lines.join("\n").trim().to_owned()
}

/// A line up to the last blank that leaves it no longer than `width` characters.
fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    // One character is the ellipsis.
    let end = line.char_indices().nth(width.saturating_sub(1));
    let cut = end.and_then(|(at, _)| line.get(..at)).unwrap_or(line);
    let whole = cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole);
    format!("{}…", whole.trim_end_matches(','))
}

/// A description in lines that are not too long. rpm takes one that begins with # for a comment,
/// so none does.
fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.trim_start_matches(['#', ' ']);
        match line.chars().count() {
            0..=WIDTH => line.to_owned(),
            _ => wrapped(line),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line as several, the further ones of a list's item indented.
fn wrapped(line: &str) -> String {
    let indent = if line.starts_with("* ") { "  " } else { "" };
    let mut out = String::new();
    let mut column = 0;
    for word in line.split_whitespace() {
        let length = word.chars().count();
        if column == 0 {
            column = length;
        } else if column + 1 + length > WIDTH && !word.starts_with('#') {
            out.push('\n');
            out.push_str(indent);
            column = indent.len() + length;
        } else {
            out.push(' ');
            column += 1 + length;
        }
        out.push_str(word);
    }
    out
}

/// A text as the version of a tag, where libzypp decodes `%20`. A percent sign before a digit is
/// none of a macro; for bytes whose code begins with a letter it could be, so they are not kept.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~^".contains(&byte);
    let escape = |byte: u8| match byte {
        _ if plain(byte) => char::from(byte).to_string(),
        0..0xa0 => format!("%{byte:02X}"),
        _ => "_".to_owned(),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_description_is_a_comment() {
        assert_eq!(lines("# a\n  ## b # c\n#"), "a\nb # c\n");
        let word = "w".repeat(WIDTH - 1);
        assert_eq!(lines(&format!("{word} #1 x")), format!("{word} #1\nx"));
    }

    #[test]
    fn long_lines_are_wrapped() {
        let word = "w".repeat(40);
        assert_eq!(
            lines(&format!("{word} {word}\na  b")),
            format!("{word}\n{word}\na  b")
        );
        let item = format!("* {word} {word} {word}");
        assert_eq!(lines(&item), format!("* {word}\n  {word}\n  {word}"));
        let long = "w".repeat(100);
        assert_eq!(lines(&long), long);
    }

    #[test]
    fn a_summary_is_a_line_of_words_without_macros() {
        assert_eq!(one_line(" a\n%(b)\t100%. "), "a percent(b) 100 percent");
        let line = one_line(&"ab, ".repeat(40));
        assert!(
            line.ends_with("ab…") && line.chars().count() <= SUMMARY,
            "{line}"
        );
        assert_eq!(one_line("%\u{1b}%"), "percent percent");
    }

    #[test]
    fn versions_have_no_macros() {
        assert_eq!(escaped("a b-%(c)"), "a%20b%2D%25%28c%29");
        assert_eq!(escaped("\u{e4}"), "__");
    }
}
