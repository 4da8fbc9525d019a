//! Turns a generator that dies into output that rpm refuses.

use std::env::current_exe;
use std::process::Command;

use generators::{Generator, Options};
use tagging::Part;

/// Breaks down when it is asked what it prints.
#[derive(clap::Parser)]
#[command(name = "dies")]
struct Dies {
    #[command(flatten)]
    options: Options,

    /// What the test harness is called with.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _harness: Vec<String>,
}

impl Generator for Dies {
    fn options(&self) -> &Options {
        &self.options
    }

    #[expect(clippy::panic, reason = "it is what this test is about")]
    fn part(&self) -> Part {
        panic!("out of\nits mind")
    }
}

/// Runs itself once more, to die in a process of its own.
#[test]
fn a_generator_that_panics_is_refused() {
    const IS_CHILD: &str = "DIES";
    if std::env::var_os(IS_CHILD).is_some() {
        generators::run::<Dies>();
        return;
    }
    let name = "a_generator_that_panics_is_refused";
    let mut child = Command::new(current_exe().unwrap());
    let child = child.args([name, "--exact", "--nocapture"]);
    let child = child.env(IS_CHILD, "1");
    let output = child.output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(!output.status.success());
    assert!(
        stdout.contains("\ndies-failed = see-the-error-above\n"),
        "{stdout}"
    );
    let said = stderr.lines().find(|line| line.starts_with("dies: "));
    assert!(
        said.is_some_and(|line| line.ends_with("out of its mind")),
        "{stderr}"
    );
}
