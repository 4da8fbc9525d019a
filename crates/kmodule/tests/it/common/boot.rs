//! A vmlinux in, the bzImage around it out (linux/Documentation/arch/x86/boot.rst).

use kmodule::Compression;

use super::pack::pack;

const SETUP_SECTORS: usize = 2;
pub const PAYLOAD: usize = (SETUP_SECTORS + 1) * 512 + 64;

/// A bzImage with `vmlinux` as payload, and a signature-like tail.
pub fn bzimage(vmlinux: &[u8], format: Compression, release: &str) -> Vec<u8> {
    let mut payload = pack(format, vmlinux);
    // gzip frames end in their plain size already.
    if format != Compression::Gzip {
        payload.extend((vmlinux.len() as u32).to_le_bytes());
    }
    around(&payload, release)
}

/// A bzImage around any payload.
pub fn around(payload: &[u8], release: &str) -> Vec<u8> {
    let mut image = vec![0; PAYLOAD];
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    put(0x1f1, &[SETUP_SECTORS as u8]);
    put(0x1fe, &[0x55, 0xaa]);
    put(0x202, b"HdrS");
    put(0x206, &0x20f_u16.to_le_bytes());
    put(0x20e, &0x100_u16.to_le_bytes());
    put(0x248, &64_u32.to_le_bytes());
    put(0x24c, &(payload.len() as u32).to_le_bytes());
    put(0x300, format!("{release} (a@b) #1 SMP\0").as_bytes());
    image.extend(payload);
    image.extend([0xa5; 40]);
    image
}
