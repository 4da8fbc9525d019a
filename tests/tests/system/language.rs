//! Holds the sources to the language of the oldest Rust that is supported.

use std::fs;

use anyhow::{Result, ensure};
use kmpkit_tests::directories::project;
use kmpkit_tests::kernel::walk;

/// Lines of a file that begin a condition with `let` and go on with `&&`, as rustfmt writes them.
fn let_chains(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let word = line.trim_start();
        let indent = line.len() - word.len();
        if let Some(of) = open {
            if indent == of + 4 && word.starts_with("&& ") {
                found.push(number + 1);
                open = None;
            }
        }
        if word.starts_with("&& let ") {
            found.push(number + 1);
        }
        let begins = ["if let ", "while let ", "} else if let "];
        if begins.iter().any(|begin| word.starts_with(begin)) {
            open = Some(indent);
        }
        if word.ends_with('{') {
            open = None;
        }
    }
    found
}

/// Clippy knows which functions came after the workspace's rust-version, but not which language.
#[test]
fn conditions_are_those_of_rust_1_85() -> Result<()> {
    let mut files = Vec::new();
    for directory in ["crates", "tests", "fuzz"] {
        walk(&project().join(directory), &mut files)?;
    }
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "rs"))
    {
        let lines = let_chains(&fs::read_to_string(file)?);
        found.extend(
            lines
                .iter()
                .map(|line| format!("{}:{line}", file.display())),
        );
    }
    ensure!(
        found.is_empty(),
        "let chains, which Rust 1.88 brought:\n{}",
        found.join("\n")
    );
    Ok(())
}

#[test]
fn chains_are_found() {
    let chain = "    if let Some(x) = x\n        && y\n    {\n    }\n";
    assert_eq!(let_chains(chain), [2]);
    let none = "    if let Some(x) = (x\n        .y())\n    {\n        a\n            && b\n";
    assert!(let_chains(none).is_empty());
}
