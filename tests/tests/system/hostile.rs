//! Turns policies, modules, options and earlier plans full of macros, directives and commands into
//! packages with harmless text, or into failed builds that say why. Nothing may run: each attempt
//! would make a file, the proof.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::{Built, Rpm};
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::vendor::VendorPackage;
use kmpkit_tests::{Kernel, cache_dir, modular};
use tempfile::TempDir;

/// What could be a directive, a macro, a comment, a tag or a continued line; PROOF is the file that
/// must not be made. Summaries are cut, so what runs at once comes first.
const LINES: &str = r#"%(touch PROOF)
%{lua:os.execute('touch PROOF')}
%prep
touch PROOF
%post
touch PROOF
%post -n kernel-amd64-image -p <lua>
os.execute('touch PROOF')
%files
/etc/passwd
%package -n hostile
Requires: hostile
%{!?x:%(touch PROOF)} %{expand:%%(touch PROOF)}
%[%(touch PROOF)]
%define __os_install_post touch PROOF
%global __spec_install_post %(touch PROOF)
%{define:__spec_install_post touch PROOF}
%include /etc/passwd
%dnl gone
%if 0
%endif
%%(touch PROOF)
%
# no comment
$(touch PROOF) `touch PROOF` ; touch PROOF
{ ( [ ' " <<EOF
trailing \
100%"#;

/// The words of [`LINES`] that must be left in a text.
const WORDS: [&str; 8] = [
    "prep\n",
    "/etc/passwd\n",
    "Requires: hostile",
    "os.execute('touch ",
    "no comment\n",
    "$(touch ",
    "trailing \\\n",
    "100 percent",
];

/// Part of a kernel, and a directory for what is built of it.
struct Scene {
    directory: TempDir,
    kernel: Kernel,
}

impl Scene {
    fn new() -> Result<Scene> {
        let whole = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
        let directory = tempfile::tempdir()?;
        let parts = ["kernel/drivers/usb/common", "kernel/drivers/usb/core"];
        let kernel = modular::part(&whole, &directory.path().join("tree"), &parts)?;
        Ok(Scene { directory, kernel })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn proof(&self) -> PathBuf {
        self.path("proof")
    }

    /// An attempt with the name of the proof filled in.
    fn attempt(&self, text: &str) -> String {
        text.replace("PROOF", &self.proof().display().to_string())
    }

    fn file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path.display().to_string())
    }

    fn module(&self, name: &str) -> Result<PathBuf> {
        let modules = self.kernel.modules()?;
        let found = modules.into_iter().find(|path| path.ends_with(name));
        found.with_context(|| name.to_owned())
    }

    /// Builds the example, which every rpm sees beside the tree.
    fn build(&self, rpm: &Rpm, defines: &[(&str, &str)]) -> Result<Built> {
        let spec = self.path("kernel.spec");
        fs::copy(modular::example(), &spec)?;
        let tree = self.kernel.root.display().to_string();
        let own = [
            ("kernel_tree", tree.as_str()),
            ("_binary_payload", "w1.zstdio"),
        ];
        let top = self.path("top");
        if top.exists() {
            fs::remove_dir_all(&top)?;
        }
        let built = rpm.build(&spec, &top, &[&own, defines].concat(), &[]);
        let said = match &built {
            Ok(built) => built.log.clone(),
            Err(error) => format!("{error:#}"),
        };
        ensure!(
            !self.proof().exists(),
            "it was executed, with {defines:?}:\n{said}"
        );
        ensure!(!said.contains("panicked"), "{said}");
        built
    }

    /// The packages, none of which has what only an attempt could put there.
    fn packages(&self, rpm: &Rpm, defines: &[(&str, &str)]) -> Result<Vec<Shown>> {
        let built = self.build(rpm, defines)?;
        let all: Vec<Shown> = shown(&built.rpms)?.into_values().collect();
        for shown in &all {
            let name = shown.name();
            ensure!(shown.scripts.is_empty(), "{name} has {:?}", shown.scripts);
            ensure!(!name.contains("hostile"), "there is a package {name}");
            let files = shown.files.keys();
            let foreign = files
                .filter(|path| !path.starts_with("/lib/modules/") && !path.starts_with("/boot/"))
                .count();
            ensure!(foreign == 0, "{name}: {:?}", shown.files);
            let tags = shown.tags.values().flatten();
            let hostile: Vec<_> = tags.filter(|tag| tag.as_str() == "hostile").collect();
            ensure!(hostile.is_empty(), "{name} has the tag hostile");
        }
        Ok(all)
    }

    /// What is said of a build that must fail.
    fn refusal(&self, rpm: &Rpm, defines: &[(&str, &str)]) -> Result<String> {
        match self.build(rpm, defines) {
            Ok(_) => anyhow::bail!("{} built it with {defines:?}", rpm.version()?),
            Err(error) => Ok(format!("{error:#}")),
        }
    }
}

fn package<'s>(all: &'s [Shown], name: &str) -> Result<&'s Shown> {
    let found = all.iter().find(|shown| shown.name() == name);
    let names: Vec<_> = all.iter().map(Shown::name).collect();
    found.with_context(|| format!("no {name} among {names:?}"))
}

