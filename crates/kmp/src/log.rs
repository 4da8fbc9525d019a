//! Writes messages to stderr as kmod's tools do.

use std::io::Write;

use log::{Level, LevelFilter};

/// Writes messages under this name. RUST_LOG, if it is set, decides which.
pub(crate) fn start(name: String, level: LevelFilter) {
    env_logger::Builder::new()
        .filter_level(level)
        .parse_default_env()
        .format(move |out, record| {
            let level = match record.level() {
                Level::Error => "ERROR",
                Level::Warn => "WARNING",
                Level::Info => "INFO",
                Level::Debug | Level::Trace => "DEBUG",
            };
            writeln!(out, "{name}: {level}: {}", record.args())
        })
        .init();
}
