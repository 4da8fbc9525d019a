//! Writes an explanation for a terminal.

use std::fmt::Write;

use super::facts::{Explained, ExplainedModule, ExplainedPackage, ExplainedPattern, NamedModule};

/// An explanation as text, one fact a line.
pub fn text(explained: &Explained) -> String {
    match explained {
        Explained::Module(module) => of_module(module),
        Explained::Package(package) => of_package(package),
        Explained::Pattern(pattern) => of_pattern(pattern),
    }
}

/// Lines of facts below a heading.
struct Lines(String);

impl Lines {
    fn of(heading: &str) -> Self {
        Self(format!("{heading}\n"))
    }

    fn add(&mut self, key: &str, value: &str) {
        let value = if value.is_empty() { "nothing" } else { value };
        let _ = writeln!(self.0, "  {key:<12} {value}");
    }
}

fn of_module(module: &ExplainedModule) -> String {
    let mut lines = Lines::of(&module.module);
    if let Some(description) = &module.description {
        lines.add("is", description);
    }
    lines.add("package", module.package.as_deref().unwrap_or("none"));
    lines.add("because", &module.because);
    if let Some(others) = &module.together_with {
        lines.add("together with", &others.join(" "));
    }
    lines.add("needs", &named(&module.needs));
    lines.add("needed by", &named(&module.needed_by));
    lines.add("pulled in by", &pulled_in(module));
    lines.add("in all", &in_all(module));
    for rule in &module.rules {
        lines.add(rule.key, &format!("{} ({})", rule.value, rule.line));
    }
    lines.add("patterns", &module.patterns.join(" "));
    lines.0
}

fn of_package(package: &ExplainedPackage) -> String {
    let mut lines = Lines::of(&package.package);
    if let Some(summary) = &package.summary {
        lines.add("is", summary);
    }
    let count = package.modules.len();
    lines.add(
        "has",
        &format!("{count} modules of {} KiB", kib(package.bytes)),
    );
    for module in &package.modules {
        lines.add(
            "module",
            &format!("{}, because {}", module.name, module.because),
        );
    }
    lines.add("needs", &package.needs.join(" "));
    lines.add("needed by", &package.needed_by.join(" "));
    lines.add(
        "in all",
        &installs(&package.installs, package.installs_bytes),
    );
    lines.add("patterns", &package.patterns.join(" "));
    lines.0
}

fn of_pattern(pattern: &ExplainedPattern) -> String {
    let mut lines = Lines::of(&pattern.pattern);
    lines.add("is", &pattern.summary);
    lines.add("requires", &installs(&pattern.packages, pattern.bytes));
    lines.0
}

/// Everything that can ask for the module itself.
fn pulled_in(module: &ExplainedModule) -> String {
    const SHOWN: usize = 3;
    let mut ways = Vec::new();
    let hardware = &module.hardware;
    if !hardware.is_empty() {
        let examples: Vec<_> = hardware.iter().take(SHOWN).map(String::as_str).collect();
        let more = match hardware.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        ways.push(format!("hardware {}{more}", examples.join(" ")));
    }
    if !module.other_aliases.is_empty() {
        let others = module.other_aliases.join(" ");
        ways.push(format!("kernel or user by {others}"));
    }
    if !module.by_hardware {
        ways.push("not by hardware: the policy says so".to_owned());
    }
    ways.push(module.kmod.clone());
    ways.join("; ")
}

/// How much the module needs in all, and what is installed with it.
fn in_all(module: &ExplainedModule) -> String {
    let installs = installs(&module.installs, module.installs_bytes);
    format!("{} modules to load, {installs} to install", module.loads)
}

fn installs(packages: &[String], bytes: u64) -> String {
    let names = packages.join(" ");
    match packages {
        [] => "0 packages".to_owned(),
        _ => format!(
            "{} packages of {} KiB ({names})",
            packages.len(),
            kib(bytes)
        ),
    }
}

fn named(modules: &[NamedModule]) -> String {
    let named = modules.iter().map(|module| match &module.package {
        Some(package) => format!("{} ({package})", module.name),
        None => module.name.clone(),
    });
    named.collect::<Vec<_>>().join(" ")
}

fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1024)
}
