//! A plan and the patterns of a policy in, packages that require others out.

use std::collections::BTreeSet;

use policy::Pattern;

use super::claims::Matcher;
use super::package::{PackageId, Plan};

/// A package that requires those of a pattern's modules.
#[derive(Clone, Debug)]
pub struct PatternPackage {
    /// What the naming template calls `{name}`.
    pub name: String,
    /// One line.
    pub summary: String,
    /// A paragraph.
    pub description: Option<String>,
    /// The heading zypper shows it under.
    pub category: Option<String>,
    /// Where among its kin.
    pub order: Option<u32>,
    /// Whether it is shown.
    pub visible: bool,
    /// The packages it requires, by stem; at least one.
    pub packages: Vec<PackageId>,
}

/// The patterns that have modules outside the image package.
pub fn patterns(matcher: &Matcher<'_>, patterns: &[Pattern], plan: &Plan) -> Vec<PatternPackage> {
    let mut found: Vec<_> = patterns
        .iter()
        .filter_map(|pattern| package(matcher, pattern, plan))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn package(matcher: &Matcher<'_>, pattern: &Pattern, plan: &Plan) -> Option<PatternPackage> {
    let members = matcher.members(&pattern.members, &pattern.except);
    let packages = members.iter().filter_map(|&(id, _)| plan.package_of(id));
    let packages: BTreeSet<_> = packages.collect();
    if packages.is_empty() {
        log::info!(
            "{}: no module of pattern {} is in a package",
            pattern.line,
            pattern.name
        );
        return None;
    }
    let summary = pattern.summary.clone();
    Some(PatternPackage {
        summary: summary.unwrap_or_else(|| format!("Kernel modules: {}", pattern.name)),
        name: pattern.name.clone(),
        description: pattern.description.clone(),
        category: pattern.category.clone(),
        order: pattern.order,
        visible: pattern.visible,
        packages: packages.into_iter().collect(),
    })
}
