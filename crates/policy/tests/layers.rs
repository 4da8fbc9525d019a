//! Layers of a policy: how they are merged, and how mistakes in them are reported.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use policy::{
    Depends, GroupBy, Layer, ModulePath, Policy, Selector, Support, TagKind, Unclaimed, layers,
};

fn policy(texts: &[&str]) -> Policy {
    let layers: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| Layer::new(format!("{index}.toml"), *text))
        .collect();
    Policy::from_layers(&layers).unwrap()
}

fn refusal(text: &str) -> String {
    let error = Policy::from_layers(&[Layer::new("p.toml", text)]).unwrap_err();
    let error = error.to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn texts(selectors: &[Selector]) -> Vec<&str> {
    selectors.iter().map(Selector::text).collect()
}

#[test]
fn the_default_policy_sets_every_single_value() {
    let shipped = Policy::from_layers(&[Layer::default_policy()]).unwrap();
    assert_eq!(shipped.unclaimed, Unclaimed::Group);
    assert_eq!(shipped.grouping.by, GroupBy::Auto);
    assert_eq!(shipped.grouping.packages, 150..=600);
    assert_eq!(shipped.grouping.largest, 1 << 20);
    assert_eq!(shipped.naming.depends, Depends::Kmod);
    assert_eq!(shipped.naming.unsupported, None);
    let all = shipped.naming.all.unwrap();
    assert_eq!(all.name("", "rt"), "kernel-rt");
    assert!(shipped.patterns.iter().any(|pattern| pattern.visible));
    assert!(shipped.modules.is_empty() && shipped.sets.is_empty());
}

#[test]
fn without_the_default_policy_its_single_values_hold_but_no_pattern() {
    let none = Policy::from_layers(&[]).unwrap();
    assert_eq!(none.naming.kmp.name("snd", "rt"), "snd-kmp-rt");
    assert!(none.patterns.is_empty());
}

#[test]
fn single_values_are_merged_by_key() {
    let merged = policy(&[
        "unclaimed = 'error'\n[base]\nmembers = ['a', 'b']\n[naming]\nkabi = true\nall = 'k'\n",
        "[base]\nexcept = ['b']\n[grouping]\nby = 'per-module'\n[naming]\nunsupported = '-extra'\n",
        "[base]\nmembers = ['c']\n[naming]\nall = ''\ndepends = 'package'\n",
    ]);
    assert_eq!(merged.unclaimed, Unclaimed::Error);
    assert_eq!(texts(&merged.base.members), ["c"]);
    assert_eq!(texts(&merged.base.except), ["b"]);
    assert!(merged.naming.kabi);
    assert!(merged.naming.all.is_none());
    assert_eq!(merged.naming.unsupported.as_deref(), Some("-extra"));
    assert_eq!(merged.naming.depends, Depends::Package);
    assert_eq!(merged.grouping.by, GroupBy::PerModule);
    assert_eq!(merged.grouping.depth, 2);
}

#[test]
fn sets_and_patterns_are_merged_by_name_and_key() {
    let merged = policy(&[
        "[[set]]\nname = 'x'\nsummary = 'one'\nmembers = ['a', 'b']\npriority = 7\n\
         [[set]]\nname = 'y'\n[[pattern]]\nname = 'x'\norder = 3\nvisible = false\n",
        "\n[[set]]\n\nname = 'x'\ndescription = \"two\\nlines\"\nmembers = ['c']\n\
         [[pattern]]\nname = 'x'\ncategory = 'Kernel'\n",
    ]);
    let names: Vec<_> = merged.sets.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    let x = &merged.sets[0];
    assert_eq!(x.line.to_string(), "1.toml:2");
    assert_eq!(x.summary.as_deref(), Some("one"));
    assert_eq!(x.description.as_deref(), Some("two\nlines"));
    assert_eq!(texts(&x.members), ["c"]);
    assert_eq!(x.members[0].line().to_string(), "1.toml:6");
    assert_eq!(x.priority, 7);
    let x = &merged.patterns[0];
    assert_eq!((x.order, x.visible), (Some(3), false));
    assert_eq!(x.category.as_deref(), Some("Kernel"));
}

#[test]
fn of_two_rules_for_a_key_the_later_counts() {
    let merged = policy(&[
        "[[module]]\nmatch = 'snd-*'\npackage = 'sound'\ninitrd = true\n\
         provides = ['a', 'b']\nrequires = ['c']\n",
        "[[module]]\nmatch = ['x', 'kernel/sound/']\npackage = 'own'\nprovides = ['d']\n\
         [[module]]\nmatch = 'snd_hda'\nexclude = true\nsupported = 'external'\nhardware = false\n",
    ]);
    let all = merged.overrides(ModulePath::new("kernel/sound/snd-hda.ko.xz"));
    let shown = |(value, line): (&str, &policy::FileLine)| format!("{value} {line}");
    assert_eq!(all.package.map(shown), Some("own 1.toml:1".into()));
    assert_eq!(all.initrd.unwrap().1.to_string(), "0.toml:1");
    assert_eq!(all.exclude.unwrap().1.to_string(), "1.toml:5");
    assert_eq!(all.supported.unwrap().0, Support::External);
    assert_eq!(all.hardware.map(|(on, _)| on), Some(false));
    assert_eq!(all.tags[&TagKind::Provides].0, ["d"]);
    assert_eq!(all.tags[&TagKind::Requires].0, ["c"]);
    assert_eq!(
        merged.overrides(ModulePath::new("kernel/fs/ext4.ko")),
        Default::default()
    );
}

#[test]
fn refusals_name_the_line() {
    for (text, reason) in [
        ("\n[naming]\nkmq = 'x'\n", "p.toml:3: unknown field `kmq`"),
        ("sets = []\n", "p.toml:1: unknown field `sets`"),
        (
            "\n[[set]]\nmembers = []\n",
            "p.toml:2: missing field `name`",
        ),
        (
            "[[module]]\nexclude = true\n",
            "p.toml:1: missing field `match`",
        ),
        (
            "[[module]]\n\nmatch = 3\n",
            "p.toml:3: invalid type: integer",
        ),
        (
            "[[module]]\nmatch = ['a',\n 3]\n",
            "p.toml:3: invalid type: integer",
        ),
        ("\n[naming]\nkabi = 'x'\n", "p.toml:3: invalid type: string"),
        (
            "[grouping]\n\npackages = [1]\n",
            "p.toml:3: [1] is not a range",
        ),
        (
            "[grouping]\npackages = [1, 2, 3]\n",
            "p.toml:2: [1, 2, 3] is not a range",
        ),
        ("[grouping]\ndepth = -1\n", "p.toml:2: invalid value"),
        ("unclaimed = 'maybe'\n", "p.toml:1: unknown variant `maybe`"),
        ("\na = = b\n", "p.toml:2: "),
        (
            "\n[base]\nmembers = [\n'a',\n'b[']\n",
            "p.toml:5: selector \"b[\"",
        ),
        (
            "[base]\nexcept = ['re:(']\n",
            "p.toml:2: selector \"re:(\": found open group",
        ),
        (
            "[[set]]\nname = 'a'\n[[set]]\nname = 'a'\n",
            "p.toml:4: \"a\" is defined twice in this file, first at p.toml:2",
        ),
        (
            "[[pattern]]\nname = 'a'\n[[pattern]]\nname = 'a'\n",
            "p.toml:4: \"a\" is defined twice",
        ),
        (
            "[[set]]\nname = '-a'\n",
            "p.toml:2: \"-a\" is not a package name",
        ),
        (
            "[[set]]\nname = 'a b'\n",
            "p.toml:2: \"a b\" is not a package name",
        ),
        (
            "[[module]]\nmatch = 'a'\npackage = '%a'\n",
            "p.toml:3: \"%a\" is not a package name",
        ),
        ("[naming]\nkmp = 'kmp'\n", "p.toml:2: \"kmp\" has no {name}"),
        (
            "[naming]\npattern = '{name}{x}'\n",
            "p.toml:2: \"{name}{x}\": {x} has no meaning here",
        ),
        (
            "[naming]\nall = '{name}'\n",
            "p.toml:2: \"{name}\": {name} has no meaning here",
        ),
        (
            "[naming]\nunsupported = '-a b'\n",
            "p.toml:2: \"-a b\" cannot be part",
        ),
        (
            "[grouping]\npackages = [9, 3]\n",
            "p.toml:2: [9, 3] is not a range",
        ),
        (
            "[grouping]\npackages = [0, 3]\n",
            "p.toml:2: [0, 3] is not a range",
        ),
        (
            "[grouping]\ndepth = 0\n",
            "p.toml:2: depth must be at least 1",
        ),
        (
            "[grouping]\nlargest = 9223372036854775807\n",
            "p.toml:2: 9223372036854775807 KiB",
        ),
        (
            "[[module]]\nmatch = ['a',\n'needs: b']\n",
            "p.toml:3: selector \"needs: b\": `needs:` is not possible",
        ),
        (
            "[[module]]\n\nmatch = 'needs: b'\n",
            "p.toml:3: selector \"needs: b\": `needs:` is not possible",
        ),
        (
            "[[module]]\nmatch = 'a'\nrequires = ['b',\n';c']\n",
            "p.toml:4: tag \";c\" begins",
        ),
        (
            "[[module]]\nmatch = 'a'\nrequires = [\"b\\nc\"]\n",
            "p.toml:3: tag \"b\\nc\" has a control",
        ),
        (
            "[[set]]\nname = 'a'\nsummary = \"b\\nc\"\n",
            "p.toml:3: \"b\\nc\" has a control",
        ),
        (
            "[[pattern]]\nname = 'a'\ncategory = \"\\u0007\"\n",
            "p.toml:3: \"\\u{7}\" has a control",
        ),
        (
            "[[set]]\nname = 'a'\ndescription = \"\\r\"\n",
            "p.toml:3: \"\\r\" has a control",
        ),
        (
            "[[import]]\nfile = 'x'\n",
            "p.toml:1: missing field `format`",
        ),
        (
            "[[import]]\nfile = 'x'\nformat = 'y'\n",
            "p.toml:3: unknown variant `y`",
        ),
    ] {
        let error = refusal(text);
        assert!(error.starts_with(reason), "{text}\n{error}\n{reason}");
    }
}

/// A directory with `p.toml` and lists beside it.
fn with_lists(text: &str, lists: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Layer>) {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("p.toml");
    std::fs::write(&file, text).unwrap();
    for (name, list) in lists {
        std::fs::write(root.path().join(name), list).unwrap();
    }
    let layer = Layer::read(&file).unwrap();
    (root, vec![layer])
}

#[test]
fn of_supported_conf_the_first_line_counts_and_a_rule_beside_it_more() {
    let (root, layers) = with_lists(
        "[base]\nmembers = ['own']\n[[module]]\nmatch = 'brd'\nsupported = 'no'\n\
         [[import]]\nfile = 'supported.conf'\nformat = 'supported.conf'\n",
        &[(
            "supported.conf",
            "+base drivers/block/loop\n+x-kmp drivers/block/n*d\n- drivers/block/*\ndrivers/block/brd\n",
        )],
    );
    let policy = Policy::from_layers(&layers).unwrap();
    let at = |path| {
        let all = policy.overrides(ModulePath::new(path));
        let (supported, place) = all.supported.unwrap();
        let package = all.package.map(|(name, _)| name);
        let place = place.to_string();
        (
            supported,
            package,
            place.replace(&format!("{}/", root.path().display()), ""),
        )
    };
    let nbd = at("kernel/drivers/block/nbd.ko");
    assert_eq!(nbd, (Support::Yes, Some("x"), "supported.conf:2".into()));
    let rbd = at("kernel/drivers/block/zram/zram.ko");
    assert_eq!(rbd, (Support::No, None, "supported.conf:3".into()));
    let brd = at("kernel/drivers/block/brd.ko");
    assert_eq!(brd, (Support::No, None, "p.toml:3".into()));
    assert_eq!(texts(&policy.base.members), ["own", "drivers/block/loop"]);
}

#[test]
fn a_list_fills_a_set_that_a_later_layer_may_describe() {
    let (_root, mut layers) = with_lists(
        "[[import]]\nfile = 'extra.list'\nformat = 'modules.list'\nset = 'extra'\n\
         [[import]]\nfile = 'internal.list'\nformat = 'modules.list'\nsupported = 'no'\n\
         [[import]]\nfile = 'internal.list'\nformat = 'modules.list'\nset = 'internal'\n",
        &[
            ("extra.list", "# few need them\nsctp.ko\ndlm.ko\n"),
            ("internal.list", "kunit\n"),
        ],
    );
    let set = "[[set]]\nname = 'extra'\nsummary = 'Rare'\nmembers = ['rds']\n";
    layers.push(Layer::new("later.toml", set));
    let policy = Policy::from_layers(&layers).unwrap();
    let extra = &policy.sets[0];
    assert_eq!(extra.summary.as_deref(), Some("Rare"));
    assert_eq!(extra.line.to_string(), "later.toml:1");
    assert_eq!(texts(&extra.members), ["rds", "sctp.ko", "dlm.ko"]);
    let place = extra.members[1].line().to_string();
    assert!(place.ends_with("/extra.list:2"), "{place}");
    let internal = &policy.sets[1];
    assert!(internal.line.to_string().ends_with("/p.toml:12"));
    let kunit = policy.overrides(ModulePath::new("kernel/lib/kunit/kunit.ko"));
    assert_eq!(kunit.supported.unwrap().0, Support::No);
}

#[test]
fn a_list_that_is_no_good_is_named_with_the_line_that_imports_it() {
    for (text, reason) in [
        (
            "[[import]]\nfile = 'missing'\nformat = 'modules.list'\nset = 'a'\n",
            "R/p.toml:2: cannot read the list R/missing",
        ),
        (
            "[[import]]\nformat = 'modules.list'\nset = 'a'\n\nfile = 'bad.list'\n",
            "R/bad.list:2: \"b c\" has several words: write one module a line (imported by R/p.toml:5)",
        ),
        (
            "[[import]]\nfile = 'bad.conf'\nformat = 'supported.conf'\n",
            "R/bad.conf:2: guards without a module: write a path behind them (imported by R/p.toml:2)",
        ),
        (
            "\n[[import]]\nfile = 'bad.conf'\nformat = 'supported.conf'\nset = 'a'\n",
            "R/p.toml:5: remove set: the guards of supported.conf decide it",
        ),
        (
            "[[import]]\nfile = 'good.list'\nformat = 'modules.list'\n",
            "R/p.toml:1: a list of modules needs `set` or `supported`, which say what it is for",
        ),
    ] {
        let lists = [
            ("bad.list", "a\nb c\n"),
            ("bad.conf", "a\n+base\n"),
            ("good.list", "a\n"),
        ];
        let (root, layers) = with_lists(text, &lists);
        let error = Policy::from_layers(&layers).unwrap_err().to_string();
        let root = root.path().display().to_string();
        assert_eq!(error.replace(&root, "R"), reason);
    }
}

#[test]
fn the_policies_to_choose_from_are_policies() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy");
    let chosen = |name: &str| {
        let layers = layers(None, &[policies.join(name)]).unwrap();
        Policy::from_layers(&layers).unwrap()
    };
    assert_eq!(chosen("per-module.toml").grouping.by, GroupBy::PerModule);
    let net = chosen("drivers-net-only.toml");
    let kept = |path| {
        let means = |selector: &Selector| selector.matches(ModulePath::new(path));
        net.base.members.iter().any(means) && !net.base.except.iter().any(means)
    };
    assert!(kept("kernel/fs/ext4/ext4.ko.xz"));
    assert!(kept("kernel/net/sctp/sctp.ko"));
    assert!(!kept(
        "kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko.zst"
    ));
    let all = std::fs::read_dir(&policies).unwrap();
    for path in all.map(|entry| entry.unwrap().path()) {
        Policy::from_layers(&[Layer::read(&path).unwrap()]).unwrap();
    }
}

