//! Checks that a generator that panics prints what rpm refuses.

use std::env::current_exe;
use std::io::Write;
use std::process::{Command, Stdio};

use generators::run;
use policy::TagKind;
use tagging::{Generator, GeneratorOutput, OutputOption, Prints, TagTypes, TagWriter};

/// Panics when it is asked for the tags of a module.
static PANICS: Generator = Generator {
    name: "panics",
    summary: "",
    description: "",
    prints: Prints::Outputs(&[GeneratorOutput {
        option: OutputOption::Default,
        types: TagTypes::Same(TagKind::Provides),
        writers: &[TagWriter::Policy(panic)],
    }]),
    replaces: &[],
};

#[expect(clippy::panic, reason = "it is what this test is about")]
fn panic(
    _: &tagging::NamedModule<'_>,
    _: &policy::Override<'_>,
    _: TagKind,
    _: &mut deptag::TagBuffer,
) {
    panic!("out of\nits mind")
}

/// Runs itself once more, so that the panic happens in a process of its own.
#[test]
fn a_generator_that_panics_is_refused() {
    const IS_CHILD: &str = "PANICS";
    if std::env::var_os(IS_CHILD).is_some() {
        run(&PANICS, vec!["panics".into()]);
        return;
    }
    let name = "a_generator_that_panics_is_refused";
    let mut child = Command::new(current_exe().unwrap());
    let child = child.args([name, "--exact", "--nocapture"]);
    let child = child.env(IS_CHILD, "1");
    let child = child.stdin(Stdio::piped());
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let module = tempfile::Builder::new().suffix(".ko").tempfile().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", module.path().display()).unwrap();
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(!output.status.success());
    let refused = |line: &str| line.starts_with("panics:_") && line.ends_with("mind =");
    assert!(stdout.lines().any(refused), "{stdout}");
    let said = stderr.lines().find(|line| line.starts_with("panics: "));
    assert!(
        said.is_some_and(|line| line.ends_with("out of its mind")),
        "{stderr}"
    );
}
