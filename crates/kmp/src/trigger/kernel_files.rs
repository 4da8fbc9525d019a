//! Tells whether a directory of modules has a kernel, or only modules of packages that wait for one.
//!
//! Tools that make images take every directory with modules.dep for a kernel (mkosi-initrd,
//! suse-module-tools/mkosi-initrd-posttrans), so a driver without its kernel must not have any.

use std::path::Path;

use kmodule::IMAGE_NAMES;

/// What the build of a kernel leaves beside its modules; packages of drivers have none of these.
const LISTS: [&str; 3] = [
    "modules.builtin",
    "modules.builtin.modinfo",
    "modules.order",
];
/// What packages of kernels have beside the modules, or in /boot with the release in their names.
const FILES: [&str; 2] = ["System.map", "config"];

/// Whether there is something of the kernel itself: a file of it, or that it runs.
pub(super) fn has_kernel(root: &Path, directory: &Path, release: &str) -> bool {
    let boot = root.join("boot");
    let mut lists = LISTS.iter().map(|name| directory.join(name));
    let mut files = IMAGE_NAMES.iter().chain(&FILES).flat_map(|name| {
        let in_boot = boot.join(format!("{name}-{release}"));
        [directory.join(name), in_boot]
    });
    lists.any(|path| path.is_file()) || files.any(|path| path.is_file()) || runs(release)
}

/// Whether this is the release of the running kernel, which may have come in any way.
fn runs(release: &str) -> bool {
    rustix::system::uname().release().to_bytes() == release.as_bytes()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn any_file_of_a_kernel_is_enough() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let directory = root.join("usr/lib/modules/6.1-x");
        fs::create_dir_all(directory.join("kernel")).unwrap();
        fs::create_dir_all(root.join("boot")).unwrap();
        for other in ["kernel/a.ko", "modules.dep", "modules.alias", "weak.conf"] {
            fs::write(directory.join(other), "").unwrap();
        }
        fs::write(root.join("boot/vmlinuz-6.1-x2"), "").unwrap();
        assert!(!has_kernel(root, &directory, "6.1-x"));
        for file in [
            directory.join("modules.order"),
            directory.join("modules.builtin"),
            directory.join("Image"),
            directory.join("config"),
            root.join("boot/vmlinuz-6.1-x"),
            root.join("boot/System.map-6.1-x"),
        ] {
            fs::write(&file, "").unwrap();
            assert!(has_kernel(root, &directory, "6.1-x"), "{}", file.display());
            fs::remove_file(file).unwrap();
        }
        let running = rustix::system::uname();
        let running = running.release().to_str().unwrap();
        assert!(has_kernel(root, &directory, running));
    }
}