#[test]
fn the_example_of_the_man_page_is_a_policy() {
    let page = include_str!("../../../man/kmp-policy.5");
    let (_, example) = page.split_once(".EX\n").unwrap();
    let (example, _) = example.split_once(".EE\n").unwrap();
    let example = example.replace("\\-", "-");
    let (_root, layers) = with_lists(&example, &[("mod-internal.list", "kunit\n")]);
    let policy = Policy::from_layers(&layers).unwrap();
    assert!(!policy.base.members.is_empty() && !policy.sets.is_empty());
    assert!(!policy.modules.is_empty());
}

#[test]
fn lists_may_come_from_memory() {
    let import = "[[import]]\nfile = 'a.list'\nformat = 'modules.list'\nset = 'a'\n";
    let layer = Layer::new("/nowhere/p.toml", import);
    let policy = Policy::from_layers_with(&[layer], |path| {
        assert_eq!(path, Path::new("/nowhere/a.list"));
        Ok(b"sctp # \xe4\n".to_vec())
    });
    assert_eq!(texts(&policy.unwrap().sets[0].members), ["sctp"]);
}

/// The default policy is known by where it comes from, not by its name.
#[test]
fn a_file_may_be_called_like_the_default_policy() {
    let own = Layer::new("default.toml", "[base]\nmembers = ['a']\n");
    let policy = Policy::from_layers(&[Layer::default_policy(), own]).unwrap();
    assert!(!policy.base.members[0].line().is_in_default_policy());
    let pattern = &policy.patterns[0].members[0];
    assert!(pattern.line().is_in_default_policy());
}

/// Each of them is short, and all of them together would take as much memory as they like.
#[test]
fn regular_expressions_share_a_limit() {
    let rule = "[[module]]\nmatch = 're:\\w{100}'\nexclude = false\n";
    policy(&[&rule.repeat(100)]);
    let error = refusal(&rule.repeat(200));
    let reason =
        r#": selector "re:\\w{100}": the regular expressions of a policy may take 1024 KiB"#;
    assert!(error.contains(reason), "{error}");
    let halves = rule.repeat(100);
    let layers = [Layer::new("a.toml", &*halves), Layer::new("b.toml", halves)];
    let error = Policy::from_layers(&layers).unwrap_err().to_string();
    assert!(error.starts_with("b.toml:"), "{error}");
}
