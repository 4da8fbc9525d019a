//! Checks that errors can be shown.

/// Checks the text of an error.
///
/// # Panics
/// It is empty, or more than a line, whatever it shows of the input.
pub fn check_message(message: &str) {
    assert!(!message.is_empty(), "an error without a word");
    assert!(!message.contains(char::is_control), "{message:?}");
}
