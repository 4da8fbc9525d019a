//! modules.weakdep: what each module may load later, for whoever makes an initrd.

use super::View;

pub(super) fn text(view: &View<'_>) -> Vec<u8> {
    let mut out = b"# Weak dependencies extracted from modules themselves.\n".to_vec();
    for (file, said) in view.modules() {
        for wish in said.weakdeps() {
            for part in [b"weakdep ", file.name(), b" ", wish, b"\n"] {
                out.extend(part);
            }
        }
    }
    out
}
