//! modules.weakdep: what each module may load later, for tools that make initrds.

use super::input::IndexInput;

pub(super) fn text(input: &IndexInput<'_>) -> Vec<u8> {
    let mut out = b"# Weak dependencies extracted from modules themselves.\n".to_vec();
    for (name, module) in input.modules() {
        for weakdep in module.weakdeps() {
            for part in [b"weakdep ", name, b" ", weakdep, b"\n"] {
                out.extend(part);
            }
        }
    }
    out
}
