//! What tells who exports what in a kernel: images, symvers files, System.map.

use std::path::Path;

use kmodule::{Compression, KernelImage, Limits, Symvers, exports_of_system_map};

use crate::{Memory, Target};

/// A vmlinux or bzImage.
pub const IMAGE: Target = Target {
    name: "kernel_image",
    check: image,
    memory: |input| memory(input, Limits::KERNEL),
};

/// A symvers file.
pub const SYMVERS: Target = Target {
    name: "symvers",
    check: symvers,
    memory: |input| memory(input, Limits::TEXT),
};

/// A System.map.
pub const SYSTEM_MAP: Target = Target {
    name: "system_map",
    check: system_map,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 64,
    },
};

/// A bzImage has its kernel inside, so any image may unpack to as much as is allowed.
fn memory(input: &[u8], limits: Limits) -> Memory {
    let is_image = input
        .get(0x202..)
        .is_some_and(|rest| rest.starts_with(b"HdrS"));
    let unpacked = match is_image || Compression::detect(input).is_some() {
        true => 2 * usize::try_from(limits.memory).unwrap_or(usize::MAX),
        false => 0,
    };
    Memory {
        fixed: unpacked + (64 << 10),
        each: 64,
    }
}

fn image(input: &[u8]) {
    let Ok(image) = KernelImage::from_bytes(Path::new("vmlinuz"), input) else {
        return;
    };
    if let Ok(release) = image.kernelrelease() {
        let release = release.as_str();
        assert!(!release.is_empty() && !release.contains(['/', '\n', ' ', '%']));
    }
    let names = image.exports(|exports| {
        assert!(exports.is_sorted());
        exports.len()
    });
    let _ = names;
    let _ = image.detailed_exports();
    let _ = (image.config(), image.btf(), image.builtin_names());
}

fn symvers(input: &[u8]) {
    let Ok(symvers) = Symvers::from_bytes(Path::new("Module.symvers"), input) else {
        return;
    };
    let _ = symvers.has_modversions();
    for entry in symvers.entries() {
        let texts = [entry.name, entry.module];
        let is_text =
            |text: &[u8]| !text.is_empty() && !text.contains(&b'\n') && !text.contains(&b'\t');
        assert!(texts.into_iter().all(is_text), "{entry:?}");
    }
    let kernel = symvers.kernel_entries().count();
    assert!(kernel <= symvers.entries().count());
}

fn system_map(input: &[u8]) {
    for name in exports_of_system_map(input) {
        assert!(!name.is_empty() && !name.contains(&b'\n'));
    }
}
