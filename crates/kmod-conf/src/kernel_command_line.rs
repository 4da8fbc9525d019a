//! Splits the command line of the kernel into parameters, as kmod does.

use crate::c_text::is_space;

/// A parameter on the command line of the kernel.
pub(crate) enum Parameter {
    /// `<module>.<setting>`.
    OfModule(Vec<u8>, Vec<u8>),
    /// Any other.
    OfKernel(Vec<u8>),
}

/// The parameters of a command line. A value may be in quotes, and so may the whole parameter, as
/// boot loaders pass them on (libkmod-config.c, `kmod_config_parse_kcmdline`).
pub(crate) fn parameters(text: &[u8]) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.iter().position(|&byte| !is_space(byte)) {
        rest = rest.get(start..).unwrap_or_default();
        let mut is_quoted = false;
        let end = rest.iter().position(|&byte| {
            is_quoted ^= byte == b'"';
            byte == 0 || (is_space(byte) && !is_quoted)
        });
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        // Quotes that never end take everything behind them with them.
        if !is_quoted {
            parameters.extend(parameter(word));
        }
        rest = match behind.first() {
            Some(0) => &[],
            _ => behind,
        };
    }
    parameters
}

/// A parameter without the quotes around it; `None` if quotes are where they cannot be.
fn parameter(word: &[u8]) -> Option<Parameter> {
    let unquoted = word.strip_prefix(b"\"");
    let plain = unquoted.unwrap_or(word);
    let equals = plain.iter().position(|&byte| byte == b'=');
    let key = plain.get(..equals.unwrap_or(plain.len()))?;
    let setting = match (unquoted, equals) {
        // "parport.dyndbg=a b" was parport.dyndbg="a b".
        (Some(_), Some(equals)) => {
            let value = plain.get(equals + 1..)?;
            [key, b"=\"", value].concat()
        }
        _ => plain.to_vec(),
    };
    if key.contains(&b'"') || key.iter().any(|&byte| is_space(byte)) {
        return None;
    }
    Some(match key.iter().position(|&byte| byte == b'.') {
        Some(dot) if key.iter().filter(|&&byte| byte == b'.').count() == 1 => {
            Parameter::OfModule(key.get(..dot)?.to_vec(), setting.get(dot + 1..)?.to_vec())
        }
        Some(_) => return None,
        None => Parameter::OfKernel(setting),
    })
}
