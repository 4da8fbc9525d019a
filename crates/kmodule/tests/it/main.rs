//! kmodule against files made for it: every storage form, every damage.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used
)]

mod as_kmod;
mod common;
mod compiled;
mod compression;
mod damage;
mod details;
mod lies;
mod linked;
mod loading;
mod modules;
mod promises;
mod symvers;
mod validity;
