//! Runs the steps that make a plan.

use std::collections::BTreeMap;

use modtree::{Resolution, Tree};
use policy::{GroupBy, Policy};

use super::assemble::assemble;
use super::check::check;
use super::claims::{Claims, Matcher};
use super::error::PlanError;
use super::groups::Groups;
use super::model::Plan;
use super::names::names;
use super::patterns::patterns;
use super::previous::PreviousPlan;
use super::{auto, directory, moved};

/// Assigns every module of a tree to a package. With a previous plan modules stay in their
/// packages, unless a rule or a circle forbids it.
///
/// # Errors
/// Rules contradict each other or what modules need, or packages would need each other in a
/// circle.
pub fn plan(
    tree: &Tree,
    resolution: &Resolution,
    policy: &Policy,
    previous: Option<&PreviousPlan>,
) -> Result<Plan, PlanError> {
    let grouping = &policy.grouping;
    let unsupported = policy.naming.unsupported.as_deref();
    let claims = Claims::new(tree, resolution, policy)?;
    let mut groups = Groups::new(tree, resolution, &claims, unsupported.is_some());
    let mut given = groups.gather_claimed(&claims);
    groups.refuse_circles(tree, &given)?;
    let kept = previous.filter(|previous| previous.grouping == grouping.by.as_str());
    if let Some(previous) = kept {
        previous.gather(tree, &mut groups, &mut given);
    }
    let mut unmet = None;
    let wanted = match grouping.by {
        GroupBy::PerModule => BTreeMap::new(),
        GroupBy::Directory => directory::gather(tree, &mut groups, grouping.depth),
        GroupBy::Auto => {
            unmet = auto::gather(tree, &mut groups, grouping, &claims.hardware);
            BTreeMap::new()
        }
    };
    let names = names(tree, &groups, given, &wanted, unsupported);
    let mut plan = assemble(tree, policy, claims, groups, names);
    plan.warnings.extend(unmet);
    let matcher = Matcher::new(tree, resolution);
    plan.patterns = patterns(&matcher, &policy.patterns, &plan);
    if let Some(previous) = previous {
        plan.moved = moved::moved(previous, tree, &plan);
        plan.departures = moved::departures(previous, tree, &plan);
        plan.warnings.extend(moved::given_away(tree, &plan));
    }
    plan.warnings.extend(differences(tree, resolution));
    check(tree, resolution, &plan)?;
    Ok(plan)
}

/// Where symbols and `depends=` differ: the first few, and how many more there are.
fn differences(tree: &Tree, resolution: &Resolution) -> Vec<String> {
    const SHOWN: usize = 10;
    let all = &resolution.differences;
    let shown = all.iter().take(SHOWN);
    let mut warnings: Vec<_> = shown.map(|one| one.describe(tree)).collect();
    if all.len() > SHOWN {
        warnings.push(format!("{} more such differences", all.len() - SHOWN));
    }
    warnings
}
