//! Bytes from a module in, characters that survive rpm and libsolv out.
//!
//! rpm splits generator output at commas and blanks and refuses more; libzypp
//! decodes `%XX` inside modalias() (`str::hexdecode`). Percent signs are not
//! macros here: rpm does not expand generator output.

use std::borrow::Cow;
use std::fmt::Write;

/// What SUSE leaves as it is inside modalias(): `[*:a-zA-Z0-9]`.
pub(crate) fn modalias(alias: &[u8]) -> String {
    escape(alias, |byte| {
        byte.is_ascii_alphanumeric() || b"*:".contains(&byte)
    })
}

/// Names inside kmod(), ksym() and kernel(): as they are, but for what rpm
/// would take apart. No symbol or module of a real kernel needs it.
pub(crate) fn name(name: &[u8]) -> Cow<'_, str> {
    let keep = |byte: u8| byte.is_ascii_graphic() && !b",;()%".contains(&byte);
    match std::str::from_utf8(name) {
        Ok(plain) if plain.bytes().all(keep) => plain.into(),
        _ => escape(name, keep).into(),
    }
}

fn escape(bytes: &[u8], keep: impl Fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for &byte in bytes {
        if keep(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_rpm_would_refuse_is_escaped() {
        assert_eq!(
            name(b"usb_register.constprop$1-x"),
            "usb_register.constprop$1-x"
        );
        assert_eq!(name(b"a b,c(d)%;\xff"), "a%20b%2Cc%28d%29%25%3B%FF");
        assert_eq!(modalias(b"pci:v0*sd[1-2],"), "pci:v0*sd%5B1%2D2%5D%2C");
    }
}
