//! Reads an x86 bzImage: its kernelrelease and the vmlinux packed inside it.
//!
//! The layout is the setup header of linux/Documentation/arch/x86/boot.rst,
//! protocol 2.08 or later.

use crate::bytes::Bytes;
use crate::compression::Compression;
use crate::decompress::{Extent, decompress};
use crate::error::{Problem, Result};
use crate::limits::BZIMAGE_VMLINUX;

/// A bzImage whose setup header has been read.
pub(crate) struct BzImage<'d> {
    bytes: Bytes<'d>,
    header: &'d [u8],
}

const HEADER_SIZE: u64 = 0x250;
const BOOT_FLAG: usize = 0x1fe;
const SETUP_SECTS: usize = 0x1f1;
const HEADER_MAGIC: usize = 0x202;
const VERSION: usize = 0x206;
const KERNEL_VERSION: usize = 0x20e;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
const SECTOR: u64 = 512;
/// More than any `utsname` release with the space behind it.
const RELEASE_SIZE: u64 = 128;

impl<'d> BzImage<'d> {
    /// `None` for anything that is no bzImage.
    pub(crate) fn detect(bytes: Bytes<'d>) -> Result<Option<Self>> {
        let header = bytes.range(0, bytes.size().min(HEADER_SIZE))?;
        let is = |at: usize, magic: &[u8]| header.get(at..).is_some_and(|b| b.starts_with(magic));
        Ok((is(BOOT_FLAG, &[0x55, 0xaa]) && is(HEADER_MAGIC, b"HdrS"))
            .then_some(Self { bytes, header }))
    }

    /// The first word of the banner the setup header points to.
    pub(crate) fn kernelrelease(&self) -> Result<&'d [u8]> {
        let none = Problem::BadKernel("no kernelrelease in its setup header");
        let Some(pointer @ 1..) = self.u16(KERNEL_VERSION) else {
            return Err(none);
        };
        let at = u64::from(pointer) + SECTOR;
        let room = self.bytes.size().saturating_sub(at);
        let banner = self.bytes.range(at, room.min(RELEASE_SIZE))?;
        banner
            .split(|byte| matches!(byte, 0 | b' '))
            .next()
            .filter(|release| release.len() < banner.len())
            .ok_or(none)
    }

    /// The ELF file the boot stub would unpack, with relocations behind it.
    ///
    /// # Errors
    /// The header is older than 2.08 or wrong, or the payload has a compression that cannot be read.
    pub(crate) fn vmlinux(&self) -> Result<Vec<u8>> {
        if self.u16(VERSION).is_none_or(|version| version < 0x208) {
            return Err(Problem::BadKernel("boot protocol older than 2.08"));
        }
        let payload = self.payload()?;
        let format = Compression::detect(payload).ok_or(Problem::BadKernel(
            "its payload's compression (LZO or LZ4?) is not supported; give its symvers",
        ))?;
        // The boot stub allocates as much as the last word says, so it is right in every kernel.
        let wrong = Problem::BadKernel("its payload has not the size it announces");
        let size = match payload.last_chunk() {
            Some(&size) => u64::from(u32::from_le_bytes(size)),
            None => return Err(wrong),
        };
        if size > BZIMAGE_VMLINUX {
            return Err(Problem::BadKernel(
                "its payload announces more than 512 MiB",
            ));
        }
        match decompress(format, payload, Extent::FirstFrame, size, Vec::new()) {
            Ok(plain) if plain.len() as u64 == size => Ok(plain),
            Ok(_) | Err(Problem::GrowsTooLarge { .. }) => Err(wrong),
            Err(problem) => Err(problem),
        }
    }

    fn payload(&self) -> Result<&'d [u8]> {
        let lies = || Problem::BadKernel("its payload lies outside the file");
        let sectors = match self.header.get(SETUP_SECTS) {
            None | Some(0) => 4,
            Some(&sectors) => u64::from(sectors),
        };
        let offset = self.u32(PAYLOAD_OFFSET).ok_or_else(lies)?;
        let len = self.u32(PAYLOAD_LENGTH).ok_or_else(lies)?;
        let start = (sectors + 1) * SECTOR + u64::from(offset);
        match start + u64::from(len) <= self.bytes.size() {
            true => self.bytes.range(start, len.into()),
            false => Err(lies()),
        }
    }

    fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(*self.header.get(at..)?.first_chunk()?))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.header.get(at..)?.first_chunk()?))
    }
}
