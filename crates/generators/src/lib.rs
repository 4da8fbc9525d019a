//! Turns paths on stdin into tags on stdout: rpm's dependency generators.
//!
//! Each generator is a type named like its binary. It holds its options and
//! says which part of a file's tags it prints; [`run`] does the rest, the same for all.

mod depmod_requires;
mod ksym_provides;
mod ksym_requires;
mod modalias_supplements;
mod options;
mod policy_tags;
mod run;

pub use depmod_requires::DepmodRequires;
pub use ksym_provides::KsymProvides;
pub use ksym_requires::KsymRequires;
pub use modalias_supplements::ModaliasSupplements;
pub use options::Options;
pub use policy_tags::PolicyTags;
pub use run::{Generator, run};