fn has_words(shown: &Shown) -> Result<()> {
    for words in WORDS {
        ensure!(
            shown.text.contains(words),
            "{}: {words:?} is lost from\n{}",
            shown.name(),
            shown.text
        );
    }
    Ok(())
}

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n").replace('\t', "\\t"))
}

/// All free text of a policy, one attempt a line in the long ones and all of them in the short ones.
fn texts_of_a_policy(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new()?;
    let lines = scene.attempt(LINES);
    let line = lines.replace('\n', " ");
    let (lines, line) = (quoted(&lines), quoted(&line));
    let policy = format!(
        "[[set]]\nname = 'wild'\nsummary = {line}\ndescription = {lines}\nmembers = ['usbcore']\n\
         [[pattern]]\nname = 'wild'\nsummary = {line}\ndescription = {lines}\ncategory = {line}\n\
         members = ['usbcore']\n\
         [[pattern]]\nname = 'void'\nsummary = '%'\ndescription = ''\ncategory = '%'\n\
         members = ['usbcore']\n"
    );
    let policy = scene.file("policy.toml", &policy)?;
    let all = scene.packages(rpm, &[("kmp_policy", &policy)])?;
    has_words(package(&all, "wild-kmp-amd64")?)?;
    let pattern = package(&all, "patterns-kernel-wild-amd64")?;
    has_words(pattern)?;
    let provides = pattern.tags.get("Provide").context("no provides")?;
    let category = provides
        .iter()
        .find(|tag| tag.starts_with("pattern-category() = "));
    let category = category.context("no category")?;
    ensure!(category.contains("_touch_"), "{category}");
    package(&all, "patterns-kernel-void-amd64")?;
    Ok(())
}

/// One attempt after the other as the last words of a summary, which the next line of the spec
/// follows, and as an only description.
fn each_text_alone(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new()?;
    for line in scene.attempt(LINES).lines() {
        let text = quoted(line);
        let policy = format!(
            "[[set]]\nname = 'wild'\nsummary = {text}\ndescription = {text}\nmembers = ['usbcore']\n"
        );
        let policy = scene.file("policy.toml", &policy)?;
        let all = scene
            .packages(rpm, &[("kmp_policy", &policy)])
            .with_context(|| line.to_owned())?;
        ensure!(
            all.len() > 3,
            "{line:?} took packages away: {} are left",
            all.len()
        );
    }
    Ok(())
}

/// Tags with macros in them, of which rpm takes some as they are.
fn tags_of_a_policy(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new()?;
    for attempt in [
        "x(%(touch${IFS}PROOF))",
        "x(%{lua:os.execute('touch${IFS}PROOF')})",
        "x$(touch${IFS}PROOF)",
        "x = 1%(touch${IFS}PROOF)",
        "x;touch PROOF",
        "x, %(touch PROOF)",
        "x\\",
    ] {
        let tag = scene.attempt(attempt);
        for kind in ["provides", "requires", "supplements", "orderwithrequires"] {
            let policy = format!(
                "[[module]]\nmatch = 'usbcore'\n{kind} = [{}]\n",
                quoted(&tag)
            );
            let policy = scene.file("policy.toml", &policy)?;
            match scene.build(rpm, &[("kmp_policy", &policy)]) {
                Ok(built) => {
                    let all: Vec<_> = shown(&built.rpms)?.into_values().collect();
                    let tags = all.iter().flat_map(|shown| shown.tags.values().flatten());
                    let first = tag.split([' ', ',']).next().unwrap_or_default();
                    let taken = tags.filter(|tag| tag.starts_with(first)).count();
                    ensure!(taken > 0, "{kind} {tag}: neither refused nor there");
                }
                Err(error) => {
                    let said = format!("{error:#}");
                    ensure!(
                        said.contains("error:"),
                        "{kind} {tag}: no reason in\n{said}"
                    );
                }
            }
        }
    }
    Ok(())
}

