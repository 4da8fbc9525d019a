//! Keeps many strings in one allocation, each with the module it belongs to.

use std::ops::Range;

use crate::module::ModuleNumber;

/// Strings of modules, in the order they were added.
#[derive(Default)]
pub(crate) struct ModuleTexts {
    bytes: Vec<u8>,
    texts: Vec<(ModuleNumber, Range<usize>)>,
}

impl ModuleTexts {
    /// Room for so many strings of so many bytes.
    pub(super) fn with_capacity(count: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            texts: Vec::with_capacity(count),
        }
    }

    /// Adds a string made of these parts.
    pub(super) fn push(&mut self, module: ModuleNumber, parts: &[&[u8]]) {
        let start = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.texts.push((module, start..self.bytes.len()));
    }

    /// Adds what `write` puts behind the other strings; nothing if it gives up.
    pub(super) fn push_with(
        &mut self,
        module: ModuleNumber,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) {
        let start = self.bytes.len();
        match write(&mut self.bytes) {
            Some(()) => self.texts.push((module, start..self.bytes.len())),
            None => self.bytes.truncate(start),
        }
    }

    /// All of them, one behind the other.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (ModuleNumber, &[u8])> {
        let text = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        self.texts
            .iter()
            .map(move |(module, range)| (*module, text(range)))
    }
}
