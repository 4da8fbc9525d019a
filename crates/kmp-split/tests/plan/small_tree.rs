//! A kernel tree of a few modules on disk, and kmp-split run on it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use kmpkit_fixtures::elf::{ElfFile, Section};
use object::Endianness;
use object::elf::ET_REL;
use tempfile::TempDir;

pub const RELEASE: &str = "6.1.0-50-amd64";

pub struct SmallTree {
    root: TempDir,
}

impl SmallTree {
    /// A kernel with modules: paths below `kernel/`, each with fields of its `.modinfo`.
    pub fn of(modules: &[(&str, &[&str])]) -> Self {
        let tree = Self {
            root: TempDir::new().unwrap(),
        };
        for (path, modinfo) in modules {
            let file = tree.modules().join("kernel").join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, module(modinfo)).unwrap();
        }
        tree
    }

    pub fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// The directory of the modules.
    pub fn modules(&self) -> PathBuf {
        self.root.path().join("lib/modules").join(RELEASE)
    }

    /// The names of all files in the directory of the modules, sorted.
    pub fn files(&self) -> Vec<String> {
        let entries = walkdir::WalkDir::new(self.modules()).sort_by_file_name();
        let entries = entries.into_iter().map(Result::unwrap);
        let files = entries.filter(|entry| !entry.file_type().is_dir());
        let name = |path: &std::path::Path| path.strip_prefix(self.modules()).unwrap().to_owned();
        files
            .map(|file| name(file.path()).display().to_string())
            .collect()
    }

    /// A file beside the modules' directories, and its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.root.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// `kmp-split COMMAND ROOT`, with no policy of the system's and outside of rpmbuild.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kmp-split"));
        command.env_remove("RPM_BUILD_ROOT").env_remove("RUST_LOG");
        command.arg(name).arg(self.root.path());
        command
            .arg("--system-policy")
            .arg(self.root.path().join("no-policy"));
        command
    }

    pub fn run(&self, name: &str, options: &[&str]) -> Ran {
        Ran::of(self.command(name).args(options))
    }
}

/// What a run printed, and whether it succeeded.
#[derive(Debug)]
pub struct Ran {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Self {
            ok: status.success(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// A module with fields of `.modinfo` and nothing else that matters to a plan.
fn module(modinfo: &[&str]) -> Vec<u8> {
    let vermagic = format!("vermagic={RELEASE} SMP mod_unload ");
    let fields = modinfo.iter().copied().chain([&*vermagic, "license=GPL"]);
    let section = |name: &str, data: Vec<u8>| Section {
        name: name.to_owned(),
        data,
        ..Section::default()
    };
    let modinfo = fields.flat_map(|field| [field.as_bytes(), b"\0"].concat());
    ElfFile {
        is_64: true,
        endian: Endianness::Little,
        kind: ET_REL,
        rela: true,
        sections: vec![
            section(".text", vec![0x90; 32]),
            section(".modinfo", modinfo.collect()),
            section(".gnu.linkonce.this_module", vec![0; 896]),
        ],
        symbols: Some(Vec::new()),
        wide_indexes: false,
    }
    .build()
}
