//! What rpm's triggers read: their scripts, paths of changed files, lists of modules for initrds.

use std::collections::BTreeSet;

use kmp::parsers;

use crate::{Memory, Target};

/// The text of each.
pub const TRIGGER: Target = Target {
    name: "trigger",
    check: trigger,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 256,
    },
};

fn trigger(input: &[u8]) {
    parsers::script(input);
    let lines = input.split(|&byte| byte == b'\n');
    let lines: BTreeSet<_> = lines.collect();
    assert!(parsers::paths(input) <= lines.len());
    // A list names modules, and modules.dep is another text.
    let middle = input.len() / 2;
    let (list, dep) = input.split_at(middle);
    let (marked, files) = parsers::initrd(list, dep);
    assert!(marked <= list.len() && files <= dep.len() + 1);
}
