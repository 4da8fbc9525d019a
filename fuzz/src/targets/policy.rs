//! Policies and the lists that they import.

use std::path::Path;

use kmp_split::plan::{PlanError, plan};
use policy::{Layer, ListFormat, ModulePath, Policy, Selector, check_list, check_package_name};

use crate::message::check_message;
use crate::small_tree::small_tree;
use crate::{Memory, Target};

/// A policy above the default one, and the plan of a small tree by it.
pub const POLICY: Target = Target {
    name: "policy",
    check: policy,
    memory: |_| Memory {
        fixed: 8 << 20,
        each: 1024,
    },
};

/// A list that a policy may import, in either format.
pub const LIST: Target = Target {
    name: "imported_list",
    check: list,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 1024,
    },
};

/// What policies of the target import.
const SUPPORTED_CONF: &[u8] = b"+base kernel/fs/ext4\n- drivers/usb/*\n+nfs-kmp fs/nfs/nfs\n";
const MODULES_LIST: &[u8] = b"nfs\nkernel/fs/ext4/ext4.ko\n";

fn policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let layers = [Layer::default_policy(), Layer::new("fuzz.toml", text)];
    let imported = |path: &Path| match path.extension() {
        Some(_) => Ok(SUPPORTED_CONF.to_vec()),
        None => Ok(MODULES_LIST.to_vec()),
    };
    match Policy::from_layers_with(&layers, imported) {
        Ok(policy) => {
            check_values(&policy);
            check_plan(&policy);
        }
        Err(error) => check_message(&error.to_string()),
    }
}

/// What goes into a spec is nothing but a name or a line there.
fn check_values(policy: &Policy) {
    let names = policy.sets.iter().map(|set| &set.name);
    let names = names.chain(policy.patterns.iter().map(|pattern| &pattern.name));
    for name in names.chain(
        policy
            .modules
            .iter()
            .filter_map(|rule| rule.package.as_ref()),
    ) {
        assert!(
            check_package_name(name).is_ok(),
            "{name:?} is no name of a package"
        );
    }
    let tags = policy
        .modules
        .iter()
        .flat_map(|rule| rule.tags.values().flatten());
    for tag in tags {
        assert!(!tag.chars().any(char::is_control), "{tag:?} is no tag");
    }
    let module = ModulePath::new("kernel/fs/ext4/ext4.ko");
    policy.overrides(module);
    for selector in policy.selectors() {
        selector.matches(module);
        assert!(selector.needs().is_none() || !selector.matches(module));
    }
}

/// Plans that break a promise say so themselves.
fn check_plan(policy: &Policy) {
    let (tree, resolution) = small_tree();
    match plan(&tree, &resolution, policy, None) {
        Ok(_) => {}
        Err(error @ PlanError::Broken(_)) => panic!("{error}"),
        Err(error) => check_message(&error.to_string()),
    }
}

fn list(input: &[u8]) {
    for format in [ListFormat::SupportedConf, ListFormat::ModulesList] {
        if let Err(error) = check_list(format, input) {
            check_message(&error.to_string());
        }
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let _ =
            Selector::parse(text).map(|selector| selector.matches(ModulePath::new("kernel/a.ko")));
    }
}
