//! modules.devname: the device nodes that load a module when they are opened.

use facts::ModuleFacts;
use kmod_conf::c_text::pair;

use super::input::IndexInput;

pub(super) fn text(input: &IndexInput<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, module) in input.modules() {
        match node(module) {
            (None, _) => {}
            (Some(path), Some((kind, major, minor))) => {
                if out.is_empty() {
                    out.extend(b"# Device nodes to trigger on-demand module loading.\n");
                }
                for part in [name, b" ", path] {
                    out.extend(part);
                }
                out.extend(format!(" {kind}{major}:{minor}\n").into_bytes());
            }
            (Some(path), None) => log::error!(
                "Module '{}' has devname ({}) but lacks major and minor information. Ignoring.",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(path)
            ),
        }
    }
    out
}

/// `c` or `b`, major and minor.
type Numbers = (char, u32, u32);

/// The path in /dev, and type and numbers of the node: the last of each before both are known.
fn node(module: ModuleFacts<'_>) -> (Option<&[u8]>, Option<Numbers>) {
    let mut path = None;
    let mut numbers = None;
    for alias in module.aliases() {
        if let Some(name) = alias.strip_prefix(b"devname:") {
            path = Some(name);
        } else {
            let of = |prefix: &[u8], kind: char| {
                let (major, minor) = pair(alias.strip_prefix(prefix)?, b"-")?;
                Some((kind, major, minor))
            };
            let found = of(b"char-major-", 'c').or_else(|| of(b"block-major-", 'b'));
            numbers = found.or(numbers);
        }
        if path.is_some() && numbers.is_some() {
            break;
        }
    }
    (path, numbers)
}
