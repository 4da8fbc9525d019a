//! modules.alias: each alias of a module with its name.

use super::View;

pub(super) fn text(view: &View<'_>) -> Vec<u8> {
    // Each alias makes a line with a name, and hardly one is shorter than that.
    let mut out = Vec::with_capacity(2 * view.alias_bytes());
    out.extend(b"# Aliases extracted from modules themselves.\n");
    for (file, said) in view.modules() {
        for alias in said.aliases() {
            for part in [b"alias ", alias, b" ", file.name(), b"\n"] {
                out.extend_from_slice(part);
            }
        }
    }
    out
}
