//! Explains modules and packages: which rule put them there, what installs them, what they install.

mod facts;
mod found;
mod text;

use anyhow::Result;

use crate::identity::Identity;
use crate::planned::PlannedKernel;
use facts::{Explained, Facts};
use found::Finder;

/// Explains what is asked for: modules, packages, patterns, and modules by directory or alias.
///
/// # Errors
/// Something is not there. The error names what is most like it.
pub fn explain(
    planned: &PlannedKernel,
    identity: &Identity,
    what: &[String],
    json: bool,
) -> Result<String> {
    let facts = Facts { planned, identity };
    let found = Finder { planned, identity }.all(what)?;
    let explained: Vec<Explained> = found.into_iter().map(|one| facts.of(one)).collect();
    if json {
        return Ok(serde_json::to_string_pretty(&explained)? + "\n");
    }
    let texts: Vec<_> = explained.iter().map(text::text).collect();
    Ok(texts.join("\n"))
}
