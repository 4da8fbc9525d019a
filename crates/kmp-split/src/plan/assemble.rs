//! Makes the packages of a plan from named groups.

use std::collections::{BTreeMap, BTreeSet};

use modtree::Tree;
use policy::{ModuleSet, Policy};

use super::claims::{Claim, Claims};
use super::groups::{Group, GroupId, GroupOrigin, Groups};
use super::model::{Location, Package, PackageId, PackageSupport, Plan};

/// Makes a package of each group. The patterns, and what moved since an earlier plan, are not in
/// the plan yet.
pub fn assemble(
    tree: &Tree,
    policy: &Policy,
    claims: Claims,
    groups: Groups<'_>,
    names: BTreeMap<GroupId, String>,
) -> Plan {
    let by_stem: BTreeMap<String, GroupId> =
        names.into_iter().map(|(id, name)| (name, id)).collect();
    let ids: BTreeMap<GroupId, PackageId> = by_stem
        .values()
        .zip(0..)
        .map(|(&group, index)| (group, id_table::Id::from_index(index)))
        .collect();
    let sets = policy.sets.iter().map(|set| (set.name.as_str(), set));
    let sets: BTreeMap<&str, &ModuleSet> = sets.collect();
    let packages = by_stem.into_iter().map(|(stem, id)| {
        let group = groups.get(id);
        let set = sets.get(stem.as_str());
        let needs: BTreeSet<_> = group.needs.iter().filter_map(|id| ids.get(id)).collect();
        Package {
            summary: set.and_then(|set| set.summary.clone()),
            description: set.and_then(|set| set.description.clone()),
            modules: group.members.clone(),
            needs: needs.into_iter().copied().collect(),
            support: support(policy, &claims, group, &stem),
            stem,
        }
    });
    let packages = packages.collect();
    let location = tree.modules.map(|(id, _)| {
        let package = groups.of(id).and_then(|group| ids.get(&group));
        match (package, &claims.claims[id]) {
            (Some(&package), _) => Location::Package(package),
            (None, Claim::Excluded(_)) => Location::Excluded,
            (None, _) => Location::Image,
        }
    });
    Plan {
        packages,
        location,
        reasons: groups.reasons,
        hardware: claims.hardware,
        patterns: Vec::new(),
        moved: Vec::new(),
        departures: Vec::new(),
        warnings: claims.warnings,
    }
}

/// Groups that no rule made have the suffix if they are unsupported. A rule may give any name.
fn support(policy: &Policy, claims: &Claims, group: &Group, stem: &str) -> PackageSupport {
    let is_supported = group.members.iter().any(|&id| claims.supported[id]);
    match &policy.naming.unsupported {
        _ if is_supported => PackageSupport::Supported,
        Some(suffix) if group.origin != GroupOrigin::Rules || stem.ends_with(suffix) => {
            PackageSupport::Apart
        }
        Some(_) | None => PackageSupport::Unsupported,
    }
}
