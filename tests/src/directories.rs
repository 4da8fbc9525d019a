//! Where the checkout is, where its build is, and what is kept between runs.

use std::path::{Path, PathBuf};

/// The checkout.
pub fn project() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// The build directory: cargo's, of this run.
pub fn build_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from)
}

/// Where kernels, chroots and repositories are kept between runs: `$KMPKIT_CACHE`, or `cache` in
/// the build directory. Remove it to get what is current now.
pub fn cache_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("KMPKIT_CACHE") {
        return dir.into();
    }
    build_dir().join("cache")
}
