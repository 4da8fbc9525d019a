//! Makes packages of the patterns of a policy.

use std::collections::BTreeSet;

use policy::Pattern;

use super::claims::Matcher;
use super::model::{PatternPackage, Plan};

/// Returns a package for each pattern that has modules outside the image package, sorted by name.
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
