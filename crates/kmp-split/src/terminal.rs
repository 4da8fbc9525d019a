//! Fits lines to the terminal.

use std::io::{self, IsTerminal};

/// The width of the terminal that stdout is, if it is one.
pub fn width() -> Option<usize> {
    let stdout = io::stdout();
    let size = stdout
        .is_terminal()
        .then(|| rustix::termios::tcgetwinsize(&stdout))?;
    size.ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|&width| width > 0)
}

/// Cuts lines that are longer than the terminal is wide. `…` shows where.
pub fn fit(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        match line.char_indices().nth(width) {
            Some(_) => {
                out.extend(line.chars().take(width.saturating_sub(1)));
                out.push('…');
            }
            None => out += line,
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(fit("abc\n\nabcd\nabcde\n", 4), "abc\n\nabcd\nabc…\n");
        assert_eq!(fit("äöüß\n", 3), "äö…\n");
    }
}
