//! Has initrds made by suse-module-tools: a flag for each kernel, and a script that looks for them.
//!
//! The script takes the flags and makes initrds one after another. Its exit status is that of the
//! last one, or always 0. It succeeds and leaves the flags where dracut is missing or somebody is to
//! make the initrds later, and it succeeds and takes them where there is no /etc/fstab
//! (suse-module-tools/regenerate-initrd-posttrans, dracut-posttrans). So what it made is seen by the
//! files it left.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::command::ran;
use super::initrd_files::InitrdFiles;
use super::kernel::image_in_boot;
use super::maker::FlagNames;
use super::record::DueInitrd;
use crate::trigger::outcome::Outcome;

/// Where suse-module-tools looks for flags.
const FLAGS: &str = "run/regenerate-initrd";
/// Without it, the script takes a root for an image that is being built.
const FSTAB: &str = "etc/fstab";

/// Has initrds made, and records them; says of each how far it got.
pub(super) fn make(
    script: &Path,
    names: FlagNames,
    root: &Path,
    all: &[DueInitrd],
) -> Vec<Outcome> {
    let files = |due: &DueInitrd| InitrdFiles::of(root, &due.kernel);
    let before: Vec<_> = all.iter().map(files).collect();
    let flags = all
        .iter()
        .map(|due| flag(root, names, &due.kernel.release))
        .collect::<Vec<_>>();
    let ran = leave(&root.join(FLAGS), &flags).and_then(|()| ran(&mut Command::new(script)));
    let made: Vec<_> = all
        .iter()
        .zip(&before)
        .map(|(due, before)| files(due).has_new(before))
        .collect();
    // If it failed and seems to have made all, nobody knows which one it failed for.
    let tells = ran.is_ok() || made.contains(&false);
    let is_image = !root.join(FSTAB).exists();
    let later = |flag: &Path| is_image || flag.symlink_metadata().is_ok();
    let outcome = |((due, made), flag): ((&DueInitrd, bool), &PathBuf)| match &ran {
        _ if made && tells => due.recorded(),
        Err(error) => due.failed(error),
        Ok(ran) if !ran || later(flag) => {
            log::info!("{}: {} made no initrd", due.name(), script.display());
            Outcome::Later
        }
        Ok(_) => {
            let error = anyhow!("{} took its flag and made none", script.display());
            due.failed(&error)
        }
    };
    all.iter().zip(made).zip(&flags).map(outcome).collect()
}

fn flag(root: &Path, names: FlagNames, release: &str) -> PathBuf {
    let name = match names {
        FlagNames::Releases => release.to_owned(),
        // Without an image in /boot the script complains itself, whatever the image's name.
        FlagNames::Images => {
            let image = image_in_boot(root, release).map_or("vmlinuz", |(name, _)| name);
            format!("{image}-{release}")
        }
    };
    root.join(FLAGS).join(name)
}

fn leave(directory: &Path, flags: &[PathBuf]) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for flag in flags {
        match File::create_new(flag) {
            // Somebody else has left it; it is not opened, for it may be a link.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => drop(created.with_context(|| flag.display().to_string())?),
        }
    }
    Ok(())
}
