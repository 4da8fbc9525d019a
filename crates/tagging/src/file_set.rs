//! Says which files of a package rpm asks generators about, as a check here and as a regular
//! expression for rpm.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use kmodule::{
    COMPRESSION_SUFFIXES, FileKind, MODULE_SUFFIX, SYMVERS_NAMES, file_kind, module_name,
    unambiguous_image_names,
};

/// Files that rpm asks a generator about.
pub struct FileSet {
    /// What `%__kmpkit_<name>_path`, the macro with the expression, is named after.
    pub name: &'static str,
    /// Where they lie in a package.
    pub locations: &'static [FileLocation],
}

/// Files of a directory of a package.
pub struct FileLocation {
    /// The directory below the root. One in lib may also lie in usr.
    pub directory: &'static str,
    /// How far below the directory.
    pub depth: FileDepth,
    /// What they are called.
    pub names: FileNames,
}

/// How far below a directory files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileDepth {
    /// At any depth.
    Any,
    /// In a directory so many levels below it: 0 is the directory itself.
    Level(usize),
}

/// What files are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileNames {
    /// As modules are, compressed or not.
    Modules,
    /// As kernel images and symvers files are beside modules, compressed or not.
    Kernels,
    /// As kernel images and symvers files are in /boot, where more follows a dash: the release.
    /// What vouches for an image, such as `vmlinuz-<rel>.hmac`, is among them and gets no tags.
    KernelsWithRelease,
    /// Anything. rpm asks about directories of any name, too.
    Any,
}

/// Kernel modules.
pub static MODULES: FileSet = FileSet {
    name: "module",
    locations: &[FileLocation {
        directory: "lib/modules",
        depth: FileDepth::Any,
        names: FileNames::Modules,
    }],
};

/// Kernel images and symvers files.
pub static KERNELS: FileSet = FileSet {
    name: "kernel",
    locations: &[
        FileLocation {
            directory: "lib/modules",
            depth: FileDepth::Level(1),
            names: FileNames::Kernels,
        },
        FileLocation {
            directory: "boot",
            depth: FileDepth::Level(0),
            names: FileNames::KernelsWithRelease,
        },
    ],
};

impl FileSet {
    /// Whether a file of a package is one of these. `path` is below the package's root.
    pub fn has(&self, path: &Path) -> bool {
        self.locations.iter().any(|location| location.has(path))
    }

    /// Whether a path names such a file, in whatever package or directory it lies. A generator that is
    /// run by hand answers for files in any directory.
    pub fn has_name(&self, path: &Path) -> bool {
        let mut locations = self.locations.iter();
        locations.any(|location| location.has_name(path))
    }

    /// The extended regular expression that rpm matches paths with.
    pub fn expression(&self) -> String {
        let locations = self.locations.iter().map(FileLocation::expression);
        locations.collect::<Vec<_>>().join("|")
    }

    /// A short expression that matches at least these files. rpm compiles that of an attribute
    /// again for each package.
    pub fn coarse_expression(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for word in self.locations.iter().flat_map(FileLocation::coarse_words) {
            if !words.iter().any(|known| word.contains(known.as_str())) {
                words.retain(|known| !known.contains(&word));
                words.push(word);
            }
        }
        let words = words.iter().map(|word| literal(word));
        words.collect::<Vec<_>>().join("|")
    }
}

impl FileLocation {
    /// The directories below a package's root where its files lie.
    pub fn directories(&self) -> impl Iterator<Item = PathBuf> {
        let in_usr = self.is_also_in_usr().then(|| PathBuf::from("usr"));
        let prefixes = [Some(PathBuf::new()), in_usr].into_iter().flatten();
        prefixes.map(|prefix| prefix.join(self.directory))
    }

    fn is_also_in_usr(&self) -> bool {
        self.directory.starts_with("lib/")
    }

    fn has(&self, path: &Path) -> bool {
        let below = self
            .directories()
            .find_map(|directory| path.strip_prefix(directory).ok());
        let Some((below, file)) = below.and_then(|path| Some((path, path.file_name()?))) else {
            return false;
        };
        let levels = below.iter().count() - 1;
        let is_deep_enough = match self.depth {
            FileDepth::Any => true,
            FileDepth::Level(level) => levels == level,
        };
        is_deep_enough && self.names.have(file)
    }

    fn has_name(&self, path: &Path) -> bool {
        match self.names {
            FileNames::Modules => module_name(path).is_some(),
            FileNames::Kernels | FileNames::KernelsWithRelease => {
                let kind = file_kind(path);
                matches!(kind, FileKind::KernelImage { .. } | FileKind::Symvers(_))
            }
            // Only the directory tells what such files are.
            FileNames::Any => {
                let mut parents = path.ancestors().skip(1);
                parents.any(|parent| parent.ends_with(self.directory))
            }
        }
    }

