//! An x86 bzImage in, its kernelrelease and the vmlinux packed inside it out.
//!
//! The layout is the setup header of linux/Documentation/arch/x86/boot.rst,
//! protocol 2.08 or later.

use crate::compression::{Compression, Extent};
use crate::error::{Problem, Result};

/// The bytes of a bzImage that has a readable setup header.
pub(crate) struct BzImage<'d>(&'d [u8]);

const BOOT_FLAG: usize = 0x1fe;
const SETUP_SECTS: usize = 0x1f1;
const HEADER_MAGIC: usize = 0x202;
const VERSION: usize = 0x206;
const KERNEL_VERSION: usize = 0x20e;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
const SECTOR: usize = 512;

impl<'d> BzImage<'d> {
    /// `None` for anything that is no bzImage.
    pub(crate) fn detect(bytes: &'d [u8]) -> Option<Self> {
        let is = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|b| b.starts_with(magic));
        (is(BOOT_FLAG, &[0x55, 0xaa]) && is(HEADER_MAGIC, b"HdrS")).then_some(Self(bytes))
    }

    /// The first word of the banner the setup header points to.
    pub(crate) fn kernelrelease(&self) -> Option<&'d [u8]> {
        let at = usize::from(self.u16(KERNEL_VERSION)?) + SECTOR;
        let banner = self.0.get(at..)?;
        let end = banner.iter().position(|byte| matches!(byte, 0 | b' '))?;
        banner.get(..end).filter(|release| !release.is_empty())
    }

    /// The ELF file the boot stub would unpack, with relocations behind it.
    ///
    /// # Errors
    /// The header is older than 2.08, lies, or names a compression that cannot
    /// be read.
    pub(crate) fn vmlinux(&self) -> Result<Vec<u8>> {
        if self.u16(VERSION).is_none_or(|version| version < 0x208) {
            return Err(Problem::BadKernel("boot protocol older than 2.08"));
        }
        let payload = self
            .payload()
            .ok_or(Problem::BadKernel("its payload lies outside the file"))?;
        Compression::detect(payload)
            .ok_or(Problem::BadKernel(
                "its payload's compression (LZO or LZ4?) is not supported; give its symvers",
            ))?
            .decompress(payload, Extent::FirstFrame)
    }

    fn payload(&self) -> Option<&'d [u8]> {
        let sectors = match self.0.get(SETUP_SECTS)? {
            0 => 4,
            &sectors => usize::from(sectors),
        };
        let start = (sectors + 1) * SECTOR + usize::try_from(self.u32(PAYLOAD_OFFSET)?).ok()?;
        let len = usize::try_from(self.u32(PAYLOAD_LENGTH)?).ok()?;
        self.0.get(start..start.checked_add(len)?)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }
}
