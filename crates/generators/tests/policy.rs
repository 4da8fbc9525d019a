//! Checks what the generators print of modules, given policies.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};
use tagging::GENERATORS;
use tempfile::TempDir;

const TAGS: &str = "policy-tags";
const HARDWARE: &str = "modalias-supplements";

/// A buildroot with policy files beside it, and the options that name them.
struct Stage {
    root: TempDir,
    options: Vec<String>,
}

/// What a generator did.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    sound: bool,
    tags: Vec<String>,
    complaint: String,
}

impl Stage {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let system = root.path().join("system");
        let options = vec!["--system-policy".into(), system.to_str().unwrap().into()];
        Self { root, options }
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Adds a policy file for --policy.
    fn policy(mut self, name: &str, text: &str) -> Self {
        let path = self.write(name, text);
        self.options.push("--policy".into());
        self.options.push(path.to_str().unwrap().into());
        self
    }

    fn build_root(&self) -> PathBuf {
        self.root.path().join("buildroot")
    }

    fn run(&self, generator: &str, more: &[&str], paths: &[&Path]) -> Answer {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kmpkit-generator"))
            .arg0(generator)
            .args(&self.options)
            .args(more)
            .env("RPM_BUILD_ROOT", self.build_root())
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for path in paths {
            writeln!(stdin, "{}", path.display()).unwrap();
        }
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let root = format!("{}/", self.root.path().display());
        Answer {
            sound: output.status.success(),
            tags: text.lines().map(|line| line.replace(&root, "")).collect(),
            complaint: String::from_utf8(output.stderr).unwrap().replace(&root, ""),
        }
    }

    /// The tags of a file of the package, whatever is in it.
    fn tags(&self, kind: &str, path: &str) -> Vec<String> {
        let path = self.empty(path);
        let answer = self.run(TAGS, &["--type", kind], &[&path]);
        assert!(answer.sound, "{answer:?}");
        assert_eq!(answer.complaint, "");
        answer.tags
    }

    /// An empty file of the package.
    fn empty(&self, path: &str) -> PathBuf {
        let path = self.build_root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        path
    }

    fn hardware(&self, path: &Path) -> Vec<String> {
        let answer = self.run(HARDWARE, &[], &[path]);
        assert!(answer.sound, "{answer:?}");
        answer.tags
    }
}

/// A module that drives one device.
fn module() -> Vec<u8> {
    let mut file = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let modinfo = file.add_section(Vec::new(), b".modinfo".to_vec(), SectionKind::ReadOnlyData);
    let info = "alias=pci:v1d*\0vermagic=6.1.0-50-test SMP mod_unload modversions \0";
    file.append_section_data(modinfo, info.as_bytes(), 1);
    file.write().unwrap()
}

const SND: &str = "lib/modules/6.1/kernel/sound/snd-hda-intel.ko.xz";

#[test]
fn a_module_is_named_by_name_or_path() {
    for (selector, expected) in [
        ("snd-hda-intel", true),
        ("snd_hda_*", true),
        ("kernel/sound/", true),
        ("kernel/*/snd-hda-intel", true),
        ("re:^kernel/sound/.*-intel$", true),
        ("snd-hda", false),
        ("lib/modules/", false),
        ("sound/", false),
    ] {
        let text = format!("[[module]]\nmatch = '{selector}'\nrequires = ['snd']\n");
        let stage = Stage::new().policy("p.toml", &text);
        for path in [SND, &format!("usr/{SND}")] {
            let tags = stage.tags("requires", path);
            assert_eq!(!tags.is_empty(), expected, "{selector} {path}");
        }
    }
}

