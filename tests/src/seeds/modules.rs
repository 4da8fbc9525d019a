//! Seeds of what is binary: modules, kernel images, indexes, stores.

use std::fs;

use anyhow::{Context, Result};
use kmpkit_fixtures::boot::bzimage;
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Ksymtab, RELEASE, Stripped, Versions};
use kmpkit_fixtures::pack::{FORMATS, Packing, pack, suffix};

use super::{Seeds, SmallTree, file_name, read};
use crate::kernel::walk;
use crate::tools::{run, tool};

/// The targets that read modules.
const READERS: [&str; 3] = ["module", "kmod_module", "loader"];

impl Seeds<'_> {
    /// Modules as they are, stripped and compressed, and made ones of other architectures and ages.
    pub(super) fn modules(&self, small: &SmallTree) -> Result<()> {
        for path in &small.modules {
            let name = file_name(path);
            self.add_all(&READERS, &name, &read(path)?)?;
            let stripped = small.root.join(&name);
            run(tool("strip")?.arg("--strip-unneeded").arg("-o").arg(&stripped).arg(path))?;
            self.add_all(&READERS, &format!("{name}.stripped"), &read(&stripped)?)?;
        }
        for (at, fixture) in fixtures().enumerate() {
            self.add_all(&READERS, &format!("made-{at}.ko"), &fixture.build())?;
        }
        let smallest = read(small.modules.first().context("no module")?)?;
        for format in FORMATS {
            let name = format!("packed.ko.{}", suffix(format));
            self.add_all(&READERS, &name, &pack(format, &smallest))?;
        }
        Ok(())
    }

    /// Kernel images, which are made: real ones are too large.
    pub(super) fn images(&self) -> Result<()> {
        let linked = |fixture: Fixture| fixture.linked(object::elf::ET_EXEC).build();
        for (at, fixture) in Fixture::architectures().enumerate() {
            self.add("kernel_image", &format!("vmlinux-{at}"), &linked(fixture))?;
        }
        let vmlinux = linked(Fixture::new(true, object::Endianness::Little));
        for format in FORMATS.into_iter().chain([Packing::Lzma]) {
            let image = bzimage(&vmlinux, format, RELEASE);
            self.add("kernel_image", &format!("bzImage.{}", suffix(format)), &image)?;
            let name = format!("vmlinux.{}", suffix(format));
            self.add("kernel_image", &name, &pack(format, &vmlinux))?;
        }
        Ok(())
    }

    /// The indexes kmod made.
    pub(super) fn indexes(&self, small: &SmallTree) -> Result<()> {
        let mut files = Vec::new();
        walk(&small.directory, &mut files)?;
        let indexes = files.iter().filter(|path| path.extension().is_some_and(|end| end == "bin"));
        for path in indexes {
            self.add_file("index_read", path)?;
        }
        for name in ["modules.alias", "modules.symbols", "modules.devname"] {
            self.add_file("index_write", &small.directory.join(name))?;
        }
        Ok(())
    }
}

/// One of each architecture, and one of each way to say something.
fn fixtures() -> impl Iterator<Item = Fixture> {
    let new = || Fixture::new(true, object::Endianness::Little);
    let crcs = [CrcForm::Absolute, CrcForm::AbsoluteLong, CrcForm::Rodata, CrcForm::None];
    let crcs = crcs.map(|crcs| Fixture { crcs, ..new() });
    let versions = [Versions::None, Versions::Extended, Versions::Both];
    let versions = versions.map(|versions| Fixture { versions, ..new() });
    let stripped = [Stripped::Unneeded, Stripped::ToSectionSymbols, Stripped::SymbolTable];
    let stripped = stripped.map(|stripped| Fixture { stripped, ..new() });
    let others = [
        Fixture { ksymtab: Ksymtab::Pointers, ..new() },
        Fixture { kflagstab: true, ..new() },
        Fixture { wide_indexes: true, ..new() },
        Fixture { dotted: true, ..new() },
    ];
    Fixture::architectures().chain(crcs).chain(versions).chain(stripped).chain(others)
}
