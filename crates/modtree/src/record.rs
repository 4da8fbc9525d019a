//! Reads what a tree knows of a module beside what the kernel's loader asks.

use kmodule::{Module, SoftdepOrder};

use crate::error::Error;
use crate::release_dir::ModuleFile;

/// What a tree knows of a module, symbols apart.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Its name and path.
    pub file: ModuleFile,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of the sections that are loaded. Stripping, signing and compressing do not change it.
    pub size: u64,
    /// `description=`.
    pub description: Option<String>,
    /// `alias=` as modinfo shows them.
    pub aliases: Vec<String>,
    /// `depends=`: the modules whose symbols it uses, as modpost saw them.
    pub depends: Vec<String>,
    /// `softdep=`: what modprobe loads before and after it.
    pub softdeps: Vec<(SoftdepOrder, String)>,
    /// `weakdep=`: what it may ask for later.
    pub weakdeps: Vec<String>,
}

impl Record {
    /// Whether an alias names hardware, so that a device can ask for the module.
    pub fn drives_hardware(&self) -> bool {
        self.aliases.iter().any(|alias| alias.contains(':'))
    }
}

/// Reads what a tree keeps of a module.
///
/// # Errors
/// It is damaged.
pub(crate) fn read(module: &Module<'_>, file: ModuleFile) -> Result<Record, Error> {
    let info = module.modinfo();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let softdeps = info.softdeps().map(|(order, name)| (order, text(name)));
    Ok(Record {
        file,
        bytes: module.file_size(),
        size: module.size()?,
        description: info.value("description").map(text),
        aliases: info.values("alias").map(text).collect(),
        depends: info.list("depends").map(text).collect(),
        softdeps: softdeps.collect(),
        weakdeps: info.weakdeps().map(text).collect(),
    })
}
