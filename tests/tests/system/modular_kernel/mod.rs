//! Turns a whole kernel into packages once, and asks of them what they say, what solvers make of
//! them and whether a machine boots with them.

mod machine;
mod odd_trees;
mod overrides;
mod packages;
mod patterns;
mod purge;
mod scenarios;
mod softdeps;
