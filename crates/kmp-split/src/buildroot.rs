//! Changes a buildroot for its packages, if it may be changed.
//!
//! Changes are the removal of excluded modules, the list of modules for initrds, and empty files in
//! place of the indexes that depmod will make. rpm wants the last two to exist, and would complain of
//! files that are in no package.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use kmodule::Kernelrelease;

/// A buildroot, and whether its files may be changed.
#[derive(Clone, Copy, Debug)]
pub struct Buildroot<'b> {
    /// The directory.
    pub path: &'b Path,
    /// The buildroot of the rpmbuild that runs now. Files of any other directory belong to somebody.
    pub of_rpmbuild: Option<&'b Path>,
    /// Whether the user wants changes in any buildroot.
    pub forced: bool,
}

/// What will be changed. Nothing has been changed yet.
#[derive(Debug, Default)]
pub struct Changes {
    removed: Vec<PathBuf>,
    written: Vec<(PathBuf, String)>,
}

impl Changes {
    /// Wants a file removed.
    pub fn remove(&mut self, path: PathBuf) {
        self.removed.push(path);
    }

    /// Wants a file with this text. What is there may be a link, to which nothing is written.
    pub fn replace(&mut self, path: PathBuf, text: String) {
        let is_file = path.symlink_metadata().is_ok_and(|file| file.is_file());
        if is_file && fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            return;
        }
        if is_there(&path) {
            self.removed.push(path.clone());
        }
        self.written.push((path, text));
    }

    /// Wants an empty file, unless something has its name.
    pub fn fill_in(&mut self, path: PathBuf) {
        if !is_there(&path) {
            self.written.push((path, String::new()));
        }
    }

    /// Makes the changes in the module directory `modules` of a buildroot.
    ///
    /// # Errors
    /// The buildroot is not one, or must not be changed, or a change fails.
    pub fn apply(
        &self,
        buildroot: &Buildroot<'_>,
        modules: &Path,
        release: &Kernelrelease,
    ) -> Result<()> {
        buildroot.refuse_systems(modules, release)?;
        if self.removed.is_empty() && self.written.is_empty() {
            return Ok(());
        }
        if !buildroot.may_change() {
            bail!(self.refusal(buildroot.path, modules));
        }
        for path in &self.removed {
            must_be_inside(path, modules)?;
            fs::remove_file(path).with_context(|| path.display().to_string())?;
        }
        for (path, text) in &self.written {
            let file = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
            file.with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    fn refusal(&self, buildroot: &Path, modules: &Path) -> String {
        let some = |paths: Vec<&PathBuf>| {
            const SHOWN: usize = 5;
            let names = paths.iter().take(SHOWN).map(|path| {
                let below = path.strip_prefix(modules).unwrap_or(path);
                below.display().to_string()
            });
            let names = names.collect::<Vec<_>>().join(", ");
            match paths.len().saturating_sub(SHOWN) {
                0 => names,
                more => format!("{names} and {more} more"),
            }
        };
        let written: Vec<_> = self.written.iter().map(|(path, _)| path).collect();
        let removed = self.removed.iter();
        let removed: Vec<_> = removed.filter(|path| !written.contains(path)).collect();
        let mut would = Vec::new();
        if !removed.is_empty() {
            would.push(format!("remove {}", some(removed)));
        }
        if !written.is_empty() {
            would.push(format!("write {}", some(written)));
        }
        format!(
            "{}: rpmbuild does not run on this directory, so nothing was changed; lists would {} in {}; \
             plan shows the packages and changes nothing; give --force if the directory is a copy",
            buildroot.display(),
            would.join(" and "),
            modules.display()
        )
    }
}

impl Buildroot<'_> {
    fn may_change(&self) -> bool {
        let of_rpmbuild = self.of_rpmbuild.map(identity);
        let is_of_rpmbuild = match of_rpmbuild {
            Some(Ok(of_rpmbuild)) => identity(self.path).is_ok_and(|this| this == of_rpmbuild),
            Some(Err(_)) | None => false,
        };
        self.forced || is_of_rpmbuild
    }

    /// Refuses a buildroot whose modules are those of the system, and modules that lie outside of the
    /// buildroot, behind a link.
    fn refuse_systems(&self, modules: &Path, release: &Kernelrelease) -> Result<()> {
        let system = ["/lib/modules", "/usr/lib/modules"];
        let system = system.map(|parent| Path::new(parent).join(release.as_str()));
        let this = identity(modules).with_context(|| modules.display().to_string())?;
        let is_system = |path: &PathBuf| identity(path).is_ok_and(|system| system == this);
        ensure!(
            identity(self.path).ok() != identity(Path::new("/")).ok()
                && !system.iter().any(is_system),
            "{}: these are the modules of this system, not a buildroot: give a copy of them",
            modules.display()
        );
        must_be_inside(&modules.join("modules.dep"), self.path)
    }
}

/// Checks that the directory of a file is in another one, whatever links lead there.
fn must_be_inside(file: &Path, directory: &Path) -> Result<()> {
    let parent = file.parent().unwrap_or(file);
    let real = |path: &Path| {
        path.canonicalize()
            .with_context(|| path.display().to_string())
    };
    let (inside, outside) = (real(parent)?, real(directory)?);
    ensure!(
        inside.starts_with(&outside),
        "{}: a link leads to {}, which is outside of {}: replace it by a directory",
        parent.display(),
        inside.display(),
        outside.display()
    );
    Ok(())
}

/// What tells a directory apart by whatever path it is reached, also where it is mounted twice.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = path.metadata()?;
    Ok((file.dev(), file.ino()))
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_refused_whatever_the_user_wants() {
        let release = Kernelrelease::try_from(b"6.1.0-50-amd64".as_slice()).unwrap();
        for path in ["/", "/usr/.."] {
            let path = Path::new(path);
            let buildroot = Buildroot {
                path,
                of_rpmbuild: Some(path),
                forced: true,
            };
            let refused = Changes::default().apply(&buildroot, Path::new("/usr"), &release);
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("the modules of this system"), "{refused}");
        }
    }
}
