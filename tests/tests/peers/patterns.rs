//! Turns `modalias()` tags into the aliases they stand for.
//!
//! The distributions' scripts combine aliases that differ in one character with the one sorted before
//! them, ours the largest groups first. Both mean the same devices, in other tags.

use std::collections::BTreeSet;

/// The tags without brackets that combining made.
pub(crate) fn expanded(tags: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for tag in tags {
        match tag.starts_with("modalias(") {
            true => expand("", tag, &mut all),
            false => drop(all.insert(tag.clone())),
        }
    }
    all
}

/// A range (`[0-9]`) is of the alias itself, and stays.
fn expand(head: &str, rest: &str, all: &mut BTreeSet<String>) {
    let bracket = rest
        .split_once('[')
        .and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    match bracket {
        None => drop(all.insert(format!("{head}{rest}"))),
        Some((before, (variants, tail))) if variants.contains('-') => {
            expand(&format!("{head}{before}[{variants}]"), tail, all);
        }
        Some((before, (variants, tail))) => {
            for variant in variants.chars() {
                expand(&format!("{head}{before}{variant}"), tail, all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(tags: &[&str]) -> Vec<String> {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        expanded(&tags).into_iter().collect()
    }

    #[test]
    fn brackets_that_combining_made_are_expanded() {
        assert_eq!(
            from(&["modalias(i2c:a[12][3])"]),
            ["modalias(i2c:a13)", "modalias(i2c:a23)"]
        );
        assert_eq!(from(&["modalias(x:[0-9]a[bc])"]).len(), 2);
        assert_eq!(from(&["kmod(a[12].ko)"]), ["kmod(a[12].ko)"]);
    }
}