#[test]
fn every_type_has_its_own_tags_sorted_and_unique() {
    let types = [
        "provides",
        "requires",
        "recommends",
        "suggests",
        "supplements",
        "enhances",
        "conflicts",
        "obsoletes",
        "orderwithrequires",
    ];
    let lists: String = types
        .iter()
        .map(|kind| format!("{kind} = ['of-{kind} >= 1', '100%{{x}}', 'of-{kind} >= 1']\n"))
        .collect();
    let stage = Stage::new().policy("p.toml", &format!("[[module]]\nmatch = '*'\n{lists}"));
    for kind in types {
        let expected = ["100%{x}".to_owned(), format!("of-{kind} >= 1")];
        assert_eq!(stage.tags(kind, SND), expected);
    }
    assert!(stage.tags("requires", "lib/modules/6.1/vmlinuz").is_empty());
}

#[test]
fn an_initrd_mark_is_spelled_as_kmod_is() {
    let text = "[[module]]\nmatch = '*'\ninitrd = true\nprovides = ['a']\nrequires = ['b']\n";
    let stage = Stage::new().policy("p.toml", text);
    let path = stage.empty(SND);
    let provides = |more: &[&str]| {
        let options = [&["--type", "Provides"], more].concat();
        stage.run(TAGS, &options, &[&path]).tags
    };
    assert_eq!(provides(&[]), ["a", "kmod-initrd(snd_hda_intel.ko)"]);
    assert_eq!(
        provides(&["--dialect", "redhat", "--kabi", "1"]),
        ["a", "kmod-initrd(snd-hda-intel.ko)"]
    );
    assert_eq!(stage.tags("requires", SND), ["b"]);
}

#[test]
fn the_later_layer_wins() {
    let rule = |tag: &str| format!("[[module]]\nmatch = 'snd_hda_intel'\nrequires = ['{tag}']\n");
    let stage = Stage::new();
    assert!(stage.tags("requires", SND).is_empty());
    stage.write("system/20.toml", rule("system-20"));
    stage.write("system/10.toml", rule("system-10"));
    assert_eq!(stage.tags("requires", SND), ["system-20"]);
    let stage = stage.policy("a.toml", &rule("a"));
    assert_eq!(stage.tags("requires", SND), ["a"]);
    let stage = stage.policy("b.toml", &rule("b"));
    assert_eq!(stage.tags("requires", SND), ["b"]);
    let stage = stage.policy("c.toml", &rule("c"));
    assert_eq!(stage.tags("requires", SND), ["c"]);
}

#[test]
fn a_module_without_hardware_is_pulled_in_by_none() {
    let stage = Stage::new();
    let path = stage.write(
        "buildroot/lib/modules/6.1/kernel/drivers/pc-spkr.ko",
        module(),
    );
    let tag = ["modalias(kernel-test:pci:v1d*)"];
    assert_eq!(stage.hardware(&path), tag);
    let stage = stage.policy(
        "p.toml",
        "[[module]]\nmatch = 'pc_spkr'\nhardware = false\n",
    );
    assert!(stage.hardware(&path).is_empty());
    let stage = stage.policy(
        "q.toml",
        "[[module]]\nmatch = 'kernel/drivers/'\nhardware = true\n",
    );
    assert_eq!(stage.hardware(&path), tag);
}

#[test]
fn a_wrong_policy_is_refused_for_all_files() {
    let path = Path::new("/lib/modules/6.1/a.ko");
    let wrong = "# a comment\n[[module]]\nmatch = 'needs: b'\n";
    let named = Stage::new().policy("p.toml", wrong);
    let of_system = Stage::new();
    of_system.write("system/p.toml", wrong);
    let missing = Stage::new().policy("p.toml", "");
    std::fs::remove_file(missing.root.path().join("p.toml")).unwrap();
    for protocol in [&[][..], &["--multifile"]] {
        for (generator, options) in [(TAGS, &["--type", "requires"][..]), (HARDWARE, &[])] {
            let options = [options, protocol].concat();
            let refused = |stage: &Stage, reason: &str| {
                let answer = stage.run(generator, &options, &[path, path]);
                let expected = Answer {
                    sound: false,
                    tags: vec![deptag::refusal(generator, reason)],
                    complaint: format!("{generator}: {reason}\n"),
                };
                assert_eq!(answer, expected);
            };
            let reason = "p.toml:3: selector \"needs: b\": `needs:` is not possible in [[module]]; \
                          put the modules into a [[set]]";
            refused(&named, reason);
            refused(&of_system, &format!("system/{reason}"));
            let reason = "cannot read the policy p.toml: No such file or directory (os error 2)";
            refused(&missing, reason);
        }
    }
}

