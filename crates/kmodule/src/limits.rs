//! Bounds how long an input file may be and how much memory reading it may take.
//!
//! A few hundred bytes can decompress to gigabytes, and a sparse file of any length takes no room on
//! disk. A file beyond these limits is hostile or broken. SECURITY.md promises them.

/// The limits for one kind of file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest file.
    pub file: u64,
    /// The most that is in memory of a file at once: the contents of a compressed file, or the ranges
    /// that are read of a plain one.
    pub memory: u64,
}

const MIB: u64 = 1 << 20;

impl Limits {
    /// The largest module of Debian's kernels, amdgpu, has 19 MB. Debug information can make it
    /// twenty times as large, but is removed before modules are compressed, and not read otherwise.
    pub const MODULE: Self = Self {
        file: 2048 * MIB,
        memory: 256 * MIB,
    };

    /// Debian's vmlinux of 6.1 with debug information has 631 MB.
    pub const KERNEL: Self = Self {
        file: 2048 * MIB,
        memory: 1024 * MIB,
    };

    /// Symvers files, System.map and configurations. Debian's have 2, 4 and 0.3 MB.
    pub const TEXT: Self = Self {
        file: 64 * MIB,
        memory: 64 * MIB,
    };
}

/// The largest vmlinux a bzImage may contain: x86 maps no more for the kernel
/// (linux/arch/x86/include/asm/page_64_types.h, `KERNEL_IMAGE_SIZE` without KASLR).
pub(crate) const BZIMAGE_VMLINUX: u64 = 512 * MIB;

/// The largest dictionary of xz and lzma, and the largest window of zstd, as a power of two: 128 MiB.
/// The kernel's build uses as much for its own image (linux/scripts/xz_wrap.sh;
/// linux/scripts/Makefile.lib, `cmd_zstd22`).
pub(crate) const WINDOW_LOG: u32 = 27;

/// What a decoder may allocate: the dictionary and its own tables.
pub(crate) const DECODER_MEMORY: u64 = (1 << WINDOW_LOG) + 2 * MIB;
