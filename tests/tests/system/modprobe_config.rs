//! modprobe.d and the command line of the kernel, as modprobe reads them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmod_conf::{Configured, DenialReason, ModprobeConfig};
use kmpkit_tests::kmod::{Kmod, answer};
use kmpkit_tests::modules_tree::ModulesTree;
use kmpkit_tests::need_mounts;

use crate::depmod::scene::{MODULES, small};

/// Runs modprobe with a command line of the kernel, a directory of configuration and more arguments.
fn modprobe(kmod: &Kmod, tree: &ModulesTree, arguments: &[&str]) -> Result<String> {
    need_mounts("a command line of the kernel")?;
    let mut command = kmod.tool("unshare", tree.root())?;
    command.args(["--mount", "--propagation", "private", "sh", "-e", "-c"]);
    command.arg("mount --bind \"$1\" /proc/cmdline; shift; exec modprobe \"$@\"");
    command.arg("sh").arg(tree.root().join("cmdline"));
    command.arg("-C").arg(tree.root().join("modprobe.d"));
    command.arg("-d").arg(tree.root());
    command.arg("-S").arg(&tree.release).args(arguments);
    let output = answer(&mut command)?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write(tree: &ModulesTree, files: &[(&str, &str)]) -> Result<()> {
    let directory = tree.root().join("modprobe.d");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir(&directory)?;
    for (name, text) in files {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}

fn ours(tree: &ModulesTree) -> Result<ModprobeConfig> {
    let lists = ["modules.softdep", "modules.weakdep"].map(|name| tree.directory().join(name));
    let directory = tree.root().join("modprobe.d");
    let paths = lists.iter().map(|list| &**list).chain([&*directory]);
    let mut config = ModprobeConfig::load(paths);
    config.add_kernel_command_line(&fs::read(tree.root().join("cmdline"))?);
    Ok(config)
}

/// As `modprobe --showconfig` prints it. kmod puts no blank between the last softdep before a module
/// and `post:`.
fn shown(config: &ModprobeConfig, weakdeps: bool) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let list = |names: &[Vec<u8>]| {
        names
            .iter()
            .map(|name| text(name))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut out = String::new();
    for line in &config.blacklist {
        let _ = writeln!(out, "blacklist {}", text(&line.module));
    }
    let mut values = |command: &str, lines: &[Configured<Vec<u8>>]| {
        for line in lines {
            let _ = writeln!(
                out,
                "{command} {} {}",
                text(&line.module),
                text(&line.value)
            );
        }
    };
    values("install", &config.installs);
    values("remove", &config.removes);
    for line in &config.aliases {
        let _ = writeln!(out, "alias {} {}", text(&line.value), text(&line.module));
    }
    let mut values = |command: &str, lines: &[Configured<Vec<u8>>]| {
        for line in lines {
            let _ = writeln!(
                out,
                "{command} {} {}",
                text(&line.module),
                text(&line.value)
            );
        }
    };
    values("options", &config.options);
    for line in &config.softdeps {
        let _ = write!(out, "softdep {} ", text(&line.module));
        for (when, names) in [("pre: ", &line.value.pre), ("post: ", &line.value.post)] {
            if !names.is_empty() {
                let _ = write!(out, "{when}{}", list(names));
            }
        }
        out.push('\n');
    }
    for line in config.weakdeps.iter().filter(|_| weakdeps) {
        let _ = writeln!(out, "weakdep {} {}", text(&line.module), list(&line.value));
    }
    out
}

fn same(tree: &ModulesTree, files: &[(&str, &str)], command_line: &str) -> Result<()> {
    write(tree, files)?;
    fs::write(tree.root().join("cmdline"), command_line)?;
    let config = ours(tree)?;
    for kmod in Kmod::all()? {
        let theirs = modprobe(&kmod, tree, &["-c"])?;
        let (theirs, _) = theirs
            .split_once("\n# End of configuration files.")
            .context("no end of the configuration")?;
        let ours = shown(&config, kmod.version != "30");
        ensure!(
            ours == theirs,
            "{kmod}\n{files:?}\n{command_line}\nours:\n{ours}\ntheirs:\n{theirs}"
        );
    }
    Ok(())
}

/// Lines of every kind, with blanks and dashes where they matter.
const LINES: &str = "\
softdep a pre: x y post: z
softdep b  pre: x
softdep c   pre: x
softdep d post: q\tr
softdep e-f nonsense
softdep g pre: post:
softdep h pre: x pre: y post: z post: w
softdep i
softdep j pre:
softdep k-[a-b] pre: l-m
install f-g   /bin/false
install f-g
install h-i /bin/true \\
  --more
options h-i\ta=1\tb=2
options j
options k\t
alias k-* l-m
alias n[a-b]-c o-p q
alias x[ y
alias x] y
alias z
blacklist p-q extra
blacklist
remove r /bin/true \x20
\tblacklist indented
 # no comment
# a comment \\
blacklist joined
include foo
config foo
nonsense bar
weakdep u v  w
weakdep u  v
weakdep u\tv\tw\t
blacklist\tlast";

#[test]
fn lines_of_every_kind() -> Result<()> {
    let tree = small()?;
    same(&tree, &[("a.conf", LINES)], "quiet\n")
}

#[test]
fn files_in_their_order() -> Result<()> {
    let tree = small()?;
    fs::write(
        tree.directory().join("modules.softdep"),
        "# x\nsoftdep of_depmod pre: y\n",
    )?;
    fs::write(
        tree.directory().join("modules.weakdep"),
        "# x\nweakdep of_depmod y\n",
    )?;
    same(
        &tree,
        &[
            ("z.conf", "blacklist z\nsoftdep z pre: z"),
            ("b.conf", "blacklist b"),
            ("a.conf", "blacklist a\nsoftdep a pre: a\nweakdep a a"),
            ("none.txt", "blacklist none"),
            (".hidden.conf", "blacklist hidden"),
            (".conf", "blacklist short"),
        ],
        "",
    )
}

#[test]
fn parameters_of_the_kernel() -> Result<()> {
    let tree = small()?;
    for line in [
        "modprobe.blacklist=aa,b-b quiet par-port.d=1 z.on\n",
        "\"q.r=a b\" x.y=\"1 2\" a.b=c\"d e\"f\n",
        "p.q.r=2 a=b.c .x=1 y.=2 =z.w modprobe.other=1 modprobe.blacklist",
        "a\"b.c=1 1.2=\"x y\" end.z",
        "usb-core.quirks=0:0:k modprobe.blacklist=,x,, module_blacklist=never",
        "a.b=\"unfinished c.d=1",
        "\"\"a.b=1 c.d=2\ta.x[=3 x[1].y=4 ]z.w=5",
    ] {
        same(&tree, &[], line)?;
    }
    Ok(())
}

/// Made of parts that lines are made of, in any order.
#[test]
fn lines_nobody_writes() -> Result<()> {
    const PARTS: [&str; 22] = [
        "alias",
        "blacklist",
        "install",
        "options",
        "remove",
        "softdep",
        "weakdep",
        "pre:",
        "post:",
        " ",
        "  ",
        "\t",
        "\n",
        "\n",
        "\\\n",
        "\\",
        "#",
        "a-b",
        "[c-d]",
        "]",
        "e",
        "\u{b}",
    ];
    let tree = small()?;
    // Always the same numbers (xorshift).
    let mut state = 88_172_645_463_325_252_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    for _ in 0..8 {
        let mut text = String::new();
        for _ in 0..4_000 {
            text.push_str(PARTS[below(PARTS.len())]);
        }
        same(&tree, &[("a.conf", &text)], "quiet\n")?;
    }
    Ok(())
}

/// Which commands modprobe runs instead of loading a module, or one that it needs.
#[test]
fn commands_instead_of_modules() -> Result<()> {
    let tree = small()?;
    let [_, newest] = Kmod::all()?;
    let mut depmod = newest.tool("depmod", tree.root())?;
    depmod.arg("-b").arg(tree.root()).arg(&tree.release);
    ensure!(answer(&mut depmod)?.status.success());
    let is_known = |name: &[u8]| MODULES.iter().any(|module| module.as_bytes() == name);
    for (text, denied) in [
        ("install tun /bin/false", true),
        ("install t?n /bin/false", true),
        ("install other /bin/false", false),
        ("install t* /bin/echo\ninstall tun /bin/false", false),
        ("blacklist tun", false),
        ("install tun /bin/false\nsoftdep tun pre: fuse", false),
        ("install tun /bin/false\nsoftdep tun post: fuse", false),
        ("install tun /bin/false\nsoftdep tun pre: nothing", true),
        (
            "install tun /bin/false\nsoftdep t* pre:\nsoftdep tun pre: fuse",
            true,
        ),
    ] {
        write(&tree, &[("a.conf", text)])?;
        fs::write(tree.root().join("cmdline"), "quiet\n")?;
        let denial = ours(&tree)?;
        let denial = denial.denial(b"tun", is_known);
        let reason = denied.then_some(DenialReason::InstallFails);
        ensure!(
            denial.map(|denial| denial.reason) == reason,
            "{text}: {denial:?}"
        );
        for kmod in Kmod::all()? {
            let steps = modprobe(&kmod, &tree, &["--show-depends", "tun"])?;
            let commands = steps
                .lines()
                .filter(|line| line.trim_end() == "install /bin/false");
            ensure!((commands.count() == 1) == denied, "{kmod}: {text}: {steps}");
        }
    }
    Ok(())
}

/// The directories of the system, in their order.
#[test]
fn directories_of_a_root() -> Result<()> {
    let root = tempfile::tempdir()?;
    let put = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(path, text)
    };
    put("etc/modprobe.d/b.conf", "blacklist etc")?;
    put("lib/modprobe.d/b.conf", "blacklist lib")?;
    put("lib/modprobe.d/a.conf", "blacklist lib_a")?;
    put("usr/lib/modprobe.d/a.conf", "blacklist usr_lib_a")?;
    let config = ModprobeConfig::of_root(root.path());
    ensure!(shown(&config, true) == "blacklist usr_lib_a\nblacklist etc\n");
    Ok(())
}
