//! Names the parts of the kernel, as the map of a report shows them.

use std::collections::BTreeMap;

use crate::document::ModuleEntry;

/// The part of the kernel to which most bytes of some modules belong. Of equals it is the first by
/// name.
pub fn largest_part(modules: &[ModuleEntry]) -> &str {
    let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
    for module in modules {
        *parts.entry(part(&module.path)).or_default() += module.bytes;
    }
    let largest = parts.into_iter().rev().max_by_key(|&(_, bytes)| bytes);
    largest.map_or("", |(part, _)| part)
}

/// The part of the kernel that a module belongs to: `drivers/net`, `fs`, or the first directory of a
/// path that is not below `kernel/`.
fn part(path: &str) -> &str {
    let inside = path.strip_prefix("kernel/").unwrap_or(path);
    let levels = match inside.starts_with("drivers/") {
        true => 2,
        false => 1,
    };
    let ends = inside.match_indices('/').map(|(at, _)| at);
    match ends.take(levels).last() {
        Some(end) => inside.get(..end).unwrap_or(inside),
        None => "modules",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_kernel() {
        assert_eq!(
            part("kernel/drivers/net/ethernet/intel/e1000e.ko"),
            "drivers/net"
        );
        assert_eq!(part("kernel/drivers/lone.ko"), "drivers");
        assert_eq!(part("kernel/fs/xfs/xfs.ko.xz"), "fs");
        assert_eq!(part("updates/dkms/vendor.ko"), "updates");
        assert_eq!(part("vendor.ko"), "modules");
    }
}
