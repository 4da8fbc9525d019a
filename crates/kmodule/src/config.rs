//! Reads the options of a kernel's `.config`.

use std::path::Path;

use crate::error::{Error, Problem, Result};
use crate::image::Image;
use crate::limits::Limits;

/// The text of a `.config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    text: Vec<u8>,
}

impl Config {
    /// Takes the text of a `.config`.
    pub fn new(text: Vec<u8>) -> Self {
        Self { text }
    }

    /// Reads a `.config`, whatever its compression.
    ///
    /// # Errors
    /// The file cannot be read, or sets no option.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        Self::of(Image::open_within(path, Limits::TEXT)?)
    }

    /// Takes the bytes of a `.config` instead of reading them; errors name `path`.
    ///
    /// # Errors
    /// As for [`Config::open`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> std::result::Result<Self, Error> {
        Self::of(Image::from_bytes_within(path, bytes, Limits::TEXT)?)
    }

    fn of(image: Image) -> std::result::Result<Self, Error> {
        let path = image.path().to_owned();
        let read = || -> Result<Self> {
            let config = Self::new(image.into_whole()?);
            let sets = config.lines().any(|line| line.starts_with(b"CONFIG_"));
            sets.then_some(config).ok_or(Problem::BadConfig)
        };
        read().map_err(|problem| Error::new(&path, problem))
    }

    /// The value of an option, named without `CONFIG_`; `None` if it is not set.
    pub fn value(&self, option: &str) -> Option<&[u8]> {
        self.lines().find_map(|line| {
            line.strip_prefix(b"CONFIG_")?
                .strip_prefix(option.as_bytes())?
                .strip_prefix(b"=")
        })
    }

    /// Whether an option is built in.
    pub fn is_yes(&self, option: &str) -> bool {
        self.value(option) == Some(b"y")
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|&byte| byte == b'\n')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_by_their_whole_names() {
        let text = b"# CONFIG_A is not set\nCONFIG_AB=y\nCONFIG_B=m\nCONFIG_S=\"CONFIG_A=y\"\n";
        let config = Config::new(text.to_vec());
        assert!(config.is_yes("AB"));
        assert!(!config.is_yes("A"));
        assert!(!config.is_yes("B"));
        assert_eq!(config.value("B"), Some(&b"m"[..]));
        assert_eq!(config.value("S"), Some(&b"\"CONFIG_A=y\""[..]));
        assert_eq!(config.value("C"), None);
    }
}
