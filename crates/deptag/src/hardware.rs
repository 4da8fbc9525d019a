//! A module's aliases in, `modalias()` tags out.

use kmodule::{Error, Module};

use crate::escape;
use crate::modalias::combine;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagSet;

/// The hardware a module drives: Supplements in the suse dialect, Provides in
/// the redhat one.
///
/// Only aliases with a colon name hardware; `fs-`, `crypto-`, `net-pf-` and
/// their kin are asked for by the kernel when they are used.
///
/// # Errors
/// The module does not say which kernel it is for.
pub fn hardware(module: &Module<'_>, rules: &TagRules) -> Result<TagSet, Error> {
    let aliases = module
        .modinfo()
        .values("alias")
        .filter(|alias| alias.contains(&b':'));
    let (prefix, suffix, patterns): (_, _, Vec<_>) = match rules.dialect {
        Dialect::Suse => {
            let mut aliases = aliases.peekable();
            if aliases.peek().is_none() {
                return Ok(TagSet::default());
            }
            let release = module.vermagic()?.kernelrelease;
            let kabi = rules.kabi.as_ref();
            let kabi = kabi.map_or_else(String::new, |kabi| format!("-{kabi}"));
            (
                format!("modalias(kernel-{}{kabi}:", rules.flavor(&release)),
                ")".to_owned(),
                aliases.map(escape::modalias).collect(),
            )
        }
        Dialect::RedHat => (
            "modalias(".to_owned(),
            format!("){}", module_version(module)),
            aliases.map(sanitised).collect(),
        ),
    };
    Ok(combine(patterns, prefix.len() + suffix.len())
        .into_iter()
        .map(|pattern| format!("{prefix}{pattern}{suffix}"))
        .collect())
}

/// As Fedora's modalias.prov writes them: what is not `[][0-9a-zA-Z._:*?/-]`
/// becomes an underscore.
fn sanitised(alias: &[u8]) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"][._:*?/-".contains(&byte);
    alias
        .iter()
        .map(|&byte| if keep(byte) { char::from(byte) } else { '_' })
        .collect()
}

/// ` = <version>` where the module states one: the first, since some state two.
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
