//! Says why there are more or fewer packages than the policy wants.

use std::collections::BTreeMap;

use modtree::Tree;
use policy::Grouping;

use super::directories::{area, common_directory};
use super::groups::{Group, GroupOrigin, Groups};

/// Why a group is not joined with another one. Where several reasons apply, the first one counts: it
/// is the easiest to change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    TooLarge,
    Circle,
    Support,
    Previous,
    OnlyOfArea,
    Rules,
}

impl Obstacle {
    fn text(self, grouping: &Grouping) -> String {
        match self {
            Self::TooLarge => {
                format!(
                    "would exceed largest = {} together",
                    grouping.largest / 1024
                )
            }
            Self::Circle => "would need each other in a circle".to_owned(),
            Self::Support => "are kept apart by their support".to_owned(),
            Self::Previous => "are packages of the previous plan".to_owned(),
            Self::OnlyOfArea => {
                "are each the only one of a part of the kernel, and parts are not joined".to_owned()
            }
            Self::Rules => "are packages of rules".to_owned(),
        }
    }
}

/// Warns if there are more or fewer groups than the policy wants. Before they were joined there were
/// `before`, and the policy cannot expect more.
pub fn unmet(
    tree: &Tree,
    groups: &Groups<'_>,
    grouping: &Grouping,
    before: usize,
) -> Option<String> {
    let (least, most) = grouping.packages.clone().into_inner();
    let count = groups.count();
    if count > most {
        let why = obstacles(tree, groups, grouping).into_iter();
        let why = why.map(|(obstacle, count)| format!("{count} {}", obstacle.text(grouping)));
        return Some(format!(
            "[grouping] packages = [{least}, {most}] wants at most {most} packages, and there are \
             {count}: {}",
            why.collect::<Vec<_>>().join("; ")
        ));
    }
    (count < least && before >= least).then(|| {
        format!(
            "[grouping] packages = [{least}, {most}] wants at least {least} packages, and there are \
             {count}: {} modules that nothing asks for are with the only package that needs them",
            before - count
        )
    })
}

fn obstacles(tree: &Tree, groups: &Groups<'_>, grouping: &Grouping) -> BTreeMap<Obstacle, usize> {
    let mut areas: BTreeMap<String, Vec<&Group>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (_, group) in groups.iter() {
        match group.origin {
            GroupOrigin::Rules => *found.entry(Obstacle::Rules).or_default() += 1,
            _ => {
                let area = area(common_directory(tree, group));
                areas.entry(area).or_default().push(group);
            }
        }
    }
    for of_area in areas.into_values() {
        for (index, group) in of_area.iter().enumerate() {
            let others = of_area.iter().enumerate();
            let others = others.filter(|(other, _)| *other != index);
            let each = others.map(|(_, other)| between(group, other, grouping));
            let obstacle = each.min().unwrap_or(Obstacle::OnlyOfArea);
            *found.entry(obstacle).or_default() += 1;
        }
    }
    found
}

/// Why two groups of one area were not joined.
fn between(a: &Group, b: &Group, grouping: &Grouping) -> Obstacle {
    if a.class != b.class {
        Obstacle::Support
    } else if [a.origin, b.origin] == [GroupOrigin::Previous; 2] {
        Obstacle::Previous
    } else if a.size + b.size > grouping.largest {
        Obstacle::TooLarge
    } else {
        Obstacle::Circle
    }
}
