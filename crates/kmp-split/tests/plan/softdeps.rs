//! What softdeps lead to: modules by name or alias, which packages then need.

use kmodule::SoftdepOrder::{self, Post, Pre};
use kmp_split::Softdeps;
use modtree::{ModuleFile, ModuleId, Record, Resolution, Tree, resolve};
use policy::{Layer, Policy, TagKind};

struct Case {
    tree: Tree,
    resolution: Resolution,
    softdeps: Softdeps,
}

fn module(name: &str, aliases: &[&str], softdeps: &[(SoftdepOrder, &str)]) -> Record {
    let softdeps = softdeps
        .iter()
        .map(|(order, name)| (*order, (*name).to_owned()));
    Record {
        file: ModuleFile {
            name: name.to_owned(),
            path: format!("kernel/{name}.ko"),
        },
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        softdeps: softdeps.collect(),
        ..Record::default()
    }
}

impl Case {
    fn new(modules: Vec<Record>, rules: &str) -> Self {
        let records = modules.into_iter().map(|one| (one, Vec::new(), Vec::new()));
        let release = "6.1.0-test".as_bytes().try_into().unwrap();
        let builtin = vec!["linked_in".to_owned()];
        let mut tree = Tree::from_records(release, records.collect(), builtin);
        tree.builtin_aliases = vec!["crypto-linked".to_owned()];
        let mut resolution = resolve(&tree, None);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("rules.toml");
        std::fs::write(&file, rules).unwrap();
        let policy = Policy::from_layers(&[Layer::read(&file).unwrap()]).unwrap();
        let softdeps = Softdeps::resolve(&tree, &mut resolution, &policy);
        Self {
            tree,
            resolution,
            softdeps,
        }
    }

    fn id(&self, name: &str) -> ModuleId {
        self.tree.named(name)[0]
    }

    /// The tags of a module: their types and the modules they are about.
    fn tags(&self, name: &str) -> Vec<(TagKind, &str)> {
        let tags = self.softdeps.tags[self.id(name)].iter();
        tags.map(|&(kind, id)| (kind, self.tree.modules[id].file.name.as_str()))
            .collect()
    }

    fn needs(&self, user: &str, needed: &str) -> bool {
        self.resolution.needs[self.id(user)].contains(&self.id(needed))
    }
}

/// As libcrc32c of Linux 6.1: the alias leads to two modules, one of them for some processors alone.
#[test]
fn a_pre_softdep_by_alias_requires_the_generic_module() {
    let case = Case::new(
        vec![
            module(
                "crc32c-intel",
                &["crypto-crc32c", "crc32c", "cpu:type:x86,feature:*0094*"],
                &[],
            ),
            module("crc32c_generic", &["crypto-crc32c", "crc32c"], &[]),
            module("libcrc32c", &[], &[(Pre, "crc32c")]),
        ],
        "",
    );
    assert_eq!(
        case.tags("libcrc32c"),
        [(TagKind::Requires, "crc32c_generic")]
    );
    assert!(case.needs("libcrc32c", "crc32c_generic"));
    let user = case.id("libcrc32c");
    assert_eq!(case.resolution.users[case.id("crc32c_generic")], [user]);
    let text = case.softdeps.of_tree(&case.tree).text();
    assert_eq!(text, "kernel/libcrc32c Requires crc32c_generic\n");
}

/// A name counts before an alias, however its dashes are written.
#[test]
fn names_count_before_aliases_and_post_is_weak() {
    let softdeps = [
        (Pre, "a_b"),
        (Post, "block_major_9_1"),
        (Pre, "platform:leds_gpio"),
        (SoftdepOrder::None, "gcm"),
    ];
    let case = Case::new(
        vec![
            module("a-b", &[], &[]),
            module("gcm", &[], &[]),
            module("leds-gpio", &["platform:leds-gpio"], &[]),
            module("other_generic", &["a_b", "block-major-9-*"], &[]),
            module("user", &[], &softdeps),
        ],
        "",
    );
    let wanted = [
        (TagKind::Requires, "a-b"),
        (TagKind::Requires, "leds-gpio"),
        (TagKind::Recommends, "gcm"),
        (TagKind::Recommends, "other_generic"),
    ];
    assert_eq!(case.tags("user"), wanted);
    assert!(!case.needs("user", "other_generic"));
}

#[test]
fn what_the_kernel_or_the_module_itself_has_needs_nothing() {
    let softdeps = [(Pre, "linked-in"), (Pre, "crypto_linked"), (Pre, "own")];
    let case = Case::new(vec![module("user", &["own"], &softdeps)], "");
    assert_eq!(case.tags("user"), []);
    assert!(case.softdeps.unmet.is_empty());
}

#[test]
fn what_nothing_meets_is_named() {
    let case = Case::new(
        vec![
            module("user", &[], &[(Pre, "gone"), (Post, "left_out")]),
            module("left_out", &[], &[(Pre, "never asked")]),
        ],
        "[[module]]\nmatch = ['left_out']\nexclude = true\n",
    );
    assert_eq!(case.tags("user"), []);
    let unmet: Vec<_> = case.softdeps.describe_unmet(&case.tree).collect();
    let named = |name| {
        format!(
            "kernel/user.ko names {name}, which no module of this kernel has as its name or alias"
        )
    };
    assert_eq!(unmet, [named("gone"), named("left_out")]);
}

/// modprobe ends a circle somewhere. Packages have none.
#[test]
fn a_softdep_that_would_close_a_circle_is_weak() {
    let case = Case::new(
        vec![
            module("a", &[], &[(Pre, "b")]),
            module("b", &[], &[(Pre, "a")]),
        ],
        "",
    );
    assert_eq!(case.tags("a"), [(TagKind::Requires, "b")]);
    assert_eq!(case.tags("b"), [(TagKind::Recommends, "a")]);
    assert!(!case.needs("b", "a"));
}
