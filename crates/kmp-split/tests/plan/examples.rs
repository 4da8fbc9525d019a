//! One example of each refusal and of each warning, with its exact words.

use policy::GroupBy;

use crate::plan_case::PlanCase;
use crate::rules::{Decision, ModuleRule, Rules, Selector, Set};
use crate::test_kernel::TestKernel;

fn network() -> TestKernel {
    TestKernel::written(&[
        ("kernel/net/mac80211", &["cfg80211"]),
        ("kernel/net/cfg80211", &["rfkill"]),
        ("kernel/net/rfkill", &[]),
        ("kernel/drivers/net/iwlwifi", &["mac80211"]),
        ("kernel/drivers/net/e1000e", &["ptp"]),
        ("kernel/drivers/ptp", &[]),
    ])
}

fn name(name: &str) -> Selector {
    Selector::Name(name.to_owned())
}

fn below(directory: &str) -> Selector {
    Selector::Below(directory.to_owned())
}

fn set(name: &'static str, members: &[Selector], priority: i64) -> Set {
    Set {
        name,
        members: members.to_vec(),
        except: Vec::new(),
        priority,
    }
}

fn rule(which: Selector, decision: Decision) -> ModuleRule {
    ModuleRule {
        which: vec![which],
        decision,
    }
}

fn refusal(kernel: TestKernel, rules: Rules) -> String {
    let case = PlanCase { kernel, rules };
    case.plan(None).err().unwrap().to_string()
}

/// The packages as `stem: module module`, sorted by stem. The image package is `-`.
fn packages(kernel: TestKernel, rules: Rules) -> Vec<String> {
    let planned = PlanCase { kernel, rules }.plan(None).unwrap();
    let name = |id| planned.tree.modules[id].file.name.as_str();
    let line = |stem: &str, names: Vec<&str>| format!("{stem}: {}", names.join(" "));
    let image: Vec<_> = planned.plan.image().map(name).collect();
    let image = Some(line("-", image.clone())).filter(|_| !image.is_empty());
    let packages = planned.plan.packages.values().map(|package| {
        let modules = package.modules.iter().copied();
        line(&package.stem, modules.map(name).collect())
    });
    image.into_iter().chain(packages).collect()
}

/// Overlap.
#[test]
fn two_sets_claim_a_module() {
    let mut rules = Rules {
        sets: vec![
            set("wifi", &[name("iwlwifi"), below("kernel/net")], 0),
            set("intel", &[name("e1000e"), name("iwlwifi")], 0),
        ],
        ..Rules::grouping(GroupBy::PerModule)
    };
    assert_eq!(
        refusal(network(), rules.clone()),
        "p.toml:18 and p.toml:28: both sets claim kernel/drivers/net/iwlwifi.ko: \
         give one a higher priority"
    );
    rules.sets[1].priority = 1;
    assert_eq!(
        packages(network(), rules),
        [
            "intel: e1000e iwlwifi",
            "ptp: ptp",
            "wifi: cfg80211 mac80211 rfkill",
        ]
    );
}

/// Two sets may tie for a module that a third one gets, in whatever order they are written.
#[test]
fn a_tie_below_the_highest_priority_is_none() {
    let first = set("first", &[name("ptp")], 0);
    let second = set("second", &[name("ptp")], 0);
    let third = set("third", &[name("ptp")], 1);
    for sets in [
        vec![first.clone(), second.clone(), third.clone()],
        vec![first.clone(), third.clone(), second.clone()],
        vec![third, first, second],
    ] {
        let rules = Rules {
            sets,
            ..Rules::grouping(GroupBy::PerModule)
        };
        let packages = packages(network(), rules);
        assert!(packages.contains(&"third: ptp".to_owned()), "{packages:?}");
    }
}

