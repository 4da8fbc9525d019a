//! Turns rpm's configuration into one with attrs under the names, on the paths and with the types
//! of tags of SUSE's and Red Hat's, whose generators record each call and print a tag of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmpkit_tests::rpmbuild::Rpm;
use tempfile::TempDir;

/// Attr, types of tags, and the files it is for. SUSE's since October 2025 (kmp) and before it
/// (kernel), rpm-config-SUSE; Fedora's, kernel-srpm-macros.
const EXTERNAL: [(&str, &[&str], &str); 6] = [
    ("kmp", &["provides", "requires", "supplements"], SUSE_PATH),
    (
        "kernel",
        &["provides", "requires", "supplements"],
        "^((/usr)?/lib/modules/[^/]*/.*[.]ko([.](gz|xz|zst))?|/boot/vmlinu[xz].*)$",
    ),
    ("provided_ksyms", &["provides"], ANY_MODULE),
    ("required_ksyms", &["requires"], ANY_MODULE),
    ("modalias", &["provides"], ANY_MODULE),
    (
        "kabi",
        &["provides"],
        "^(/boot/symvers-.*|/lib/modules/[1-9].*/symvers)[.]gz$",
    ),
];
const SUSE_PATH: &str =
    "^((/usr)?/lib/modules/[^/]*/(.*[.]ko|vmlinux)([.](gz|xz|zst))?|/boot/vmlinux.*)$";
const ANY_MODULE: &str = ".*[.]ko([.](gz|bz2|xz|zst))?$";

/// Fedora's kmod runs in process.
const KMOD: &str = r#"%__kmod_path	^/lib/modules/.*/(modules[.]builtin|.*[.]ko([.](gz|bz2|xz|zst))?)$
%__kmod_provides()	%{lua:
	local record = io.open(rpm.expand("%{_rpmconfigdir}/stand-in.log"), "a")
	record:write("kmod.provides " .. arg[1] .. "\\n")
	record:close()
	print("stand-in(kmod.provides)\\n")
}
"#;

/// Prints a tag for each file, and records it.
const SCRIPT: &str = r#"#!/bin/sh
while read -r file; do
	echo "$1 $file" >> "${0%/*}/stand-in.log"
	echo "stand-in($1)"
done
"#;

/// All of them at once.
pub(super) struct StandIns {
    directory: TempDir,
    /// The rpm that has them.
    pub(super) rpm: Rpm,
}

impl StandIns {
    /// A copy of what an rpm is configured with, and they in it.
    pub(super) fn new(rpm: &Rpm) -> Result<StandIns> {
        let directory = tempfile::tempdir()?;
        let rpm = rpm.with_copied_config(&directory.path().join("rpm"))?;
        let stand_ins = StandIns { directory, rpm };
        stand_ins.script("stand-in", SCRIPT)?;
        for (attr, kinds, path) in EXTERNAL {
            let mut text = format!("%__{attr}_path\t{path}\n");
            for kind in kinds {
                let command = format!("%{{_rpmconfigdir}}/stand-in {attr}.{kind} %name");
                text += &format!("%__{attr}_{kind}\t{command}\n");
            }
            fs::write(stand_ins.attr(attr), text)?;
        }
        fs::write(stand_ins.attr("kmod"), KMOD)?;
        Ok(stand_ins)
    }

    /// Puts a script into rpm's configuration.
    pub(super) fn script(&self, name: &str, text: &str) -> Result<()> {
        let path = self.config().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// An attr file of rpm's configuration.
    pub(super) fn attr(&self, name: &str) -> PathBuf {
        self.config().join("fileattrs").join(format!("{name}.attr"))
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("rpm")
    }

    /// The command of a package's own that records its calls as `own` and prints `stand-in(own)`.
    pub(super) fn own(&self) -> String {
        "%{_rpmconfigdir}/stand-in own".to_owned()
    }

    /// What was called since the last time, on which of the files, which are paths in a package.
    pub(super) fn calls<'f>(&self, files: &[&'f str]) -> Result<Vec<(String, &'f str)>> {
        let record = self.config().join("stand-in.log");
        if !record.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(&record)?;
        fs::remove_file(&record)?;
        let call = |line: &str| {
            let (name, path) = line.split_once(' ').context("no path")?;
            let file = files.iter().filter(|file| path.ends_with(**file));
            let file = file.max_by_key(|file| file.len());
            let file = file.with_context(|| format!("{path} is no file of the package"))?;
            Ok((name.to_owned(), *file))
        };
        let mut calls = text.lines().map(call).collect::<Result<Vec<_>>>()?;
        calls.sort();
        Ok(calls)
    }

    /// Takes our takeover away, to see what the stand-ins would do.
    pub(super) fn without_takeover(&self) -> Result<()> {
        let path: &Path = &self.attr("zz_kmpkit");
        fs::remove_file(path).with_context(|| path.display().to_string())
    }
}
