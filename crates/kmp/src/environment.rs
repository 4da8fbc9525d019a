//! What the environment says. Only main reads it.

use std::ffi::OsString;
use std::path::Path;

use facts::FactsHome;

/// The variables that a command may ask for.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// KERNEL_INSTALL_BYPASS, by which tools that build images keep initrds out of them.
    pub kernel_install_bypass: Option<OsString>,
    /// SOURCE_DATE_EPOCH, by which builds say that what they leave must be the same each time
    /// (reproducible-builds.org/specs/source-date-epoch).
    pub source_date_epoch: Option<OsString>,
}

impl Environment {
    /// Where the facts of the system's own releases are kept; nowhere in a build that must be
    /// reproducible.
    pub(crate) fn facts_home(&self) -> Option<FactsHome> {
        let is_reproducible = self
            .source_date_epoch
            .as_ref()
            .is_some_and(|time| !time.is_empty());
        (!is_reproducible).then(|| FactsHome::of_system(Path::new("/")))
    }
}
