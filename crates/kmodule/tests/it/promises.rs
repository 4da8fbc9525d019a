//! SECURITY.md promises the limits that the code has.

use kmodule::Limits;

const PROMISES: &str = include_str!("../../../../SECURITY.md");

#[test]
fn limits_are_those_of_the_table() {
    for (file, limits) in [
        ("module", Limits::MODULE),
        ("kernel image", Limits::KERNEL),
        ("symvers, System.map, kernel configuration", Limits::TEXT),
    ] {
        let Limits {
            file: longest,
            memory,
        } = limits;
        let row = format!("| {file} | {} MiB | {} MiB |", longest >> 20, memory >> 20);
        assert!(PROMISES.contains(&row), "{row}");
    }
}
