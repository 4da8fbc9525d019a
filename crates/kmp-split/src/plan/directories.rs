//! Names and distances of the directories that modules are in.

use modtree::Tree;

use super::groups::Group;

/// The deepest directory that contains all modules of a group.
pub fn common_directory<'t>(tree: &'t Tree, group: &Group) -> &'t str {
    let mut directories = group
        .members
        .iter()
        .map(|&id| tree.modules[id].file.directory());
    let first = directories.next().unwrap_or_default();
    directories.fold(first, |common, directory| {
        let equal = common.split('/').zip(directory.split('/'));
        let equal: usize = equal
            .take_while(|(a, b)| a == b)
            .map(|(part, _)| part.len() + 1)
            .sum();
        common.get(..equal.saturating_sub(1)).unwrap_or(common)
    })
}

/// The area of the kernel that a directory belongs to, such as `drivers/net` or `fs`.
pub fn area(directory: &str) -> String {
    let inside = directory.strip_prefix("kernel/").unwrap_or(directory);
    let parts: Vec<_> = inside.split('/').collect();
    let depth = match parts.first() {
        Some(&"drivers" | &"arch") => 2,
        _ => 1,
    };
    parts.into_iter().take(depth).collect::<Vec<_>>().join("/")
}

/// How many levels the deeper of two directories is below the directory that contains both.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.split('/').collect(), b.split('/').collect());
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    a.len().max(b.len()) - common
}

/// The directory `depth` levels below `kernel/` that contains `directory`, as a name:
/// `kernel/drivers/net/usb` at depth 2 is `drivers-net`.
pub fn name_at(directory: &str, depth: usize) -> String {
    let inside = directory.strip_prefix("kernel/").unwrap_or(directory);
    let parts: Vec<_> = inside.split('/').take(depth.max(1)).collect();
    parts.join("-")
}

/// A whole directory as a name: `kernel/drivers/net/ethernet/intel` is `net-ethernet-intel`.
pub fn directory_name(directory: &str) -> String {
    let inside = directory.strip_prefix("kernel/").unwrap_or(directory);
    let inside = inside.strip_prefix("drivers/").unwrap_or(inside);
    inside.replace('/', "-")
}
