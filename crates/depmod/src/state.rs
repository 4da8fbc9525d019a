//! What indexes are made of and what they are in, a digest out: while it is the same and no
//! module has changed, nothing is to be done.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use facts::Stamp;

use crate::settings::Settings;
use crate::sum::Sum;
use kmod_conf::DepmodConfig;

/// The lists of a kernel that decide on bytes of indexes.
const LISTS: [&str; 3] = [
    "modules.order",
    "modules.builtin",
    "modules.builtin.modinfo",
];

/// Settings, configuration and lists, as they are read.
#[derive(Clone, Debug)]
pub(crate) struct State {
    text: String,
    settled: bool,
}

impl State {
    /// Looks at the lists; before anything is read of them.
    pub(crate) fn new(settings: &Settings, config: &DepmodConfig) -> Self {
        let started = SystemTime::now();
        let Settings {
            compat,
            release,
            symbol_prefix,
            ..
        } = settings;
        let mut text = format!("{compat:?} {release:?} {symbol_prefix:?} {config:?}");
        let mut settled = true;
        for name in LISTS {
            let meta = fs::metadata(settings.directory.join(name)).ok();
            let stamp = meta.map(|meta| Stamp::new(&meta));
            settled &= stamp.is_none_or(|stamp| stamp.is_settled(started));
            // A String takes everything.
            let _ = write!(text, " {name} {stamp:?}");
        }
        Self { text, settled }
    }

    /// Warns of lists that are not there and were not looked into, as whoever reads them does.
    pub(crate) fn warn_of_absent(&self, directory: &Path) {
        for name in LISTS.iter().skip(1) {
            if let Err(error) = fs::metadata(directory.join(name)) {
                log::warn!("could not open {name} at {}: {error}", directory.display());
            }
        }
    }

    /// The digest together with outputs; empty where the lists may have changed while they were
    /// read.
    pub(crate) fn with<'o>(&self, outputs: impl Iterator<Item = (&'o str, Sum)>) -> Vec<u8> {
        let mut text = self.text.clone();
        for (name, Sum { length, crc }) in outputs {
            let _ = write!(text, " {name} {length} {crc}");
        }
        match self.settled {
            true => text.into_bytes(),
            false => Vec::new(),
        }
    }
}
