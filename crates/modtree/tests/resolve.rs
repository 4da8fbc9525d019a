//! Who needs whom, and what the kernel's loader would say, in trees of made-up modules.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use kmodule::Kernelrelease;
use loader::{Exporter, Kernel, KernelExports};
use modtree::{Difference, ModuleFile, ModuleId, Record, Resolution, Tree, resolve};

fn release() -> Kernelrelease {
    Kernelrelease::try_from(&b"6.1-x"[..]).unwrap()
}

/// Name, `depends=`, exports and imports of a module.
type Made<'m> = (&'m str, &'m [&'m str], &'m [&'m str], &'m [&'m str]);

/// Modules in the order of their names.
fn tree(modules: &[Made<'_>]) -> Tree {
    let owned = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    let records = modules.iter().map(|(name, depends, exports, imports)| {
        let record = Record {
            file: ModuleFile {
                name: (*name).to_owned(),
                path: format!("kernel/{name}.ko"),
            },
            depends: owned(depends),
            ..Record::default()
        };
        (record, owned(exports), owned(imports))
    });
    Tree::from_records(release(), records.collect(), Vec::new())
}

/// A kernel that exports these symbols.
fn kernel(exports: &[&str]) -> Kernel {
    let lines = exports
        .iter()
        .map(|name| format!("c1 r __ksymtab_{name}\n"));
    let map: String = lines.collect();
    let mut kernel = Kernel::new(release());
    kernel.exports = Some(KernelExports::of_system_map(map.as_bytes()));
    kernel
}

fn told(tree: &Tree, resolution: &Resolution) -> Vec<String> {
    let differences = resolution.differences.iter();
    differences.map(|one| one.describe(tree)).collect()
}

fn ids(tree: &Tree) -> Vec<ModuleId> {
    tree.modules.ids().collect()
}

#[test]
fn symbols_and_depends_both_count_and_each_import_has_its_exporter() {
    let tree = tree(&[
        ("a", &["b"], &[], &["of_b", "of_kernel", "of_c"]),
        ("b", &[], &["of_b"], &[]),
        ("c", &[], &["of_c"], &[]),
        ("d", &["c"], &[], &[]),
    ]);
    let resolution = resolve(&tree, Some(&kernel(&["of_kernel"])));
    let [a, b, c, d] = ids(&tree)[..] else {
        unreachable!()
    };
    assert_eq!(resolution.needs[a], [b, c]);
    assert_eq!(resolution.users[c], [a, d]);
    assert_eq!(
        resolution.exporters[a],
        [
            Some(Exporter::Module(b)),
            Some(Exporter::Kernel),
            Some(Exporter::Module(c)),
        ]
    );
    assert_eq!(
        told(&tree, &resolution),
        [
            "kernel/a.ko uses symbols of kernel/c.ko, which its depends= does not name",
            "depends= of kernel/d.ko names kernel/c.ko, none of whose symbols it uses",
        ]
    );
}

#[test]
fn of_several_exporters_the_one_in_depends_counts() {
    let tree = tree(&[
        ("first", &[], &["shared"], &[]),
        ("second", &[], &["shared"], &[]),
        ("user", &["second"], &[], &["shared"]),
    ]);
    let resolution = resolve(&tree, Some(&kernel(&[])));
    let [_, second, user] = ids(&tree)[..] else {
        unreachable!()
    };
    assert_eq!(resolution.needs[user], [second]);
    assert!(told(&tree, &resolution).is_empty());
}

#[test]
fn what_would_not_load_is_told_once_for_each_kind() {
    let tree = tree(&[
        ("a", &[], &[], &["absent", "gone"]),
        ("b", &[], &["of_kernel"], &["absent"]),
        ("c", &[], &[], &["gone"]),
    ]);
    let resolution = resolve(&tree, Some(&kernel(&["of_kernel"])));
    assert_eq!(
        told(&tree, &resolution),
        [
            "3 modules would not load, kernel/a.ko because nothing exports absent",
            "kernel/b.ko would not load: it exports of_kernel, as the kernel does",
        ]
    );
    let a = ids(&tree)[0];
    assert_eq!(resolution.exporters[a], [None, None]);
    assert!(matches!(
        &resolution.differences[0],
        Difference::Refused { modules, .. } if *modules == ids(&tree)
    ));
}

#[test]
fn without_the_exports_of_the_kernel_nothing_is_missing() {
    let tree = tree(&[("a", &[], &[], &["anything"])]);
    let resolution = resolve(&tree, None);
    assert!(told(&tree, &resolution).is_empty());
    assert_eq!(
        resolution.exporters[ids(&tree)[0]],
        [Some(Exporter::Kernel)]
    );
}
