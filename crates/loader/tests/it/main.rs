//! The loader's verdicts on modules made for it: each reason alone, and what is no reason.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod btf;
mod exports;
mod made;
mod reading;
mod rules;
mod several;
mod symbols;