#[test]
fn generators_that_no_policy_concerns_read_none() {
    let stage = Stage::new().policy("p.toml", "wrong");
    for generator in ["ksym-provides", "ksym-requires", "depmod-requires"] {
        let answer = stage.run(generator, &[], &[Path::new("/note.txt")]);
        assert!(answer.sound, "{answer:?}");
    }
}

#[test]
fn without_a_policy_there_are_no_tags() {
    let stage = Stage::new();
    stage.write("system/note.txt", "no policy");
    let paths = [Path::new("/lib/modules/6.1/a.ko"), Path::new("/b.txt")];
    let answer = stage.run(TAGS, &["--type", "provides", "--multifile"], &paths);
    let expected = Answer {
        sound: true,
        tags: vec![";/lib/modules/6.1/a.ko".into(), ";/b.txt".into()],
        complaint: String::new(),
    };
    assert_eq!(answer, expected);
}

#[test]
fn a_type_must_be_one() {
    let stage = Stage::new();
    for options in [&["--type", "prereq"][..], &[]] {
        let answer = stage.run(TAGS, options, &[]);
        assert!(!answer.sound);
        let [tag] = &answer.tags[..] else {
            panic!("{answer:?}");
        };
        assert!(
            tag.starts_with("policy-tags:_error:_") && tag.ends_with(" ="),
            "{tag}"
        );
    }
}

#[test]
fn a_link_gets_tags_only_for_a_target_rpm_asks_nobody_about() {
    let rules = "[[module]]\nmatch = 'kernel/linked/'\nhardware = false\nrequires = ['by-path']\n";
    let stage = Stage::new().policy("p.toml", rules);
    let tree = stage.build_root().join("lib/modules/6.1/kernel");
    let link = |name: &str, target: &str| {
        let path = tree.join("linked").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, &path).unwrap();
        path
    };
    let requires = |path: &Path| stage.run(TAGS, &["--type", "requires"], &[path]).tags;
    let file = stage.write("buildroot/lib/modules/6.1/kernel/plain/a.ko", module());
    stage.write("buildroot/opt/vendor/a.ko", module());
    assert!(requires(&file).is_empty());
    assert!(!stage.hardware(&file).is_empty());
    // Its target is a module below lib/modules, or nowhere.
    assert!(requires(&link("to-file.ko", "../plain/a.ko")).is_empty());
    assert!(requires(&link("dangling.ko", "/opt/vendor/none.ko")).is_empty());
    // Its target is outside lib/modules; the link's own path counts.
    let to_hidden = link("to-hidden.ko", "/opt/vendor/a.ko");
    assert_eq!(requires(&to_hidden), ["by-path"]);
    assert!(stage.hardware(&to_hidden).is_empty());
    let elsewhere = tree.join("to-hidden.ko");
    symlink("/opt/vendor/a.ko", &elsewhere).unwrap();
    assert!(!stage.hardware(&elsewhere).is_empty());
}

#[test]
fn a_name_of_no_generator_is_refused() {
    let answer = Stage::new().run("ksym-provide", &[], &[Path::new("/a.ko")]);
    let names: Vec<_> = GENERATORS.iter().map(|generator| generator.name).collect();
    let names = names.join(", ");
    let reason = &format!("no generator is called \"ksym-provide\"; call one of {names}");
    let expected = Answer {
        sound: false,
        tags: vec![deptag::refusal("kmpkit-generator", reason)],
        complaint: format!("kmpkit-generator: {reason}\n"),
    };
    assert_eq!(answer, expected);
}