/// All text of a module that is packaged.
fn texts_of_a_module(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new()?;
    let module = scene.module("usb-common.ko")?;
    let modinfo = scene.path("modinfo");
    run(tool("objcopy")?
        .args(["-O", "binary", "--only-section=.modinfo"])
        .args(["--set-section-flags", ".modinfo=alloc"])
        .arg(&module)
        .arg(&modinfo))?;
    let fields = String::from_utf8(fs::read(&modinfo)?)?;
    let fields = fields.replacen("description=", "old-description=", 1);
    let lines = scene.attempt(LINES);
    let mut hostile = format!("description={lines}\0author={lines}\0");
    for line in lines.lines().chain([lines.as_str()]) {
        hostile +=
            &format!("alias=pci:{line}\0alias={line}\0softdep=pre: {line}\0weakdep={line}\0");
    }
    fs::write(&modinfo, hostile + &fields)?;
    run(tool("objcopy")?
        .arg("--update-section")
        .arg(format!(".modinfo={}", modinfo.display()))
        .arg(&module))?;
    for policy in ["", "[grouping]\nby = 'per-module'\n"] {
        let policy = scene.file("policy.toml", policy)?;
        for dialect in ["suse", "redhat"] {
            let all = scene.packages(rpm, &[("kmp_dialect", dialect), ("kmp_policy", &policy)])?;
            let shown = all.iter().find(|shown| {
                shown
                    .files
                    .keys()
                    .any(|path| path.ends_with("usb-common.ko"))
            });
            let shown = shown.context("usb-common.ko is in no package")?;
            ensure!(
                shown.text.contains("touch"),
                "the description is lost: {}",
                shown.text
            );
        }
    }
    Ok(())
}

/// Options of the spec with what a shell would run; the example, and a vendor's package.
fn options(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new()?;
    let policy = scene.file("policy.toml", "[[module]]\nmatch = '*'\nprovides = ['x']\n")?;
    let package = VendorPackage::new()?;
    let module = fs::read(scene.module("usb-common.ko")?)?;
    package.file("/lib/modules/6/updates/usb-common.ko", &module)?;
    // Seen by rpm in a chroot too.
    let beside = package.payload().with_file_name("proof");
    for (name, value) in [
        ("kmp_kabi", "6.1;touch PROOF"),
        ("kmp_kabi", "6.1$(touch PROOF)"),
        ("kmp_flavor", "amd64`touch PROOF`"),
        ("kmp_flavor", "amd64 && touch PROOF"),
        ("kmp_flavor", "' ; touch PROOF ; '"),
        ("kmp_policy", "POLICY; touch PROOF"),
        ("kmp_policy", "POLICY $(touch PROOF)"),
        ("kmp_policy", "POLICY\\\ntouch PROOF"),
        ("kmp_system_policy", "/nonexistent|touch PROOF"),
        ("kmp_dialect", "suse;touch PROOF"),
        ("kmp_symvers", "/nonexistent;touch PROOF"),
    ] {
        let value = value.replace("POLICY", &policy);
        scene.refusal(rpm, &[(name, &scene.attempt(&value))])?;
        let value = value.replace("PROOF", &beside.display().to_string());
        let built = package.build(rpm, &[(name, &value)]);
        ensure!(
            !beside.exists(),
            "{name} {value} was executed for a vendor's package"
        );
        ensure!(
            built.is_err(),
            "a vendor's package was built with {name} {value}"
        );
    }
    for (name, value) in [
        ("kmp_kabi", "6.1 --symvers /nonexistent"),
        ("kmp_previous", "/nonexistent;touch PROOF"),
        ("kmp_image_package", "kernel;touch PROOF"),
    ] {
        scene.refusal(rpm, &[(name, &scene.attempt(value))])?;
    }
    Ok(())
}

/// An earlier plan whose packages have names that are none.
fn earlier_plans(rpm: &Rpm) -> Result<()> {
    let scene = Scene::new()?;
    let mut command = Stage::get()?.tool("kmp-split");
    let plan = run(command.args(["plan", "--json"]).arg(&scene.kernel.root))?;
    let stem = "\"stem\": \"usbcore\"";
    ensure!(plan.contains(stem), "{plan}");
    for name in [
        "x\\n%post\\ntouch PROOF",
        "x%(touch PROOF)",
        "../x",
        "-x",
        "",
    ] {
        let name = scene.attempt(name);
        let hostile = plan.replace(stem, &format!("\"stem\": \"{name}\""));
        let left = format!(
            "\"left\": [{{\"stem\": \"{name}\", \"since\": \"1-1\", \
             \"modules\": [\"kernel/drivers/usb/core/usbcore\"]}}]"
        );
        let since = format!(
            "\"left\": [{{\"stem\": \"old\", \"since\": \"{name}\", \
             \"modules\": [\"kernel/drivers/usb/core/usbcore\"]}}]"
        );
        for text in [
            hostile,
            plan.replace("\"left\": []", &left),
            plan.replace("\"left\": []", &since),
        ] {
            let previous = scene.file("previous.json", &text)?;
            let policy = scene.file("kabi.toml", "[naming]\nkabi = true\n")?;
            for defines in [&[][..], &[("kmp_policy", policy.as_str())]] {
                let defines = [defines, &[("kmp_previous", previous.as_str())]].concat();
                let said = scene.refusal(rpm, &defines)?;
                ensure!(said.contains("kmp-split: "), "{said}");
            }
        }
    }
    Ok(())
}

