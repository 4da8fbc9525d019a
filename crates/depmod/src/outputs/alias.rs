//! modules.alias: each alias of a module with its name.

use super::View;

pub(super) fn text(view: &View<'_>) -> Vec<u8> {
    let mut out = b"# Aliases extracted from modules themselves.\n".to_vec();
    for (file, said) in view.modules() {
        for alias in said.aliases() {
            for part in [b"alias ", alias, b" ", file.name(), b"\n"] {
                out.extend(part);
            }
        }
    }
    out
}
