//! What went on in, lines on stderr out, as kmod's tools write them.

use std::io::Write;

use log::{Level, LevelFilter};

/// Logs under this name; RUST_LOG, where it is set, decides what is shown.
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
