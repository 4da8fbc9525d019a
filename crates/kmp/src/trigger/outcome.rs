//! How far the work for a release got, which decides whether it stays marked.

/// How far a release got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything is right, or nobody is there to make it so.
    Right,
    /// What is needed for it is not complete yet, which is no failure.
    Later,
    /// Something failed, and the reason has been logged.
    Failed,
}
