//! Turns layers of TOML into a checked policy.
