//! Decides which package has each module of a kernel.
//!
//! ```text
//! policy ─> claims: what the rules say about each module
//!              └─> groups: modules that will share a package, without a circle
//!                     ├─ previous: modules stay where an earlier plan had them
//!                     ├─ directory, auto: modules that no rule claims
//!                     └─> names ─> assemble ─> model: the Plan ─> patterns, moved, check
//! ```
//!
//! `planner` runs these steps.

mod assemble;
mod auto;
mod check;
mod circle;
mod circles;
mod claims;
mod clusters;
mod cures;
mod directories;
mod directory;
mod error;
mod groups;
mod likelihood;
mod model;
mod moved;
mod names;
mod obstacles;
mod patterns;
mod planner;
mod previous;

pub use check::check;
pub use circle::{Circle, NamedCure};
pub use error::PlanError;
pub use model::{
    Departure, FormerPackage, Location, Moved, Package, PackageId, PackageSupport, PatternPackage,
    PlacementReason, Plan, Since,
};
pub use planner::plan;
pub use previous::{PreviousDeparture, PreviousLocation, PreviousPackage, PreviousPlan};