/// Loss.
#[test]
fn no_set_claims_a_module() {
    let claimed = |members: &[Selector]| Rules {
        refuse_unclaimed: true,
        sets: vec![set("net", members, 0)],
        ..Rules::grouping(GroupBy::Auto)
    };
    assert_eq!(
        refusal(network(), claimed(&[below("kernel/net")])),
        "no set claims kernel/drivers/net/e1000e.ko, kernel/drivers/net/iwlwifi.ko, \
         kernel/drivers/ptp.ko, and the policy says unclaimed = \"error\""
    );
    assert_eq!(
        refusal(network(), claimed(&[name("nothing")])),
        "no set claims kernel/drivers/net/e1000e.ko, kernel/drivers/net/iwlwifi.ko, \
         kernel/drivers/ptp.ko, kernel/net/cfg80211.ko, kernel/net/mac80211.ko and 1 more, \
         and the policy says unclaimed = \"error\""
    );
    let all = claimed(&[below("kernel/net"), below("kernel/drivers")]);
    assert_eq!(
        packages(network(), all),
        ["net: e1000e iwlwifi ptp cfg80211 mac80211 rfkill"]
    );
}

/// Loss by exclusion.
#[test]
fn an_excluded_module_is_needed() {
    let rules = Rules {
        modules: vec![rule(name("rfkill"), Decision::Exclude(true))],
        ..Rules::grouping(GroupBy::Auto)
    };
    assert_eq!(
        refusal(network(), rules.clone()),
        "p.toml:14: kernel/net/rfkill.ko is excluded, but kernel/net/cfg80211.ko needs it"
    );
    let mut unneeded = rules;
    for user in ["cfg80211", "mac80211", "iwlwifi"] {
        unneeded
            .modules
            .push(rule(name(user), Decision::Exclude(true)));
    }
    assert_eq!(
        packages(network(), unneeded),
        ["e1000e: e1000e", "ptp: ptp"]
    );
}

/// Circle.
#[test]
fn packages_need_each_other() {
    let rules = Rules {
        sets: vec![set("wifi", &[name("iwlwifi"), name("cfg80211")], 0)],
        modules: vec![rule(name("mac80211"), Decision::Package("stack"))],
        ..Rules::grouping(GroupBy::Auto)
    };
    assert_eq!(
        refusal(network(), rules),
        "packages need each other: \
         wifi -> stack: kernel/drivers/net/iwlwifi.ko needs kernel/net/mac80211.ko; \
         stack -> wifi: kernel/net/mac80211.ko needs kernel/net/cfg80211.ko; \
         to mend it, leave \"kernel/drivers/net/iwlwifi\" out of wifi"
    );
}

/// All circles are told at once, each with the change that mends it and names the fewest modules.
#[test]
fn every_circle_is_told_with_what_mends_it() {
    let kernel = TestKernel::written(&[
        ("kernel/drivers/net/a", &["bridge"]),
        ("kernel/drivers/net/b", &["bridge"]),
        ("kernel/drivers/net/core", &[]),
        ("kernel/fs/one", &["lib"]),
        ("kernel/fs/two", &[]),
        ("kernel/lib/bridge", &["core"]),
        ("kernel/lib/lib", &["two", "three"]),
        ("kernel/fs/three", &[]),
    ]);
    let rules = Rules {
        sets: vec![
            set("net", &[below("kernel/drivers/net")], 0),
            set("fs", &[below("kernel/fs")], 0),
        ],
        ..Rules::grouping(GroupBy::Auto)
    };
    let refused = refusal(kernel, rules);
    let cures: Vec<_> = refused
        .lines()
        .map(|line| line.split_once("; to mend it, "))
        .collect();
    let cures: Vec<_> = cures.into_iter().map(|cure| cure.unwrap().1).collect();
    assert_eq!(
        cures,
        [
            "put \"kernel/lib/bridge\" into net",
            "put \"kernel/lib/lib\" into fs"
        ]
    );
}

