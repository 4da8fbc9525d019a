//! What plan, explain, diff and machine show of a small kernel.

use std::fs;

use serde_json::Value;

use crate::small_tree::{RELEASE, Ran, SmallTree};

const CARD: &str = "pci:v00008086d000015B7sv00000000sd00000000bc02sc00i00";

fn tree() -> SmallTree {
    SmallTree::of(&[
        (
            "drivers/net/card.ko",
            &[
                "name=card",
                "depends=phy",
                "alias=pci:v00008086d000015B7sv*sd*bc*sc*i*",
            ],
        ),
        ("drivers/net/phy.ko", &["name=phy"]),
        (
            "fs/odd_fs.ko",
            &["name=odd_fs", "alias=fs-odd", "description=Odd"],
        ),
    ])
}

fn stdout(ran: Ran) -> String {
    assert!(ran.ok, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn a_machine_shows_its_packages_and_why() {
    let tree = tree();
    let list = tree.file("box.modalias", &format!("{CARD}\n"));
    let policy = tree.file("p.toml", "[grouping]\nby = \"per-module\"\n");
    let options = ["--policy", &policy, "--machine", &list];
    let text = stdout(tree.run("plan", &options));
    let (_, machine) = text.split_once("box: 2 packages, ").unwrap();
    let lines: Vec<_> = machine.lines().skip(1).take(2).collect();
    assert_eq!(
        lines,
        [
            "  card-kmp-amd64: hardware asks for card",
            "  phy-kmp-amd64: needed by card"
        ]
    );
    let json = stdout(tree.run("plan", &[&options[..], &["--json"]].concat()));
    let json: Value = serde_json::from_str(&json).unwrap();
    let machine = &json["machines"][0];
    assert_eq!(machine["name"], "box");
    assert_eq!(
        machine["packages"][0]["drivers"][0],
        "kernel/drivers/net/card"
    );
    assert_eq!(machine["packages"][1]["needed_by"][0], "card");
}

#[test]
fn what_is_no_list_of_modaliases_is_refused() {
    let tree = tree();
    let policy = tree.file("p.toml", "[base]\nmembers = []\n");
    let ran = tree.run("plan", &["--machine", &policy]);
    assert!(
        !ran.ok && ran.stderr.contains("line 1 is no modalias"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_list_is_made_of_sysfs() {
    let tree = tree();
    let device = tree.root().join("sys/devices/pci0000:00/0000:00:1f.6");
    fs::create_dir_all(&device).unwrap();
    fs::write(device.join("modalias"), format!("{CARD}\n")).unwrap();
    fs::create_dir_all(tree.root().join("sys/devices/other")).unwrap();
    fs::write(tree.root().join("sys/devices/other/modalias"), "\n").unwrap();
    let machine = |sysfs: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kmp-split"));
        Ran::of(command.arg("machine").arg(tree.root().join(sysfs)))
    };
    let list = stdout(machine("sys"));
    assert_eq!(list, format!("{CARD}\n"));
    let list = tree.file("this.modalias", &list);
    let text = stdout(tree.run("plan", &["--machine", &list]));
    assert!(text.contains("\nthis: 1 packages, "), "{text}");
    assert!(!machine("lib").ok);
}

#[test]
fn anything_can_be_explained() {
    let tree = tree();
    let root = tree.root().display().to_string();
    let file = format!("{root}/lib/modules/{RELEASE}/kernel/fs/odd_fs.ko");
    let card = "kernel/drivers/net/card.ko\n";
    let odd = "kernel/fs/odd_fs.ko\n  is           Odd\n";
    for (what, begins) in [
        (&["card"][..], card),
        (&["card.ko"], card),
        (&["kernel/drivers/net/card"], card),
        (&[CARD], card),
        (&["odd-fs"], odd),
        (&["fs-odd"], odd),
        (&[&*file], odd),
        (&["kernel/fs/"], odd),
        (
            &["odd_fs-kmp-amd64"],
            "odd_fs-kmp-amd64\n  has          1 modules",
        ),
        (
            &["patterns-kernel-network-amd64"],
            "patterns-kernel-network-amd64\n",
        ),
    ] {
        let ran = tree.run("explain", what);
        assert!(ran.stdout.starts_with(begins), "{what:?}: {ran:?}");
    }
    let several = stdout(tree.run("explain", &["card", "odd_fs", "card"]));
    assert_eq!(several.matches("\n  because ").count(), 2, "{several}");
    assert!(several.contains("no rule claims it, so it has a package of its own"));
    assert!(
        several.contains("packages of 2 KiB (odd_fs-kmp-amd64)"),
        "{several}"
    );
    let json = stdout(tree.run("explain", &["--json", "card", "odd_fs-kmp-amd64"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["module"], "kernel/drivers/net/card.ko");
    assert_eq!(json[1]["package"], "odd_fs-kmp-amd64");
}

#[test]
fn an_unknown_name_leads_to_a_known_one() {
    let tree = tree();
    for (what, reason) in [
        ("crad", "did you mean card?"),
        ("odd-fs-kmp-amd65", "did you mean odd_fs-kmp-amd64?"),
        ("usb:v0000", "drives usb:v0000"),
        (
            "nothing-like-it",
            "no module, package or alias nothing-like-it in",
        ),
    ] {
        let ran = tree.run("explain", &["card", what]);
        assert!(!ran.ok && ran.stderr.contains(reason), "{what}: {ran:?}");
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn two_plans_or_trees_are_compared() {
    let (old, new) = (tree(), tree());
    fs::remove_file(new.modules().join("kernel/fs/odd_fs.ko")).unwrap();
    let policy = new.file(
        "p.toml",
        "[[module]]\nmatch = \"phy\"\npackage = \"phys\"\n",
    );
    let plan = stdout(old.run("plan", &["--json"]));
    let plan = old.file("plan.json", &plan);
    let diff = |old: &str, new: &str, options: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kmp-split"));
        command.env_remove("RUST_LOG");
        stdout(Ran::of(command.args(["diff", old, new]).args(options)))
    };
    let [old_root, new_root] = [&old, &new].map(|tree| tree.root().display().to_string());
    let options = ["--system-policy", "/no/policy", "--policy", &policy];
    let text = diff(&plan, &new_root, &options);
    for line in [
        "packages 2 -> 2, modules 3 -> 2, ",
        "1 new packages:\n  phys-kmp-amd64, 2 KiB: phy\n",
        "1 packages that are gone:\n  odd_fs-kmp-amd64, 2 KiB: odd_fs\n",
        "1 changed packages:\n  card-kmp-amd64, 4 -> 2 KiB: -phy\n",
        "1 modules that are gone:\n  kernel/fs/odd_fs were in odd_fs\n",
        "1 modules that are elsewhere:\n  kernel/drivers/net/phy from card to phys\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let same = diff(&plan, &old_root, &options[..2]);
    assert_eq!(same.lines().count(), 2, "{same}");
}

#[test]
fn a_plan_is_sorted_by_what_is_asked_for() {
    let tree = SmallTree::of(&[
        ("drivers/net/a.ko", &["name=a"]),
        (
            "fs/b.ko",
            &[
                "name=b",
                "description=A long one that makes the file larger",
            ],
        ),
        ("sound/c.ko", &["name=c"]),
        ("sound/d.ko", &["name=d"]),
    ]);
    let policy = tree.file("p.toml", "[grouping]\nby = \"directory\"\ndepth = 1\n");
    for (key, order) in [
        ("name", ["drivers", "fs", "sound"]),
        ("size", ["sound", "fs", "drivers"]),
        ("modules", ["sound", "drivers", "fs"]),
    ] {
        let text = stdout(tree.run("plan", &["--policy", &policy, "--sort", key]));
        let lines = text.lines().skip(1).take(3);
        let stems: Vec<_> = lines.filter_map(|line| line.split("-kmp").next()).collect();
        assert_eq!(stems, order, "{key}");
    }
}