/// Values that could be more than a name, a line or a tag are refused before anything is packaged.
#[test]
fn names_lines_and_tags_that_are_more() -> Result<()> {
    let scene = Scene::new()?;
    let names = [
        "a b", "a\nb", "a;b", "a/b", "../a", "-a", ".a", "%a", "a%(id)", "$(id)", "`id`", "ä", "",
        "a\"", "a'b", "a\\", "a=b", "{flavor}",
    ];
    let names = names.map(quoted);
    let mut refused = Vec::new();
    for name in &names {
        refused.push(format!("[[set]]\nname = {name}\nmembers = ['usbcore']\n"));
        refused.push(format!(
            "[[pattern]]\nname = {name}\nmembers = ['usbcore']\n"
        ));
        refused.push(format!("[[module]]\nmatch = 'usbcore'\npackage = {name}\n"));
        let part = name.trim_matches('"');
        // What may be added to a name may begin with a dash or a dot, or be empty.
        if !["-a", ".a", ""].contains(&part) {
            refused.push(format!("[naming]\nunsupported = {name}\n"));
        }
        if part != "{flavor}" {
            refused.push(format!("[naming]\nkmp = \"{{name}} {part}\"\n"));
            refused.push(format!("[naming]\npattern = \"%{{name}}{part}\"\n"));
        }
        if !["{flavor}", ""].contains(&part) {
            refused.push(format!("[naming]\nall = {name}\n"));
        }
    }
    for text in ["a\nb", "a\tb", "a\u{7f}b", "a\u{1b}[2Jb"].map(quoted) {
        let text = text
            .replace('\u{7f}', "\\u007f")
            .replace('\u{1b}', "\\u001b");
        refused.push(format!(
            "[[set]]\nname = 'a'\nsummary = {text}\nmembers = []\n"
        ));
        refused.push(format!(
            "[[pattern]]\nname = 'a'\nsummary = {text}\nmembers = []\n"
        ));
        refused.push(format!(
            "[[pattern]]\nname = 'a'\ncategory = {text}\nmembers = []\n"
        ));
        refused.push(format!("[[module]]\nmatch = 'a'\nprovides = [{text}]\n"));
    }
    for tag in [";/lib/modules/6/x.ko", "-x", "%(id)", " %(id)", "", " "] {
        refused.push(format!("[[module]]\nmatch = 'a'\nrequires = ['{tag}']\n"));
    }
    for (number, text) in refused.iter().enumerate() {
        let policy = scene.file(&format!("{number}.toml"), text)?;
        let said = said_of(&scene.kernel.root, &policy)?;
        let begin = format!("kmp-split: {policy}:");
        ensure!(
            said.starts_with(&begin),
            "{text}\nnot refused with its line: {said}"
        );
        ensure!(
            said.trim_end().lines().count() == 1,
            "more than a line: {said}"
        );
    }
    Ok(())
}

/// What `kmp-split plan` says of a policy it must refuse.
fn said_of(tree: &Path, policy: &str) -> Result<String> {
    let mut command = Stage::get()?.tool("kmp-split");
    let output = command
        .args(["plan", "--policy", policy, "--"])
        .arg(tree)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success(), "planned by {policy}: {said}");
    Ok(said)
}

#[test]
fn texts_of_a_policy_with_the_hosts_rpm() -> Result<()> {
    texts_of_a_policy(&Rpm::host()?)
}

#[test]
fn texts_of_a_module_with_the_hosts_rpm() -> Result<()> {
    texts_of_a_module(&Rpm::host()?)
}

/// Each attempt with each rpm. The host's 4.18 has the subpackages in the spec; 4.20 and 6.1 have
/// them in a spec part, of which they expand every line.
macro_rules! with_every_rpm {
    ($($attempt:ident)*) => {
        $(mod $attempt {
            use kmpkit_tests::rpmbuild::Rpm;

            #[test]
            #[ignore = "test-all"]
            fn rpm_4_18() -> anyhow::Result<()> {
                super::$attempt(&Rpm::host()?)
            }

            #[test]
            #[ignore = "test-all"]
            fn rpm_4_20() -> anyhow::Result<()> {
                super::$attempt(&Rpm::suite("trixie")?)
            }

            #[test]
            #[ignore = "test-all"]
            fn rpm_6_1() -> anyhow::Result<()> {
                super::$attempt(&Rpm::suite("sid")?)
            }
        })*
    };
}

with_every_rpm!(
    texts_of_a_policy
    each_text_alone
    tags_of_a_policy
    texts_of_a_module
    options
    earlier_plans
);
