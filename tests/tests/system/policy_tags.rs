//! rpm refuses the tags that a policy may not have, and no others.

use std::fs;
use std::path::Path;

use anyhow::Result;
use kmpkit_tests::tools::tool;
use policy::{Layer, Policy};

const KINDS: [&str; 5] = [
    "Provides",
    "Requires",
    "Supplements",
    "Conflicts",
    "Obsoletes",
];

const TAGS: &[&str] = &[
    "a",
    "_a",
    "/bin/sh",
    ".a",
    "+a",
    "~a",
    "a.b+c-d_e",
    "ksym(default:a) = 0badc0de",
    "a >= 1",
    "a => 1",
    "a == 1",
    "a =< 1",
    "a < 2:1.0~rc1^git-3.fc40",
    "a >=",
    "a =",
    "a = 1-2-3",
    "a = 1:2:3",
    "a = :1",
    "a = x:1",
    "a = 1..2",
    "a = 1/2",
    "a = 1_2+3",
    "a = (1)",
    "/bin/sh = 1",
    "a..b",
    "(a if b)",
    "(a >= 1 if b)",
    "(a >= if b)",
    "(a = 1-2-3 or b)",
    "(a with kmod(b.ko) = 1)",
    "(a and b and c)",
    "(a and b or c)",
    "(a if b else c)",
    "(a if b if c)",
    "(a if b else c else d)",
    "(a unless b)",
    "(a or b)",
    "(a or (b if c))",
    "(a and (b unless c))",
    "(a with (b and c))",
    "(a with (b or c))",
    "((a if b) or c)",
    "(a without b without c)",
    "(a",
    "(a if)",
    "(a if b",
    "()",
    "(a but b)",
    "(a(b) and c(d))",
    "(.a or b)",
    "((((a))))",
];

/// What rpm reads as several tags is a mistake in a policy.
const SEVERAL: [&str; 7] = [
    "a b c",
    "a,b",
    "a = 1 b",
    "a 1",
    "(a if b) c",
    "a (b if c)",
    "a = 1, b = 2",
];

#[test]
fn rpm_refuses_the_same_tags() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut refused = 0;
    for kind in KINDS {
        for tag in TAGS {
            let rpm = rpm_accepts(directory.path(), kind, tag)?;
            assert_eq!(policy_accepts(kind, tag), rpm, "{kind}: {tag}");
            refused += usize::from(!rpm);
        }
    }
    assert!(refused > 100 && refused < KINDS.len() * TAGS.len() - 50);
    for tag in SEVERAL {
        assert!(rpm_accepts(directory.path(), "Requires", tag)?, "{tag}");
        assert!(!policy_accepts("Requires", tag), "{tag}");
    }
    Ok(())
}

fn rpm_accepts(directory: &Path, kind: &str, tag: &str) -> Result<bool> {
    let spec = directory.join("tag.spec");
    fs::write(
        &spec,
        format!(
            "Name: tag\nVersion: 1\nRelease: 1\nSummary: A tag\nLicense: MIT\n{kind}: {tag}\n\
             %description\nA tag.\n"
        ),
    )?;
    let mut rpmspec = tool("rpmspec")?;
    rpmspec.args(["--define", "_wrong_version_format_terminate_build 1"]);
    Ok(rpmspec.arg("--parse").arg(spec).output()?.status.success())
}

fn policy_accepts(kind: &str, tag: &str) -> bool {
    let key = kind.to_lowercase();
    let text = format!("[[module]]\nmatch = \"a\"\n{key} = ['{tag}']\n");
    let layers = [Layer::default_policy(), Layer::new("tag.toml", text)];
    Policy::from_layers(&layers).is_ok()
}
