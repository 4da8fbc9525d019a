//! A world and rules for it in, what the planner makes of them out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use deptag::Dialect;
use kmp_split::plan::{Location, Plan, PlanError, Previous, plan};
use kmp_split::{Document, Identity};
use modtree::{Resolution, Tree};
use policy::Policy;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::rules::{Rules, rules};
use crate::world::{World, worlds};

#[derive(Clone, Debug)]
pub struct Scene {
    pub world: World,
    pub rules: Rules,
}

/// What the planner makes of a scene.
pub struct Planned {
    pub tree: Tree,
    pub resolution: Resolution,
    pub policy: Policy,
    pub plan: Plan,
}

/// Worlds of so many modules, some of which need each other in a circle if that is wanted.
pub fn scenes(count: RangeInclusive<usize>, circle: bool) -> impl Strategy<Value = Scene> {
    let through = prop::collection::vec(any::<Index>(), 2..5);
    (worlds(count, 0.2), through, rules()).prop_map(move |(world, through, rules)| {
        let through: BTreeSet<_> = through
            .iter()
            .map(|index| index.index(world.modules.len()))
            .collect();
        let world = if circle {
            world.with_circle(&through)
        } else {
            world
        };
        let rules = rules.about(&world);
        Scene { world, rules }
    })
}

/// Small worlds of modules that are called alike.
pub fn alike() -> impl Strategy<Value = Scene> {
    (worlds(1..=16, 0.95), rules()).prop_map(|(world, rules)| {
        let rules = rules.about(&world);
        Scene { world, rules }
    })
}

/// The modules of a world in any order.
pub fn order(world: &World) -> impl Strategy<Value = Vec<usize>> + use<> {
    Just(world.places().collect::<Vec<_>>()).prop_shuffle()
}

impl Scene {
    pub fn plan(&self, previous: Option<&Previous>) -> Result<Planned, PlanError> {
        let (tree, resolution) = self.world.tree();
        let policy = self.rules.policy();
        let plan = plan(&tree, &resolution, &policy, previous)?;
        Ok(Planned {
            tree,
            resolution,
            policy,
            plan,
        })
    }
}

impl Planned {
    pub fn document(&self) -> Document {
        let identity = Identity {
            dialect: Dialect::Suse,
            flavor: "amd64".parse().unwrap(),
            kabi: "6.1.0_50".parse().unwrap(),
            evr: "6.1.0-50".to_owned(),
            image: "kernel-amd64-image".to_owned(),
            naming: self.policy.naming.clone(),
        };
        let by = self.policy.grouping.by.as_str();
        Document::new(&self.tree, &self.resolution, &self.plan, &identity, by)
    }

    pub fn json(&self) -> String {
        self.document().json().unwrap()
    }

    /// Where each module is, by its file.
    pub fn locations(&self) -> BTreeMap<&str, Location> {
        let modules = self.tree.modules.iter();
        modules
            .map(|(id, record)| (record.file.path.as_str(), self.plan.location[id]))
            .collect()
    }

    /// The stem of each module's package, by its file; none if it is in none.
    pub fn stems(&self) -> BTreeMap<&str, Option<&str>> {
        let stem = |at: Location| match at {
            Location::Package(id) => Some(self.plan.packages[id].stem.as_str()),
            Location::Image | Location::Excluded => None,
        };
        let locations = self.locations().into_iter();
        locations.map(|(file, at)| (file, stem(at))).collect()
    }
}
