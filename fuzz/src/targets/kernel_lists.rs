//! Lists that kbuild writes beside modules and kernel symbols as kmod reads them, line by line.

use std::path::Path;

use depmod::{builtin_aliases, builtin_names, symbols_of_symvers, symbols_of_system_map};

use crate::{Memory, Target};

/// A modules.builtin, modules.builtin.modinfo, Module.symvers or System.map.
pub const LISTS: Target = Target {
    name: "kernel_lists",
    check: lists,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 128,
    },
};

fn lists(input: &[u8]) {
    let path = Path::new("list");
    for name in builtin_names(input, path) {
        assert!(!name.contains(&b'-') && !name.contains(&b'/'), "{name:?}");
    }
    for (alias, _) in builtin_aliases(input, path) {
        assert!(!alias.contains(&0), "{alias:?}");
    }
    for prefix in [None, Some(b'_')] {
        symbols_of_symvers(input, prefix, path);
        symbols_of_system_map(input, prefix, path);
    }
}
