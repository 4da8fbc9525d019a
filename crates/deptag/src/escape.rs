//! Escapes bytes of a module so that a tag passes rpm and libsolv unchanged.
//!
//! rpm splits generator output at commas and blanks and refuses some other characters. libzypp
//! decodes `%XX` inside modalias() (`str::hexdecode`). A percent sign starts no macro here, because
//! rpm does not expand generator output.

use std::io::Write;

/// An alias as SUSE writes it inside modalias(): only `[*:a-zA-Z0-9]` stay as they are.
pub(crate) fn modalias(alias: &[u8]) -> Vec<u8> {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b':');
    let mut escaped = Vec::with_capacity(alias.len() + 8);
    append(alias, keep, &mut escaped);
    escaped
}

/// Appends a name as it is written inside kmod(), ksym() and kernel(). Only characters that rpm
/// would split at or refuse are escaped; no symbol or module of a real kernel has any.
pub(crate) fn name(name: &[u8], out: &mut Vec<u8>) {
    let keep =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b';' | b'(' | b')' | b'%');
    append(name, keep, out);
}

/// Appends `bytes`, with `%XX` for each byte that `keep` rejects.
fn append(bytes: &[u8], keep: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    // Most names need no escape. The fold looks at all bytes without branches, which is faster
    // than stopping at the first bad one.
    if bytes.iter().fold(true, |all, &byte| all & keep(byte)) {
        return out.extend_from_slice(bytes);
    }
    let mut rest = bytes;
    let next = |rest: &[u8]| rest.iter().position(|&byte| !keep(byte));
    while let Some((plain, [byte, behind @ ..])) =
        next(rest).and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(plain);
        // Writing to a Vec cannot fail.
        let _ = write!(out, "%{byte:02X}");
        rest = behind;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_rpm_would_refuse_is_escaped() {
        let name = |bytes: &[u8]| {
            let mut out = Vec::new();
            name(bytes, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            name(b"usb_register.constprop$1-x"),
            "usb_register.constprop$1-x"
        );
        assert_eq!(name(b"a b,c(d)%;\xff"), "a%20b%2Cc%28d%29%25%3B%FF");
        assert_eq!(name(b"~!\x7f \xc3\xa4"), "~!%7F%20%C3%A4");
        assert_eq!(modalias(b"pci:v0*sd[1-2],"), b"pci:v0*sd%5B1%2D2%5D%2C");
    }
}
