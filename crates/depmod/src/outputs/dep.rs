//! modules.dep: the path of each module and of everything it needs, users before what they use.

use super::View;
use super::texts::Texts;

/// A line for each module, without line feeds.
pub(super) fn lines(view: &View<'_>) -> Texts {
    let mut lines = Texts::default();
    for (file, needs) in view.files.iter().zip(&view.needs) {
        let mut parts = vec![file.shown(), b":"];
        for file in needs.iter().filter_map(|&needed| view.files.get(needed)) {
            parts.extend([b" ", file.shown()]);
        }
        lines.push(&parts);
    }
    lines
}

pub(super) fn text(view: &View<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines(view).iter() {
        out.extend(line);
        out.push(b'\n');
    }
    out
}
