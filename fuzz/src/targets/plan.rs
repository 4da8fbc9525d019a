//! Plans of earlier builds, and the hardware of machines that a plan is held against.

use std::sync::OnceLock;

use kmp_split::plan::{Plan, PlanError, plan};
use kmp_split::{Document, Identity, MachineHardware, PlannedKernel, Softdeps};
use modtree::{Resolution, Tree};
use policy::{Layer, Policy};

use crate::message::check_message;
use crate::small_tree::small_tree;
use crate::{Memory, Target};

/// The plan of an earlier build, and a plan that stays close to it.
pub const PREVIOUS: Target = Target {
    name: "plan_document",
    check: previous,
    memory: |_| Memory {
        fixed: 4 << 20,
        each: 512,
    },
};

/// A list of modaliases, and what such a machine installs.
pub const MACHINE: Target = Target {
    name: "machine",
    check: machine,
    memory: |_| Memory {
        fixed: 4 << 20,
        each: 128,
    },
};

/// The default policy and its plan of the small tree, as a kernel's spec leaves it.
///
/// # Panics
/// There is no such plan.
pub fn default_plan_document() -> String {
    let default = default();
    let plan = plan(&default.tree, &default.resolution, &default.policy, None);
    document(plan.expect("a plan by the default policy")).expect("a document")
}

struct Default {
    tree: Tree,
    resolution: Resolution,
    policy: Policy,
}

fn default() -> &'static Default {
    static DEFAULT: OnceLock<Default> = OnceLock::new();
    DEFAULT.get_or_init(|| {
        let (tree, resolution) = small_tree();
        let policy = Policy::from_layers(&[Layer::default_policy()]).expect("the default policy");
        Default {
            tree,
            resolution,
            policy,
        }
    })
}

fn document(plan: Plan) -> Option<String> {
    let (tree, mut resolution) = small_tree();
    let policy = default().policy.clone();
    let softdeps = Softdeps::resolve(&tree, &mut resolution, &policy);
    let identity = Identity {
        dialect: deptag::Dialect::Suse,
        two_dashes: false,
        flavor: "amd64".parse().ok()?,
        kabi: "6.1.0_50".parse().ok()?,
        evr: "6.1.0-50".to_owned(),
        image: "kernel-amd64-image".to_owned(),
        naming: policy.naming.clone(),
    };
    // Names of an earlier plan may be too long for files.
    identity.check(&plan).ok()?;
    let planned = PlannedKernel {
        tree,
        resolution,
        softdeps,
        policy,
        plan,
    };
    Some(
        Document::new(&planned, &identity)
            .json()
            .expect("a document as JSON"),
    )
}

fn previous(input: &[u8]) {
    let document = match Document::parse(input) {
        Ok(document) => document,
        Err(error) => return check_message(&format!("{error:#}")),
    };
    let default = default();
    let next = plan(
        &default.tree,
        &default.resolution,
        &default.policy,
        Some(&document.previous()),
    );
    match next {
        Ok(next) => {
            let next = self::document(next).map(|json| Document::parse(json.as_bytes()));
            assert!(!matches!(next, Some(Err(_))), "{next:?}");
        }
        Err(error @ PlanError::Broken(_)) => panic!("{error}"),
        Err(error) => check_message(&error.to_string()),
    }
}

fn machine(input: &[u8]) {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    let default = default();
    let plan = PLAN.get_or_init(|| {
        let plan = plan(&default.tree, &default.resolution, &default.policy, None);
        plan.expect("a plan by the default policy")
    });
    let Ok(machine) = std::str::from_utf8(input).map(|text| MachineHardware::parse("fuzz", text))
    else {
        return;
    };
    match machine {
        Ok(machine) => {
            let installed = machine.installs(&default.tree, plan);
            assert!(installed.drivers.len() <= default.tree.modules.len());
        }
        Err(error) => check_message(&format!("{error:#}")),
    }
}
