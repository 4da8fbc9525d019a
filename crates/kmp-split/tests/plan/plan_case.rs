//! A kernel with rules for it, and the plan that the planner makes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, RangeInclusive};

use deptag::Dialect;
use kmp_split::plan::{Location, PlanError, PreviousPlan, plan};
use kmp_split::{Document, Identity, PlannedKernel, Softdeps};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::rules::{Rules, rules};
use crate::test_kernel::{TestKernel, test_kernels};

/// What the planner is tested with.
#[derive(Clone, Debug)]
pub struct PlanCase {
    pub kernel: TestKernel,
    pub rules: Rules,
}

/// The plan of a case.
pub struct Planned(PlannedKernel);

impl Deref for Planned {
    type Target = PlannedKernel;

    fn deref(&self) -> &PlannedKernel {
        &self.0
    }
}

/// Cases with so many modules. If `circle` is true, some of them need each other in a circle.
pub fn plan_cases(count: RangeInclusive<usize>, circle: bool) -> impl Strategy<Value = PlanCase> {
    let through = prop::collection::vec(any::<Index>(), 2..5);
    (test_kernels(count, 0.2), through, rules()).prop_map(move |(kernel, through, rules)| {
        let through: BTreeSet<_> = through
            .iter()
            .map(|index| index.index(kernel.modules.len()))
            .collect();
        let kernel = if circle {
            kernel.with_circle(&through)
        } else {
            kernel
        };
        let rules = rules.about(&kernel);
        PlanCase { kernel, rules }
    })
}

/// Small cases in which modules have similar names.
pub fn alike() -> impl Strategy<Value = PlanCase> {
    (test_kernels(1..=16, 0.95), rules()).prop_map(|(kernel, rules)| {
        let rules = rules.about(&kernel);
        PlanCase { kernel, rules }
    })
}

/// The modules of a kernel in random order.
pub fn order(kernel: &TestKernel) -> impl Strategy<Value = Vec<usize>> + use<> {
    Just(kernel.indexes().collect::<Vec<_>>()).prop_shuffle()
}

impl PlanCase {
    pub fn plan(&self, previous: Option<&PreviousPlan>) -> Result<Planned, PlanError> {
        let (tree, mut resolution) = self.kernel.tree();
        let policy = self.rules.policy();
        let softdeps = Softdeps::resolve(&tree, &mut resolution, &policy);
        let plan = plan(&tree, &resolution, &policy, previous)?;
        Ok(Planned(PlannedKernel {
            tree,
            resolution,
            softdeps,
            policy,
            plan,
        }))
    }
}

/// The names and versions of the packages of a plan.
pub fn identity(planned: &PlannedKernel) -> Identity {
    Identity {
        dialect: Dialect::Suse,
        two_dashes: false,
        flavor: "amd64".parse().unwrap(),
        kabi: "6.1.0_50".parse().unwrap(),
        evr: "6.1.0-50".to_owned(),
        image: "kernel-amd64-image".to_owned(),
        naming: planned.policy.naming.clone(),
    }
}

impl Planned {
    pub fn document(&self) -> Document {
        Document::new(self, &identity(self))
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

    /// The stem of each module's package, by its file. Modules of the image package and excluded ones
    /// have none.
    pub fn stems(&self) -> BTreeMap<&str, Option<&str>> {
        let stem = |at: Location| match at {
            Location::Package(id) => Some(self.plan.packages[id].stem.as_str()),
            Location::Image | Location::Excluded => None,
        };
        let locations = self.locations().into_iter();
        locations.map(|(file, at)| (file, stem(at))).collect()
    }
}
