//! modules.softdep: what each module wants loaded before and after it.

use super::View;

pub(super) fn text(view: &View<'_>) -> Vec<u8> {
    let mut out = b"# Soft dependencies extracted from modules themselves.\n".to_vec();
    for (file, said) in view.modules() {
        for wish in said.softdeps() {
            for part in [b"softdep ", file.name(), b" ", wish, b"\n"] {
                out.extend(part);
            }
        }
    }
    out
}
