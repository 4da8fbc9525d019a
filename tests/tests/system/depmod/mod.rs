//! Turns kernels and odd trees into the question whether `kmp depmod` leaves the bytes kmod does.

mod configuration;
mod copies;
mod damage;
mod libkmod;
mod lists;
mod options;
mod publishing;
pub(crate) mod scene;
mod store;
mod whole;
