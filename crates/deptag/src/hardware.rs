//! Makes `modalias()` tags from a module's aliases.

use kmodule::{Error, Module};

use crate::combine::combine;
use crate::escape;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagBuffer;

/// Adds the hardware a module drives: Supplements in the suse dialect, Provides in the redhat one.
///
/// # Errors
/// The module has no vermagic, which names the kernel it was built for.
pub fn hardware(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) -> Result<(), Error> {
    match rules.dialect {
        Dialect::Suse => supplements(module, rules, out),
        Dialect::RedHat => {
            provides(module, out);
            Ok(())
        }
    }
}

/// Only aliases with a colon name hardware. The kernel itself loads the others (`fs-`, `crypto-`,
/// `net-pf-`) when they are used.
fn supplements(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) -> Result<(), Error> {
    let aliases = module.modinfo().values("alias");
    let patterns: Vec<_> = aliases
        .filter(|alias| memchr::memchr(b':', alias).is_some())
        .map(escape::modalias)
        .collect();
    if patterns.is_empty() {
        return Ok(());
    }
    let release = &module.vermagic()?.kernelrelease;
    let kabi = rules.kabi.as_ref();
    let kabi = kabi.map_or_else(String::new, |kabi| format!("-{kabi}"));
    let prefix = format!("modalias(kernel-{}{kabi}:", rules.flavor(release));
    add(&prefix, patterns, ")", out);
    Ok(())
}

/// All aliases, as in Fedora's modalias.prov.
fn provides(module: &Module<'_>, out: &mut TagBuffer) {
    let patterns = module.modinfo().values("alias").map(sanitised).collect();
    let suffix = format!("){}", module_version(module));
    add("modalias(", patterns, &suffix, out);
}

fn add(prefix: &str, patterns: Vec<Vec<u8>>, suffix: &str, out: &mut TagBuffer) {
    for pattern in combine(patterns, prefix.len() + suffix.len()) {
        let parts = [prefix.as_bytes(), &pattern, suffix.as_bytes()];
        out.add(|tag| parts.iter().for_each(|part| tag.extend_from_slice(part)));
    }
}

/// An alias as Fedora's modalias.prov writes it: an underscore for each character that is not one
/// of `[][0-9a-zA-Z._:*?/-]`.
fn sanitised(alias: &[u8]) -> Vec<u8> {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"][._:*?/-".contains(&byte);
    let kept = alias
        .iter()
        .map(|&byte| if keep(byte) { byte } else { b'_' });
    kept.collect()
}

/// ` = <version>` if the module states a version, else nothing. Some modules state two; the first
/// counts.
fn module_version(module: &Module<'_>) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"._".contains(&byte);
    let version: String = module
        .modinfo()
        .value("version")
        .unwrap_or_default()
        .iter()
        .map(|&byte| if keep(byte) { char::from(byte) } else { '_' })
        .collect();
    match version.is_empty() {
        true => version,
        false => format!(" = {version}"),
    }
}
