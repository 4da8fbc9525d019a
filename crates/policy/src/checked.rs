//! Checks single values of a layer. The error names the line of the value.

use toml::Spanned;

use crate::error::{Error, Problem};
use crate::file_line::LineIndex;

/// Returns what `check` makes of a value.
pub(crate) fn checked<T, U>(
    value: &Spanned<T>,
    lines: &LineIndex,
    check: impl FnOnce(&T) -> Result<U, Problem>,
) -> Result<U, Error> {
    check(value.get_ref()).map_err(|problem| problem.at(lines.line_of(value.span())))
}

/// Replaces what earlier layers set by a checked value. Without a value the earlier one stays.
pub(crate) fn replace_checked<T, U>(
    slot: &mut Option<U>,
    value: &Option<Spanned<T>>,
    lines: &LineIndex,
    check: impl FnOnce(&T) -> Result<U, Problem>,
) -> Result<(), Error> {
    if let Some(value) = value {
        *slot = Some(checked(value, lines, check)?);
    }
    Ok(())
}

/// Replaces what earlier layers set. Without a value the earlier one stays.
pub(crate) fn replace<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}
