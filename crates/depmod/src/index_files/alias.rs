//! modules.alias: each alias of a module with its name.

use super::input::IndexInput;

pub(super) fn text(input: &IndexInput<'_>) -> Vec<u8> {
    // Each alias makes a line with a name, and hardly one is shorter than that.
    let mut out = Vec::with_capacity(2 * input.alias_bytes());
    out.extend(b"# Aliases extracted from modules themselves.\n");
    for (name, module) in input.modules() {
        for alias in module.aliases() {
            for part in [b"alias ", alias, b" ", name, b"\n"] {
                out.extend_from_slice(part);
            }
        }
    }
    out
}
