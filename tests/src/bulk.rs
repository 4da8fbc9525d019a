//! Turns the small modules of a kernel into as many packages, in two versions.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::kmps::Kmp;
use crate::scene::Scene;

/// Packages of one module each; one has in its second version what the next has in its first.
pub struct Bulk {
    /// Names.
    pub names: Vec<String>,
    /// What is installed.
    pub first: Vec<PathBuf>,
    /// What that is updated to.
    pub second: Vec<PathBuf>,
}

impl Bulk {
    /// How many there are.
    pub const COUNT: usize = 300;

    /// Builds them, with modules below the directory of a release.
    pub fn build(scene: &Scene, directory: &str) -> Result<Bulk> {
        let mut modules = scene.kernel.modules()?;
        // What is asked is not how fast files are copied.
        modules.sort_by_key(|path| path.metadata().map(|meta| meta.len()).unwrap_or(u64::MAX));
        modules.truncate(Self::COUNT);
        ensure!(modules.len() == Self::COUNT);
        let packages = |version: u32| -> Result<Vec<Kmp>> {
            let contents = modules.iter().cycle().skip(usize::from(version > 1));
            let pairs = modules.iter().zip(contents);
            let mut kmps = pairs
                .map(|(module, content)| {
                    let file = module.file_name().and_then(|name| name.to_str());
                    let file = file.context("no name")?;
                    let name = file.split('.').next().unwrap_or(file);
                    let path = format!("/{directory}/kernel/{file}");
                    Ok(Kmp::new(&format!("{name}-kmp"), version, &path, content))
                })
                .collect::<Result<Vec<_>>>()?;
            // One of them is the kernel, too.
            if let Some(kmp) = kmps.first_mut() {
                kmp.files.extend(scene.lists(directory));
            }
            Ok(kmps)
        };
        let first = packages(1)?;
        Ok(Bulk {
            names: first.iter().map(|kmp| kmp.name.clone()).collect(),
            first: scene.build(&first)?,
            second: scene.build(&packages(2)?)?,
        })
    }

    /// What installs the first version, where a name and this after it name a package of it.
    pub fn of_first(&self, version: &str) -> Vec<String> {
        let named = self.names.iter().map(|name| format!("{name}{version}"));
        named.collect()
    }
}
