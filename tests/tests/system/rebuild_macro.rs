//! What the image package of a rebuild replaces, by the macro for its preamble and the host's rpm.

use anyhow::{Result, ensure};
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::{run, tool};

/// The lines that the macro prints for a version and release.
fn lines(version: &str, release: &str) -> Result<Vec<String>> {
    let mut rpm = tool("rpm")?;
    rpm.env("RPM_CONFIGDIR", Stage::get()?.rpm_config());
    for (name, value) in [
        ("kmp_kernelrelease", "6.4.0-1-default"),
        ("kmp_flavor", "default"),
        ("name", "kernel-default-image"),
        ("version", version),
        ("release", release),
    ] {
        rpm.args(["--define", &format!("{name} {value}")]);
    }
    let text = run(rpm.args(["--eval", "%{kmp_rebuilds}"]))?;
    let lines = text.lines().filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

#[test]
fn an_image_replaces_earlier_builds_of_its_release() -> Result<()> {
    let found = lines("6.4.0", "1.3")?;
    let wanted = ["1.1", "1.2"];
    let wanted = wanted.map(|build| format!("Obsoletes: kernel-default-image = 6.4.0-{build}"));
    ensure!(found == wanted, "{found:?}");
    for (version, release) in [
        ("6.4.0", "1"),
        ("6.4.0", "1.1"),
        ("6.4.0", "2.3"),
        ("6.4.1", "1.3"),
    ] {
        let found = lines(version, release)?;
        ensure!(found.is_empty(), "{version}-{release}: {found:?}");
    }
    ensure!(lines("6.4.0", "1.300")?.len() == 100);
    Ok(())
}
