//! Finds circles of edges.

use std::collections::BTreeSet;

/// Returns one circle. Each node is followed by one that it leads to, and the last leads to the
/// first.
pub fn circle(count: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Option<Vec<usize>> {
    let edges: BTreeSet<(usize, usize)> = edges.into_iter().collect();
    // A node that leads nowhere is on no circle. A walk through the nodes that are left never ends.
    let mut left: BTreeSet<usize> = (0..count).collect();
    loop {
        let leads = |from: &usize| edges.iter().any(|(a, b)| a == from && left.contains(b));
        let less: BTreeSet<usize> = left.iter().copied().filter(leads).collect();
        if less.len() == left.len() {
            break;
        }
        left = less;
    }
    let mut path = vec![*left.first()?];
    loop {
        let last = *path.last()?;
        let (_, next) = edges.iter().find(|(a, b)| *a == last && left.contains(b))?;
        if let Some(start) = path.iter().position(|index| index == next) {
            return Some(path.split_off(start));
        }
        path.push(*next);
    }
}
