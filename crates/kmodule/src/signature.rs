//! The end of a module in, whether a signature was appended to it out.
//!
//! The mark follows the signature and ends the file
//! (linux/include/linux/module_signature.h, in newer kernels below
//! include/uapi).

use crate::bytes::Bytes;
use crate::error::Result;

const MARK: &[u8] = b"~Module signature appended~\n";

pub(crate) fn is_appended(bytes: Bytes<'_>) -> Result<bool> {
    let mark = MARK.len() as u64;
    match bytes.size().checked_sub(mark) {
        Some(end) => Ok(bytes.range(end, mark)? == MARK),
        None => Ok(false),
    }
}
