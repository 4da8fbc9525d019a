//! Edges in, a circle of them out, if there is one.

use std::collections::BTreeSet;

/// The places of one circle, each followed by one it leads to, the last by the first.
pub fn circle(count: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Option<Vec<usize>> {
    let edges: BTreeSet<(usize, usize)> = edges.into_iter().collect();
    // What leads nowhere is on no circle; what is left after that leads on forever.
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
        if let Some(start) = path.iter().position(|place| place == next) {
            return Some(path.split_off(start));
        }
        path.push(*next);
    }
}
