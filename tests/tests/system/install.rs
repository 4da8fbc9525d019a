//! `make install`: what it needs before it begins, and what users call by name.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use kmpkit_tests::directories::project;
use kmpkit_tests::run;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::tool;

/// Without a build `make install` builds first. Where it cannot build, nothing is installed.
#[test]
fn nothing_is_half_installed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (target, root) = (
        directory.path().join("target"),
        directory.path().join("root"),
    );
    let mut make = tool("make")?;
    make.args(["--silent", "-C"]).arg(project()).arg("install");
    make.args([
        "CARGO=false".to_owned(),
        format!("TARGET={}", target.display()),
        format!("DESTDIR={}", root.display()),
    ]);
    for variable in ["MAKEFLAGS", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    let output = make.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "installed without a build");
    ensure!(said.contains("rpm-files"), "it did not build: {said}");
    ensure!(!root.exists(), "half installed");
    Ok(())
}

/// What incremental builds keep would be more than half of the target directory.
#[test]
fn make_keeps_no_incremental_builds() -> Result<()> {
    let mut make = tool("make")?;
    make.args(["--silent", "-C"]).arg(project());
    make.args(["--eval=shown:; @echo $$CARGO_INCREMENTAL", "shown"]);
    for variable in ["MAKEFLAGS", "MAKELEVEL", "CARGO_INCREMENTAL"] {
        make.env_remove(variable);
    }
    let shown = run(&mut make)?;
    ensure!(shown.trim() == "0", "{shown}");
    Ok(())
}

/// README and manual pages call kmp-split by its name.
#[test]
fn kmp_split_is_a_command() -> Result<()> {
    let bin = Stage::get()?.root().join("usr/bin");
    let link = fs::read_link(bin.join("kmp-split"))?;
    ensure!(link.is_relative(), "{} leads out of a root", link.display());
    run(Command::new("kmp-split").env("PATH", &bin).arg("--version")).map(drop)
}

/// Every page of section 1 says how the command is called, with values, and has examples.
#[test]
fn manual_pages_have_all_sections() -> Result<()> {
    let directory = Stage::get()?.root().join("usr/share/man/man1");
    let mut pages = 0;
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        let page = fs::read_to_string(&path)?;
        for section in [
            "SYNOPSIS",
            "EXIT STATUS",
            "ENVIRONMENT",
            "EXAMPLES",
            "\"SEE ALSO\"",
        ] {
            let section = section.trim_matches('"');
            let found = page.contains(&format!("\n.SH {section}\n"));
            ensure!(found, "{}: no {section}", path.display());
        }
        pages += 1;
    }
    ensure!(pages >= 17, "{pages} pages");
    let plan = fs::read_to_string(directory.join("kmp-split-plan.1"))?;
    ensure!(
        plan.contains("[\\fB\\-\\-machine\\fR\\ \\fIFILE\\fR] ..."),
        "{plan}"
    );
    ensure!(plan.contains("\\fBkmp\\-split plan\\fR"), "{plan}");
    Ok(())
}

/// The completions of bash propose what may follow; those of zsh and fish are for the same commands.
#[test]
fn shells_complete_commands() -> Result<()> {
    let share = Stage::get()?.root().join("usr/share");
    for (command, words, proposed) in [
        ("kmp-split", "kmp-split pl", "plan"),
        ("kmp-split", "kmp-split plan --mach", "--machine"),
        ("kmp-depmod", "kmp-depmod --base", "--basedir"),
        ("kmp", "kmp dep", "depmod"),
    ] {
        let bash = share.join("bash-completion/completions").join(command);
        let script = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             function=$(complete -p {command} | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
             $function {command} ${{COMP_WORDS[-1]}} ${{COMP_WORDS[-2]}}; echo \"${{COMPREPLY[@]}}\"",
            bash.display()
        );
        let found = run(Command::new("bash").args(["-c", &script]))?;
        ensure!(
            found.split_whitespace().any(|word| word == proposed),
            "{words}: {found}"
        );
        let zsh = share.join(format!("zsh/site-functions/_{command}"));
        ensure!(fs::read_to_string(zsh)?.starts_with(&format!("#compdef {command}\n")));
        let fish = share.join(format!("fish/vendor_completions.d/{command}.fish"));
        ensure!(fs::read_to_string(fish)?.contains(&format!("complete -c {command} ")));
    }
    Ok(())
}
