//! Finds the earlier builds of a kernelrelease, which a rebuild has to replace.
//!
//! The build service counts rebuilds at the end of rpm's release, outside the kernelrelease: 1.2 and
//! 1.3 of 6.4.0-1-default have the same files with other bytes.

use deptag::Flavor;

/// How many earlier builds are replaced. Each is a tag of each package.
const MOST: u32 = 100;

/// `[epoch:]version-release` of the earlier builds of a kernelrelease, the oldest first. None if this
/// build is not counted.
pub(crate) fn earlier_builds(evr: &str, release: &str, flavor: &Flavor) -> Vec<String> {
    let Some((same, count)) = evr.rsplit_once('.') else {
        return Vec::new();
    };
    let version = same.split_once(':').map_or(same, |(_, version)| version);
    let kernel = release.strip_suffix(flavor.as_str());
    let is_counted = kernel.and_then(|kernel| kernel.strip_suffix('-')) == Some(version);
    match count.parse::<u32>() {
        Ok(count) if is_counted => {
            let first = count.saturating_sub(MOST).max(1);
            (first..count)
                .map(|count| format!("{same}.{count}"))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earlier(evr: &str) -> Vec<String> {
        earlier_builds(evr, "6.4.0-150600.23-default", &"default".parse().unwrap())
    }

    #[test]
    fn what_is_counted_outside_the_release() {
        assert_eq!(
            earlier("6.4.0-150600.23.3"),
            ["6.4.0-150600.23.1", "6.4.0-150600.23.2"]
        );
        assert_eq!(earlier("2:6.4.0-150600.23.2"), ["2:6.4.0-150600.23.1"]);
        assert!(earlier("6.4.0-150600.23.1").is_empty());
        assert_eq!(earlier("6.4.0-150600.23.4000000000").len(), 100);
    }

    #[test]
    fn what_the_release_has_is_not_counted() {
        for evr in [
            "6.4.0-150600.23",
            "6.4.0-150600.24.3",
            "6.4.1-150600.23.3",
            "6.4.0-150600.23.x",
            "6.4.0-150600.23.3.1",
            "6",
            "",
        ] {
            assert!(earlier(evr).is_empty(), "{evr}");
        }
    }
}
