//! Does the same work with each of many items, on all processors.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work` with each item and the state of the thread it runs on; gives the results in the
/// order of the items.
///
/// Threads take one item after another, so a thread with a large module does not hold up the
/// others.
///
/// # Errors
/// That of the first item whose `work` fails.
pub fn map_with<I, S, T, E>(
    items: &[I],
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E>
where
    I: Sync,
    T: Send,
    E: Send,
{
    let next = AtomicUsize::new(0);
    let lanes = rayon::broadcast(|_| {
        let mut state = state();
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            let result = work(&mut state, item);
            if result.is_err() {
                // All items before it have been taken by then, so the first error is found.
                next.store(items.len(), Ordering::Relaxed);
            }
            done.push((index, result));
        }
    });
    let mut done: Vec<_> = lanes.into_iter().flatten().collect();
    done.sort_unstable_by_key(|&(index, _)| index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_the_first_error_counts() {
        let items: Vec<u32> = (0..1000).collect();
        let doubled = map_with(&items, || (), |(), item| Ok::<_, ()>(item * 2)).unwrap();
        assert_eq!(
            doubled,
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        let failed = map_with(
            &items,
            || (),
            |(), &item| if item < 100 { Ok(()) } else { Err(item) },
        );
        assert_eq!(failed, Err(100));
    }
}
