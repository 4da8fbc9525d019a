//! modules.softdep: what each module wants loaded before and after it.

use super::input::IndexInput;

pub(super) fn text(input: &IndexInput<'_>) -> Vec<u8> {
    let mut out = b"# Soft dependencies extracted from modules themselves.\n".to_vec();
    for (name, module) in input.modules() {
        for softdep in module.softdeps() {
            for part in [b"softdep ", name, b" ", softdep, b"\n"] {
                out.extend(part);
            }
        }
    }
    out
}
