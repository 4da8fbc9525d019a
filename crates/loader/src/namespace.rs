//! Decides whether a module may use a symbol of a namespace.

/// What begins the namespace of a symbol that is exported to named modules alone
/// (EXPORT_SYMBOL_FOR_MODULES, since 6.16).
const MODULES: &[u8] = b"module:";

/// Whether a namespace names the modules that may use it, instead of being imported.
pub(crate) fn names_modules(namespace: &[u8]) -> bool {
    namespace.starts_with(MODULES)
}

/// Whether a namespace names this module, as in `module:one,two-*`
/// (linux/kernel/module/main.c, `verify_module_namespace`).
pub(crate) fn names_module(namespace: &[u8], module: &[u8]) -> bool {
    let Some(patterns) = namespace.strip_prefix(MODULES) else {
        return false;
    };
    let mut patterns = patterns.split(|&byte| byte == b',');
    patterns.any(|pattern| match pattern.strip_suffix(b"*") {
        Some(start) => starts_like(module, start),
        None => module.len() == pattern.len() && starts_like(module, pattern),
    })
}

/// Whether a name starts so, `-` and `_` being equal.
fn starts_like(name: &[u8], start: &[u8]) -> bool {
    let dashed = |byte: &u8| if *byte == b'-' { b'_' } else { *byte };
    name.len() >= start.len()
        && std::iter::zip(name, start).all(|(one, other)| dashed(one) == dashed(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_pattern_is_a_glob() {
        for (namespace, module, expected) in [
            (&b"module:kvm"[..], &b"kvm"[..], true),
            (b"module:kvm", b"kvm_intel", false),
            (b"module:a,kvm-*", b"kvm_intel", true),
            (b"module:a,kvm-*", b"a", true),
            (b"module:kvm_amd", b"kvm-amd", true),
            (b"module:*", b"anything", true),
            (b"module:", b"kvm", false),
            (b"module:*vm", b"kvm", false),
            (b"kvm", b"kvm", false),
        ] {
            assert_eq!(names_module(namespace, module), expected, "{namespace:?}");
        }
    }
}
