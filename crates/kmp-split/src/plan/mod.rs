//! Turns a tree, who needs whom in it, and a policy into a plan: which package has each module.
//!
//! ```text
//! policy ─> claims: what the rules say of each module (image, set, package, excluded, nothing)
//!              └─> groups: modules that share a package, without a circle
//!                     ├─ previous: modules stay where an earlier plan had them
//!                     ├─ directory, auto: what becomes of modules that no rule claims
//!                     └─> names ─> package: the Plan ─> patterns, check
//! ```

mod auto;
mod check;
mod claims;
mod directory;
mod error;
mod groups;
mod likelihood;
mod names;
mod package;
mod patterns;
mod previous;

use std::collections::BTreeMap;

use modtree::{Resolution, Tree};
use policy::{GroupBy, Policy};

pub use check::{check, is_name};
pub use error::PlanError;
pub use package::{Location, Package, PackageId, Plan, Why};
pub use patterns::PatternPackage;
pub use previous::{Home, Left, LeftBefore, Moved, Previous};

use claims::{Claims, Matcher};
use groups::Groups;

/// Assigns every module of a tree to a package.
///
/// With a previous plan modules stay in their packages, unless a rule forbids it.
///
/// # Errors
/// Rules contradict each other or what modules need, or packages would need each other in a
/// circle.
pub fn plan(
    tree: &Tree,
    resolution: &Resolution,
    policy: &Policy,
    previous: Option<&Previous>,
) -> Result<Plan, PlanError> {
    let grouping = &policy.grouping;
    let claims = Claims::new(tree, resolution, policy)?;
    let mut groups = Groups::new(
        tree,
        resolution,
        &claims,
        policy.naming.unsupported.is_some(),
    );
    let mut names = groups.gather_claimed(&claims);
    groups.refuse_circles(tree, &names)?;
    let kept = previous.filter(|previous| previous.grouping == grouping.by.as_str());
    if let Some(previous) = kept {
        previous.gather(tree, &mut groups, &mut names);
    }
    let wanted = match grouping.by {
        GroupBy::PerModule => BTreeMap::new(),
        GroupBy::Directory => directory::gather(tree, &mut groups, grouping.depth),
        GroupBy::Auto => {
            auto::gather(tree, &mut groups, grouping, &claims.hardware);
            BTreeMap::new()
        }
    };
    let unsupported = policy.naming.unsupported.as_deref();
    let names = names::names(tree, &groups, names, &wanted, unsupported);
    let mut plan = package::assemble(tree, policy, claims, groups, names);
    let matcher = Matcher { tree, resolution };
    plan.patterns = patterns::patterns(&matcher, &policy.patterns, &plan);
    if let Some(previous) = previous {
        plan.moved = previous.moved(tree, &plan);
        plan.left = previous.left(tree, &plan);
        plan.warnings.extend(given_away(tree, &plan));
    }
    plan.warnings.extend(differences(tree, resolution));
    check(tree, resolution, &plan)?;
    Ok(plan)
}

/// Nothing brings a module back that the image had: that is for whoever took it out to know.
fn given_away(tree: &Tree, plan: &Plan) -> Option<String> {
    let moved = plan.moved.iter().filter(|moved| moved.from.is_none());
    let modules: Vec<_> = moved.map(|moved| moved.module).collect();
    (!modules.is_empty()).then(|| {
        let some = error::some_of(tree, &modules);
        format!("no longer in the image package, and not installed by its update: {some}")
    })
}

/// Where symbols and `depends=` differ: the first few, and how many more.
fn differences(tree: &Tree, resolution: &Resolution) -> Vec<String> {
    const SOME: usize = 10;
    let all = &resolution.differences;
    let mut told: Vec<_> = all
        .iter()
        .take(SOME)
        .map(|one| one.describe(tree))
        .collect();
    if all.len() > SOME {
        told.push(format!("{} more such differences", all.len() - SOME));
    }
    told
}
