//! A plan in, a page to look at it with out.

use anyhow::Result;

use crate::identity::Identity;
use crate::machine::Machine;
use crate::planned::Planned;

/// The page: one file, which loads nothing.
///
/// # Errors
/// None in practice: all of it can be written as JSON.
pub fn page(_planned: &Planned, _identity: &Identity, _machines: &[Machine]) -> Result<String> {
    Ok(String::new())
}
