//! Walks from modules, groups or packages to all that they lead to.

use std::collections::BTreeSet;

/// Returns `from`, and all that `next` leads to from there, directly or not.
pub fn reachable<I: Ord + Copy, N: IntoIterator<Item = I>>(
    from: impl IntoIterator<Item = I>,
    next: impl Fn(I) -> N,
) -> BTreeSet<I> {
    let mut seen: BTreeSet<I> = from.into_iter().collect();
    let mut open: Vec<I> = seen.iter().copied().collect();
    while let Some(id) = open.pop() {
        open.extend(next(id).into_iter().filter(|&id| seen.insert(id)));
    }
    seen
}
