//! Logs what is wrong with the lines of a file, but not a message for each of a million lines.

use std::fmt;
use std::path::Path;

/// How many messages about one file are logged.
const SHOWN: usize = 1_000;

/// Messages about one file. When it goes, it tells how many were not shown.
pub(crate) struct Complaints<'f> {
    file: &'f Path,
    count: usize,
}

impl<'f> Complaints<'f> {
    pub(crate) fn about(file: &'f Path) -> Self {
        Self { file, count: 0 }
    }

    /// Logs what is wrong with a line, as an error.
    pub(crate) fn error(&mut self, line: usize, message: fmt::Arguments<'_>) {
        self.count += 1;
        if self.count <= SHOWN {
            log::error!("{}:{line}: {message}", self.file.display());
        }
    }

    /// Logs what is wrong with a file that has no lines, as a warning.
    pub(crate) fn warning(&mut self, message: fmt::Arguments<'_>) {
        self.count += 1;
        if self.count <= SHOWN {
            log::warn!("{message}");
        }
    }

    /// Logs something that is wrong in no certain line, as an error.
    pub(crate) fn fault(&mut self, message: fmt::Arguments<'_>) {
        self.count += 1;
        if self.count <= SHOWN {
            log::error!("{message}");
        }
    }

    /// How many messages were not shown.
    fn hidden(&self) -> usize {
        self.count.saturating_sub(SHOWN)
    }
}

impl Drop for Complaints<'_> {
    fn drop(&mut self) {
        if self.hidden() > 0 {
            let (file, hidden) = (self.file.display(), self.hidden());
            log::warn!("{file}: {hidden} more messages of this kind are not shown");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_a_limit() {
        for (wrong, hidden) in [(0, 0), (SHOWN, 0), (SHOWN + 1, 1), (1_000_000, 999_000)] {
            let mut complaints = Complaints::about(Path::new("list"));
            for line in 0..wrong {
                complaints.error(line, format_args!("bad"));
            }
            assert_eq!(complaints.hidden(), hidden);
        }
    }
}
