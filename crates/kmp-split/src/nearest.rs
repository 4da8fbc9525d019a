//! Finds the known name that is most like an unknown one.

/// Returns the name that differs from `unknown` in the fewest letters, if these are few. `-` and `_` are
/// the same.
pub fn nearest<'n>(unknown: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // A letter too many, too few or wrong, or two that changed places.
    let most = (unknown.len() / 3 + 1).min(2);
    let length = |name: &&str| name.len().abs_diff(unknown.len()) <= most;
    let near = names
        .filter(length)
        .map(|name| (differences(unknown, name), name));
    let near = near.min()?;
    (near.0 <= most).then_some(near.1)
}

/// How many letters have to be added, removed or replaced (Levenshtein).
fn differences(a: &str, b: &str) -> usize {
    let spelled = |name: &str| name.replace('-', "_").into_bytes();
    let (a, b) = (spelled(a), spelled(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.iter().enumerate() {
        let mut next = vec![index + 1];
        for ((to, above), diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            let replaced = diagonal + usize::from(from != to);
            next.push(replaced.min(left + 1).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_found() {
        let names = || ["e1000", "e1000e", "igb", "snd_hda_intel"].into_iter();
        assert_eq!(nearest("e1000f", names()), Some("e1000"));
        assert_eq!(nearest("snd-hda-inetl", names()), Some("snd_hda_intel"));
        assert_eq!(nearest("igbb", names()), Some("igb"));
        assert_eq!(nearest("nouveau", names()), None);
    }
}
