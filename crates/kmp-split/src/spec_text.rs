//! Packages in, the subpackages of a spec file out.
//!
//! rpm's section parser reads the text, and which parts of it pass macro
//! expansion depends on its version. Paths and names were checked when the tree
//! was read; the one free text, a module's description, is made harmless here:
//! no `%`, nothing at the start of a line.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use deptag::Dialect;

use crate::plan::Package;

/// What all subpackages of one kernel share.
#[derive(Clone, Copy)]
pub struct Subpackages<'s> {
    /// Whose package names and habits.
    pub dialect: Dialect,
    /// Version and release of the packages.
    pub evr: &'s str,
    /// The kernel's flavor.
    pub flavor: &'s str,
    /// `lib/modules/<rel>` or `usr/lib/modules/<rel>`.
    pub modules_dir: &'s Path,
}

/// Writes the subpackage of each package with its module's description.
///
/// # Errors
/// Writing fails.
pub fn subpackages(
    mut out: impl Write,
    shared: Subpackages<'_>,
    packages: &[(Package, Option<String>)],
) -> io::Result<()> {
    for (package, description) in packages {
        let module = &package.module.name;
        let name = format!("{}-kmp-{}", package.stem, shared.flavor);
        let summary = summary(module, description.as_deref());
        writeln!(out, "%package -n {name}")?;
        writeln!(out, "Summary: {summary}")?;
        for tag in shared.tags(&package.stem) {
            writeln!(out, "{tag}")?;
        }
        writeln!(out, "%description -n {name}")?;
        writeln!(
            out,
            "The kernel module {module} for {} kernels.",
            shared.flavor
        )?;
        if description.is_some() {
            writeln!(out, "It describes itself as: {summary}.")?;
        }
        writeln!(out, "%files -n {name}")?;
        writeln!(out, "%defattr(-,root,root)")?;
        for directory in shared.directories(&package.module.path) {
            writeln!(out, "%dir {directory}")?;
        }
        writeln!(out, "{}\n", shared.installed(&package.module.path))?;
    }
    Ok(())
}

impl Subpackages<'_> {
    /// The package's own tags. Kernels live side by side, so their modules do.
    fn tags(&self, stem: &str) -> Vec<String> {
        let mut tags = vec!["Provides: multiversion(kernel)".to_owned()];
        match self.dialect {
            Dialect::Suse => {
                tags.push(format!("Provides: {stem}-kmp = {}", self.evr));
                tags.push(format!("Enhances: kernel-{}", self.flavor));
            }
            Dialect::RedHat => {
                tags.push(format!("Provides: kmod-{stem} = {}", self.evr));
                tags.push("Provides: installonlypkg(kernel-module)".to_owned());
            }
        }
        tags
    }

    fn installed(&self, path: &str) -> String {
        let below_root = self.modules_dir.join(path);
        let below_root = below_root.display().to_string();
        format!("/{}", below_root.trim_end_matches('/'))
    }

    /// The directories of a module. All packages own them that need them, so that
    /// the last one to go takes them along.
    fn directories(&self, path: &str) -> BTreeSet<String> {
        let parents = Path::new(path).ancestors().skip(1);
        parents
            .filter_map(Path::to_str)
            .map(|directory| self.installed(directory))
            .collect()
    }
}

/// One line for rpm to show: the module's own description where it has one.
fn summary(module: &str, description: Option<&str>) -> String {
    const WIDTH: usize = 120;
    let plain: String = description
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .replace('%', " percent");
    let words: Vec<_> = plain.split_whitespace().collect();
    let line = words.join(" ");
    let line = match line.char_indices().nth(WIDTH) {
        Some((at, _)) => line.get(..at).map_or("", whole_words),
        None => &line,
    };
    let line = line.trim_end_matches(['.', ' ']);
    match line.is_empty() {
        true => format!("Kernel module {module}"),
        false => line.to_owned(),
    }
}

/// A text that was cut, up to its last blank.
fn whole_words(cut: &str) -> &str {
    cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use modtree::ModuleFile;

    fn text(description: Option<&str>, dialect: Dialect) -> String {
        let package = Package {
            stem: "e1000e".into(),
            module: ModuleFile {
                name: "e1000e".into(),
                path: "kernel/net/e1000e.ko".into(),
            },
        };
        let shared = Subpackages {
            dialect,
            evr: "6.1.0-50",
            flavor: "amd64",
            modules_dir: Path::new("lib/modules/6.1-amd64"),
        };
        let mut out = Vec::new();
        subpackages(
            &mut out,
            shared,
            &[(package, description.map(str::to_owned))],
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_subpackage_owns_its_module_and_the_way_to_it() {
        assert_eq!(
            text(Some("Intel driver."), Dialect::Suse),
            "%package -n e1000e-kmp-amd64
Summary: Intel driver
Provides: multiversion(kernel)
Provides: e1000e-kmp = 6.1.0-50
Enhances: kernel-amd64
%description -n e1000e-kmp-amd64
The kernel module e1000e for amd64 kernels.
It describes itself as: Intel driver.
%files -n e1000e-kmp-amd64
%defattr(-,root,root)
%dir /lib/modules/6.1-amd64
%dir /lib/modules/6.1-amd64/kernel
%dir /lib/modules/6.1-amd64/kernel/net
/lib/modules/6.1-amd64/kernel/net/e1000e.ko

"
        );
    }

    #[test]
    fn a_description_stays_text() {
        let text = text(Some("%(id)\n%prep\n%{lua:x}\u{7}  y"), Dialect::RedHat);
        assert!(text.contains("Summary: percent(id) percentprep percent{lua:x} y\n"));
        assert!(text.contains("Provides: kmod-e1000e = 6.1.0-50\n"));
        assert!(!text.contains("\n%prep"));
        assert_eq!(summary("x", Some(" . ")), "Kernel module x");
        assert_eq!(
            summary("x", Some(&"word ".repeat(50))),
            "word ".repeat(24).trim()
        );
    }
}
