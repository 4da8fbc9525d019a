//! Turns one tree and one policy into packages by every rpm, and asks whether they are the same:
//! rpm 4.18 takes the subpackages while it parses the spec, 4.20 and 6.1 take them after the build;
//! tags come from the tag cache of %kmp_split, or from generators.

mod fallback;
mod refused;
mod same;
mod scene;
mod vendor;
mod whole;
