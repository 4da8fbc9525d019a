//! depmod.d: kernel patterns, lines and files.

use anyhow::Result;
use kmpkit_tests::depmod::compare;

use crate::depmod::scene::small;

/// Each pattern decides for one module, so the indexes tell which matched.
#[test]
fn kernel_patterns() -> Result<()> {
    let tree = small()?;
    let release = tree.release.clone();
    let patterns = [
        "*",
        "^6",
        "6.1",
        "7",
        "amd64$",
        "^amd64",
        "*amd64",
        "+6",
        "6|7",
        "7|8",
        "(6)",
        "()",
        "(",
        ")",
        "6)",
        "[",
        "[6]",
        "[^6]\\.",
        "[]6]",
        "[^]]",
        "[[:digit:]]\\.",
        "[[:alpha:]]$",
        "[\\d]x",
        "\\d",
        "6{1}",
        "6{2}",
        "{6}",
        "6{",
        "6{,2}",
        "6+?",
        "9+?",
        "9*?",
        "9**6",
        "0{1,2}-",
        "^*6",
        "6.1.0-*",
        "[0-9]+.[0-9]+",
        "[a-",
        "a]",
        "\\",
        "6\\.1\\.0",
        "[.]1",
        ".*",
        "^$",
        "[--9]",
        "\\<6",
        "\\w",
        &release,
    ];
    let mut lines = String::new();
    for (number, pattern) in patterns.iter().enumerate() {
        // In a configuration a backslash vanishes, so each is written twice.
        let pattern = pattern.replace('\\', "\\\\");
        tree.copy("dummy", &format!("kernel/m{number}.ko"))?;
        tree.copy("dummy", &format!("other/m{number}.ko"))?;
        lines += &format!("override m{number} {pattern} kernel\noverride m{number} 6 other\n");
    }
    for order in [
        lines.clone(),
        lines
            .lines()
            .rev()
            .map(|line| format!("{line}\n"))
            .collect(),
    ] {
        let file = tree.root().join("patterns.conf");
        std::fs::write(&file, format!("search built-in\n{order}"))?;
        compare(&tree, &["-C", &file.to_string_lossy()])?;
    }
    Ok(())
}

#[test]
fn lines_and_files() -> Result<()> {
    let tree = small()?;
    for directory in ["one", "two", "three", "updates"] {
        tree.copy("fuse", &format!("{directory}/fuse.ko"))?;
    }
    let write = |name: &str, text: &str| -> Result<String> {
        let path = tree.root().join("conf").join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    };
    let line = write(
        "line",
        "search one two \\\n three\\\n\n#search x\n  # y\nsea\\rch two\n\tsearch\tone",
    )?;
    compare(&tree, &["-C", &line])?;
    let bad = write(
        "bad",
        "search\noverride fuse\noverride fuse *\nexternal *\nnonsense\ninclude x\nmake_map_files no\n",
    )?;
    compare(&tree, &["-C", &bad])?;
    write("a/10.conf", "search one\n")?;
    write("a/20.conf", "search two\n")?;
    write("a/.30.conf", "search three\n")?;
    write("a/30.txt", "search three\n")?;
    write("a/40.conf/x.conf", "search three\n")?;
    write("b/20.conf", "search three\n")?;
    write("b/05.conf", "search updates\n")?;
    let directory = |name: &str| {
        tree.root()
            .join("conf")
            .join(name)
            .to_string_lossy()
            .into_owned()
    };
    let (a, b) = (directory("a"), directory("b"));
    compare(&tree, &["-C", &a])?;
    compare(&tree, &["-C", &a, "-C", &b])?;
    compare(&tree, &["-C", &b, "-C", &a, "-C", &line]).map(drop)
}
