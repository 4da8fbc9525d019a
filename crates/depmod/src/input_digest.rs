//! Describes what indexes are made of beside modules, and what they are: while that is the same and
//! no module has changed, nothing has to be done.

use std::fmt::Write;
use std::path::Path;
use std::time::SystemTime;

use facts::FileStamp;
use kmod_conf::DepmodConfig;
use kmod_index::{IndexFile, KernelList};

use crate::checksum::FileChecksum;
use crate::settings::Settings;

/// Settings, configuration and the stamps of lists.
#[derive(Clone, Debug)]
pub(crate) struct InputDigest {
    text: String,
    is_settled: bool,
}

impl InputDigest {
    /// Takes the stamps of the lists, so it must be made before a list is read.
    pub(crate) fn new(settings: &Settings, config: &DepmodConfig) -> Self {
        let started = SystemTime::now();
        let Settings {
            compat,
            release,
            symbol_prefix,
            ..
        } = settings;
        let mut text = format!("{compat:?} {release:?} {symbol_prefix:?} {config:?}");
        let mut is_settled = true;
        for list in KernelList::ALL {
            let stamp = FileStamp::of(&settings.directory.join(list.name())).ok();
            is_settled &= stamp.is_none_or(|stamp| stamp.is_settled(started));
            // Writing to a String does not fail.
            let _ = write!(text, " {} {stamp:?}", list.name());
        }
        Self { text, is_settled }
    }

    /// Warns of lists that are missing, as whoever reads them would: here nobody does.
    pub(crate) fn warn_of_missing(directory: &Path) {
        for list in [KernelList::Builtin, KernelList::BuiltinModinfo] {
            if let Err(error) = directory.join(list.name()).metadata() {
                log::warn!(
                    "could not open {} at {}: {error}",
                    list.name(),
                    directory.display()
                );
            }
        }
    }

    /// Whether the lists cannot have changed while they were read.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// The digest together with that of the indexes.
    pub(crate) fn with(&self, indexes: &[(IndexFile, FileChecksum)]) -> Vec<u8> {
        [self.text.as_bytes(), &of_indexes(indexes)].concat()
    }
}

/// The digest of indexes, with which that of all input ends. Alone it stands where it is not certain
/// what the indexes were made of.
pub(crate) fn of_indexes(indexes: &[(IndexFile, FileChecksum)]) -> Vec<u8> {
    let mut text = String::new();
    for (file, FileChecksum { length, crc }) in indexes {
        let _ = write!(text, " {} {length} {crc}", file.name());
    }
    text.into_bytes()
}
