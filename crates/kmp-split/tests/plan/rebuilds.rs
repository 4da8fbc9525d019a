//! Tests which builds the packages of a rebuild replace.

use crate::small_tree::SmallTree;

/// The lines of the spec by which packages replace others.
fn obsoletes(evr: &str, policy: &str) -> Vec<String> {
    let tree = SmallTree::of(&[("fs/a.ko", &["name=a"])]);
    let policy = tree.file("policy.toml", policy);
    let policy = ["--policy", &policy, "--lists", "/l", "--evr", evr];
    let ran = tree.run("spec", &policy);
    assert!(ran.ok, "{ran:?}");
    let lines = ran.stdout.lines();
    let obsoletes = lines.filter(|line| line.starts_with("Obsoletes:"));
    obsoletes.map(str::to_owned).collect()
}

#[test]
fn a_rebuild_replaces_each_earlier_build_of_its_release() {
    let all = [
        "Obsoletes: a-kmp-amd64 = 6.1.0-50.1",
        "Obsoletes: a-kmp-amd64 = 6.1.0-50.2",
        "Obsoletes: kernel-amd64 = 6.1.0-50.1",
        "Obsoletes: kernel-amd64 = 6.1.0-50.2",
    ];
    assert_eq!(obsoletes("6.1.0-50.3", ""), all);
    // Other kernels stay.
    for evr in ["6.1.0-50", "6.1.0-50.1", "6.1.0-51.3"] {
        assert!(obsoletes(evr, "").is_empty(), "{evr}");
    }
}

#[test]
fn packages_that_are_updated_in_place_need_no_mark() {
    assert!(obsoletes("6.1.0-50.3", "[naming]\nkabi = true\n").is_empty());
}
