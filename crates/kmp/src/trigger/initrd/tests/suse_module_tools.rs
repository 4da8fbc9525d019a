//! The script of suse-module-tools, which takes flags and says little of what became of them.

use super::*;

const SUSE: &str = "usr/lib/module-init-tools/regenerate-initrd-posttrans";
const DRACUT: &str = "usr/bin/dracut";
/// Tells the flags it finds, and has an initrd made for each. Without dracut or in an image it makes
/// none and succeeds, and its status is that of the last one.
const SCRIPT: &str = r#"#!/bin/sh
root=${0%/usr/lib/*}
flags=$root/run/regenerate-initrd
[ -x "$root/usr/bin/dracut" ] || exit 0
[ -e "$root/etc/fstab" ] || { rm "$flags"/*; exit 0; }
for flag in "$flags"/*; do
    rm "$flag"
    name=${flag##*/}
    echo "$name" >> "$0.log"
    case $name in *-6.*) name=${name#*-} ;; esac
    "$root/usr/bin/dracut" -f --kver "$name"
    status=$?
done
exit $status
"#;
/// Makes an initrd, unless it is for the kernel that the tests put into `fails`.
const MAKES: &str = r#"#!/bin/sh
root=${0%/usr/bin/*}
[ "$3" != "$(cat "$root/fails")" ] || exit 1
mkdir -p "$root/boot" && echo > "$root/boot/initrd-$3"
"#;

fn scene() -> Scene {
    let scene = Scene::new();
    scene.program(SUSE, SCRIPT);
    scene.program(DRACUT, MAKES);
    scene.put("etc/fstab", "");
    scene.put("fails", "none");
    scene
}

impl Scene {
    /// What became of the two kernels.
    fn of_two(&self) -> [Outcome; 2] {
        let outcomes = self.outcomes();
        ["6.1-x", "6.2-x"].map(|release| outcomes[release])
    }
}

#[test]
fn finds_a_flag_for_each_kernel() {
    let scene = scene();
    assert!(scene.update());
    assert_eq!(scene.told(SUSE), ["6.1-x", "6.2-x"]);
    assert!(scene.update());
    assert!(scene.told(SUSE).is_empty(), "both are made");
}

#[test]
fn finds_flags_of_images_where_it_is_older() {
    let scene = scene();
    scene.program(SUSE, &format!("{SCRIPT}# ${{image#*-}}\n"));
    scene.put("boot/Image-6.2-x", "");
    assert!(scene.update());
    assert_eq!(scene.told(SUSE), ["Image-6.2-x", "vmlinuz-6.1-x"]);
}

#[test]
fn only_what_it_made_is_recorded() {
    for (fails, outcomes) in [
        // The script succeeds, for the last kernel did.
        ("6.1-x", [Outcome::Failed, Outcome::Right]),
        ("6.2-x", [Outcome::Right, Outcome::Failed]),
    ] {
        let scene = scene();
        scene.put("fails", fails);
        assert_eq!(scene.of_two(), outcomes, "{fails}");
        scene.told(SUSE);
        scene.put("fails", "none");
        assert!(scene.update());
        assert_eq!(scene.told(SUSE), [fails]);
    }
}

#[test]
fn without_a_file_system_table_nothing_is_made() {
    let scene = scene();
    scene.remove("etc/fstab");
    assert_eq!(scene.of_two(), [Outcome::Later; 2]);
    let flags = scene.root.path().join("run/regenerate-initrd");
    assert_eq!(fs::read_dir(flags).unwrap().count(), 0);
    scene.put("etc/fstab", "");
    assert!(scene.update());
    assert_eq!(scene.told(SUSE), ["6.1-x", "6.2-x"]);
}

#[test]
fn without_dracut_nothing_is_made() {
    let scene = scene();
    scene.remove(DRACUT);
    assert_eq!(scene.of_two(), [Outcome::Later; 2]);
    scene.program(DRACUT, MAKES);
    assert!(scene.update());
    assert_eq!(scene.told(SUSE), ["6.1-x", "6.2-x"]);
}

#[test]
fn a_script_that_fails_without_a_reason_made_nothing() {
    let scene = scene();
    scene.program(SUSE, &SCRIPT.replace("exit $status", "exit 3"));
    assert_eq!(scene.of_two(), [Outcome::Failed; 2]);
    scene.program(SUSE, "#!/bin/sh\nexit 2\n");
    scene.put("lib/modules/6.1-x/k/a.ko", "another");
    scene.put("lib/modules/6.2-x/k/a.ko", "another");
    assert_eq!(scene.of_two(), [Outcome::Failed; 2]);
}