#[test]
fn modules_need_each_other() {
    let kernel = || {
        TestKernel::written(&[
            ("kernel/lib/a", &["b"]),
            ("kernel/lib/b", &["c"]),
            ("kernel/lib/c", &["a"]),
            ("kernel/lib/d", &["a"]),
        ])
    };
    assert_eq!(
        refusal(kernel(), Rules::grouping(GroupBy::Auto)),
        "modules need each other: a -> b: kernel/lib/a.ko needs kernel/lib/b.ko; \
         b -> c: kernel/lib/b.ko needs kernel/lib/c.ko; \
         c -> a: kernel/lib/c.ko needs kernel/lib/a.ko; \
         to mend it, put \"kernel/lib/a\", \"kernel/lib/b\", \"kernel/lib/c\" into one package"
    );
    let together = Rules {
        sets: vec![set("abc", &[name("a"), name("b"), name("c")], 0)],
        ..Rules::grouping(GroupBy::Auto)
    };
    assert_eq!(packages(kernel(), together), ["abc: a b c", "d: d"]);
}

#[test]
fn a_set_beats_base_except_for_what_base_needs() {
    let rules = Rules {
        base: vec![name("mac80211"), name("e1000e")],
        sets: vec![set("ours", &[name("e1000e"), name("rfkill")], 0)],
        ..Rules::grouping(GroupBy::PerModule)
    };
    assert_eq!(
        packages(network(), rules),
        [
            "-: cfg80211 mac80211 rfkill",
            "iwlwifi: iwlwifi",
            "ours: e1000e",
            "ptp: ptp",
        ]
    );
}

#[test]
fn a_rule_that_matches_no_module_is_a_warning_with_its_line() {
    let rules = Rules {
        base: vec![name("no-such-module")],
        ..Rules::grouping(GroupBy::Auto)
    };
    let case = PlanCase {
        kernel: network(),
        rules,
    };
    let planned = case.plan(None).unwrap();
    assert_eq!(
        planned.plan.warnings,
        ["p.toml:11: \"no-such-module\" matches no module"]
    );
}

#[test]
fn unsupported_modules_are_apart_unless_a_rule_puts_them_together() {
    let rules = Rules {
        unsupported: "-extra",
        depth: 1,
        modules: vec![
            rule(name("iwlwifi"), Decision::Supported("no")),
            rule(name("rfkill"), Decision::Supported("external")),
        ],
        ..Rules::grouping(GroupBy::Directory)
    };
    assert_eq!(
        packages(network(), rules.clone()),
        [
            "drivers: e1000e ptp",
            "drivers-extra: iwlwifi",
            "net: cfg80211 mac80211",
            "net-extra: rfkill",
        ]
    );
    let together = Rules {
        sets: vec![set("radio", &[name("rfkill"), name("cfg80211")], 0)],
        ..rules
    };
    assert_eq!(
        packages(network(), together),
        [
            "drivers: e1000e ptp",
            "drivers-extra: iwlwifi",
            "net: mac80211",
            "radio: cfg80211 rfkill",
        ]
    );
}

/// A set, a directory and a module may have the same name. None of them loses its modules.
#[test]
fn a_set_is_called_like_a_directory() {
    let rules = Rules {
        depth: 1,
        sets: vec![set("net", &[name("ptp")], 0)],
        ..Rules::grouping(GroupBy::Directory)
    };
    let packages = packages(network(), rules);
    assert!(packages.contains(&"net: ptp".to_owned()), "{packages:?}");
    assert!(!packages[0].starts_with('-'), "{packages:?}");
}

#[test]
fn a_module_is_called_like_an_unsupported_one() {
    let kernel = TestKernel::written(&[("kernel/fs/foo", &[]), ("kernel/net/foo-extra", &[])]);
    let rules = Rules {
        unsupported: "-extra",
        modules: vec![rule(name("foo"), Decision::Supported("no"))],
        ..Rules::grouping(GroupBy::PerModule)
    };
    let packages = packages(kernel, rules);
    assert_eq!(packages.len(), 2, "{packages:?}");
    assert!(!packages[0].starts_with('-'), "{packages:?}");
}