    fn expression(&self) -> String {
        let usr = if self.is_also_in_usr() { "(/usr)?" } else { "" };
        let directory = literal(self.directory);
        let levels = match self.depth {
            FileDepth::Any => "(.*/)?".to_owned(),
            FileDepth::Level(level) => "[^/]+/".repeat(level),
        };
        format!("^{usr}/{directory}/{levels}{}$", self.names.expression())
    }

    fn coarse_words(&self) -> Vec<String> {
        match self.names {
            FileNames::Modules => vec![MODULE_SUFFIX.to_owned()],
            FileNames::Kernels | FileNames::KernelsWithRelease => {
                kernel_names().map(str::to_owned).collect()
            }
            FileNames::Any => vec![format!("/{}/", self.directory)],
        }
    }
}

impl FileNames {
    fn have(self, file: &OsStr) -> bool {
        match self {
            Self::Modules => module_name(Path::new(file)).is_some(),
            Self::Kernels => kernel_names().any(|name| is_named(file, name)),
            Self::KernelsWithRelease => kernel_names().any(|name| is_named_with_more(file, name)),
            Self::Any => true,
        }
    }

    fn expression(self) -> String {
        let kernels = || kernel_names().map(literal).collect::<Vec<_>>().join("|");
        let compression = compression_expression();
        match self {
            Self::Modules => format!("[^/]+{}{compression}?", literal(MODULE_SUFFIX)),
            Self::Kernels => format!("({}){compression}?", kernels()),
            Self::KernelsWithRelease => format!("({})-[^/]*", kernels()),
            Self::Any => "[^/]+".to_owned(),
        }
    }
}

/// The expression for the suffix of a compressed file.
pub fn compression_expression() -> String {
    let suffixes = COMPRESSION_SUFFIXES.map(literal);
    format!("({})", suffixes.join("|"))
}

/// What files are called that a kernel's tags are made of. Module.symvers is for source trees and
/// headers, which are no kernels.
fn kernel_names() -> impl Iterator<Item = &'static str> {
    let [symvers, _] = SYMVERS_NAMES;
    unambiguous_image_names().chain([symvers])
}

/// Whether a file has this name, with or without the suffix of a compression.
fn is_named(file: &OsStr, name: &str) -> bool {
    let suffix = file.as_bytes().strip_prefix(name.as_bytes());
    suffix.is_some_and(|suffix| {
        suffix.is_empty()
            || COMPRESSION_SUFFIXES
                .iter()
                .any(|known| known.as_bytes() == suffix)
    })
}

fn is_named_with_more(file: &OsStr, name: &str) -> bool {
    let more = file.as_bytes().strip_prefix(name.as_bytes());
    more.is_some_and(|more| more.starts_with(b"-"))
}

/// Text as an extended regular expression that matches it alone.
fn literal(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    let mut expression = String::new();
    for c in text.chars() {
        if !plain(c) {
            expression.push('\\');
        }
        expression.push(c);
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_those_of_the_tables() {
        let packed = COMPRESSION_SUFFIXES.map(|suffix| suffix.replace('.', r"\."));
        let packed = format!("({})", packed.join("|"));
        assert_eq!(
            MODULES.expression(),
            format!(r"^(/usr)?/lib/modules/(.*/)?[^/]+\.ko{packed}?$")
        );
        let names = kernel_names().map(|name| name.replace('.', r"\."));
        let names = format!("({})", names.collect::<Vec<_>>().join("|"));
        assert_eq!(
            KERNELS.expression(),
            format!(r"^(/usr)?/lib/modules/[^/]+/{names}{packed}?$|^/boot/{names}-[^/]*$")
        );
        assert_eq!(MODULES.coarse_expression(), r"\.ko");
        assert_eq!(
            KERNELS.coarse_expression(),
            "vmlinuz|vmlinux|Image|image|symvers"
        );
    }

    #[test]
    fn a_coarse_expression_has_no_word_within_a_word() {
        static ANY: FileSet = FileSet {
            name: "firmware",
            locations: &[FileLocation {
                directory: "lib/firmware",
                depth: FileDepth::Any,
                names: FileNames::Any,
            }],
        };
        assert_eq!(ANY.coarse_expression(), "/lib/firmware/");
        assert_eq!(ANY.expression(), "^(/usr)?/lib/firmware/(.*/)?[^/]+$");
        assert!(ANY.has(Path::new("usr/lib/firmware/a/b.bin")));
        assert!(!ANY.has(Path::new("lib/firmware")));
        assert!(ANY.has_name(Path::new("/buildroot/lib/firmware/b.bin")));
        assert!(!ANY.has_name(Path::new("/buildroot/boot/vmlinuz-6.1")));
    }
}
