//! Decides which tool makes the initrds of a root.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The script that packages run after a transaction where suse-module-tools is installed.
const SUSE: &str = "usr/lib/module-init-tools/regenerate-initrd-posttrans";
const KERNEL_INSTALL: [&str; 2] = ["usr/bin/kernel-install", "bin/kernel-install"];
const DRACUT: [&str; 3] = ["usr/bin/dracut", "usr/sbin/dracut", "sbin/dracut"];

/// Files that say that an image is being built, which gets its initrds at the end: our own, that of
/// the build service and of mock, and that of kiwi.
const IMAGE_BUILDS: [&str; 3] = ["etc/kmpkit/no-initrd", ".buildenv", "image/config.xml"];

/// The tool that makes initrds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InitrdMaker {
    /// suse-module-tools, by a script that looks for flags.
    SuseModuleTools {
        /// The script.
        script: PathBuf,
        /// What flags it looks for.
        flags: FlagNames,
    },
    /// systemd's kernel-install.
    KernelInstall {
        /// The program.
        program: PathBuf,
        /// dracut, for systems where kernel-install is installed but not in charge.
        dracut: Option<PathBuf>,
    },
    /// dracut itself.
    Dracut(PathBuf),
}

/// What the flags of suse-module-tools are named like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlagNames {
    /// `<release>`.
    Releases,
    /// `<image>-<release>`.
    Images,
}

impl InitrdMaker {
    /// The first one that is installed; none while an image is being built.
    ///
    /// # Errors
    /// The script of suse-module-tools cannot be read.
    pub(super) fn of(root: &Path, bypass: Option<&OsStr>) -> Result<Option<Self>> {
        if let Some(sign) = image_build(root, bypass) {
            log::info!("no initrd is made: {sign}");
            return Ok(None);
        }
        if let Some(script) = program(root, &[SUSE]) {
            let flags = FlagNames::of(&script)?;
            return Ok(Some(Self::SuseModuleTools { script, flags }));
        }
        let dracut = program(root, &DRACUT);
        let owner = match program(root, &KERNEL_INSTALL) {
            Some(program) => Some(Self::KernelInstall { program, dracut }),
            None => dracut.map(Self::Dracut),
        };
        if owner.is_none() {
            log::info!("no initrd is made: no tool for it is installed");
        }
        Ok(owner)
    }
}

impl FlagNames {
    /// Only the script itself shows it. A version that knows images alone would take a release for an
    /// image, and what follows its first dash for a release. A version that knows releases alone finds
    /// no kernel by the name of an image.
    fn of(script: &Path) -> Result<Self> {
        let text = fs::read(script).with_context(|| script.display().to_string())?;
        Ok(match String::from_utf8_lossy(&text).contains("image#*-") {
            true => Self::Images,
            false => Self::Releases,
        })
    }
}

/// What says that an image is being built.
fn image_build(root: &Path, bypass: Option<&OsStr>) -> Option<String> {
    if bypass.is_some_and(is_true) {
        return Some("KERNEL_INSTALL_BYPASS is set".to_owned());
    }
    let mut paths = IMAGE_BUILDS.iter().map(|sign| root.join(sign));
    let sign = paths.find(|path| path.symlink_metadata().is_ok())?;
    Some(format!("there is {}", sign.display()))
}

/// Whether a variable means yes to systemd (systemd/src/basic/parse-util.c, `parse_boolean`).
fn is_true(value: &OsStr) -> bool {
    let value = value.to_string_lossy().to_ascii_lowercase();
    ["1", "yes", "y", "true", "t", "on"].contains(&value.as_str())
}

/// The first of these that is a program.
fn program(root: &Path, paths: &[&str]) -> Option<PathBuf> {
    let mut paths = paths.iter().map(|path| root.join(path));
    paths.find(|path| {
        let meta = path.metadata();
        meta.is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, path: &str, text: &str, mode: u32) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn owner(root: &Path) -> Option<InitrdMaker> {
        InitrdMaker::of(root, None).unwrap()
    }

    #[test]
    fn tools_count_in_this_order() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(owner(root), None);
        put(root, "usr/bin/dracut", "", 0o644);
        assert_eq!(owner(root), None);
        put(root, "usr/sbin/dracut", "", 0o755);
        let dracut = root.join("usr/sbin/dracut");
        assert_eq!(owner(root), Some(InitrdMaker::Dracut(dracut.clone())));
        put(root, "usr/bin/kernel-install", "", 0o755);
        let program = root.join("usr/bin/kernel-install");
        let dracut = Some(dracut);
        assert_eq!(
            owner(root),
            Some(InitrdMaker::KernelInstall { program, dracut })
        );
        put(root, SUSE, "", 0o755);
        let script = root.join(SUSE);
        let flags = FlagNames::Releases;
        assert_eq!(
            owner(root),
            Some(InitrdMaker::SuseModuleTools { script, flags })
        );
    }

    #[test]
    fn flags_are_those_the_script_reads() {
        let root = tempfile::tempdir().unwrap();
        for (line, wanted) in [
            ("kver=${image#*-}", FlagNames::Images),
            ("initrd=initrd-${image#*-}", FlagNames::Images),
            ("kver=${f##*/}", FlagNames::Releases),
            ("vmlinuz-*) kver=${kver#*-} ;;", FlagNames::Releases),
        ] {
            put(root.path(), SUSE, line, 0o755);
            let Some(InitrdMaker::SuseModuleTools { flags, .. }) = owner(root.path()) else {
                panic!("{line}");
            };
            assert_eq!(flags, wanted, "{line}");
        }
    }

    #[test]
    fn image_builds_have_no_maker() {
        for sign in IMAGE_BUILDS {
            let root = tempfile::tempdir().unwrap();
            put(root.path(), "usr/bin/dracut", "", 0o755);
            put(root.path(), sign, "", 0o644);
            assert_eq!(owner(root.path()), None, "{sign}");
        }
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "usr/bin/dracut", "", 0o755);
        for (value, bypassed) in [("1", true), ("Yes", true), ("0", false), ("", false)] {
            let owner = InitrdMaker::of(root.path(), Some(OsStr::new(value))).unwrap();
            assert_eq!(owner.is_none(), bypassed, "{value:?}");
        }
    }
}
