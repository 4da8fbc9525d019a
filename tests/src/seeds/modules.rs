//! Seeds of what is binary: modules, kernel images, indexes, stores.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use depmod::{Settings, Update};
use facts::{FactsHome, LoaderFacts, LoaderFile, LoaderStore, STORE_NAME};
use kmpkit_fixtures::boot::bzimage;
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Ksymtab, RELEASE, Stripped, Versions};
use kmpkit_fixtures::pack::{FORMATS, Packing, pack, pack_in_frames, suffix};
use kmpkit_fixtures::signature::signed;

use super::{Seeds, SmallTree, file_name, read};
use crate::kernel::walk;
use crate::tools::{run, tool};

/// A header of BTF, `int` of four bytes, and its name (linux/include/uapi/linux/btf.h).
const KERNEL_TYPES: &[u8] = b"\x9f\xeb\x01\0\x18\0\0\0\0\0\0\0\x10\0\0\0\x10\0\0\0\x05\0\0\0\
    \x01\0\0\0\0\0\0\x01\x04\0\0\0\x20\0\0\x01\0int\0";

/// The targets that read modules.
const READERS: [&str; 3] = ["kmod_module", "loader", "module"];

impl Seeds<'_> {
    /// Modules as they are, stripped and compressed, and made ones of other architectures and ages.
    pub(super) fn modules(&self, small: &SmallTree) -> Result<()> {
        for path in &small.modules {
            let name = file_name(path);
            self.add_all(&READERS, &name, &read(path)?)?;
            let stripped = small.root.join(&name);
            run(tool("strip")?
                .arg("--strip-unneeded")
                .arg("-o")
                .arg(&stripped)
                .arg(path))?;
            self.add_all(&READERS, &format!("{name}.stripped"), &read(&stripped)?)?;
        }
        for (at, fixture) in fixtures().enumerate() {
            self.add_all(&READERS, &format!("made-{at}.ko"), &fixture.build())?;
        }
        self.signed()?;
        self.types(small)?;
        let smallest = read(small.modules.first().context("no module")?)?;
        for format in FORMATS {
            let name = format!("packed.ko.{}", suffix(format));
            let packed = pack(format, &smallest);
            self.add_all(&READERS, &name, &packed)?;
            self.add("compressed", &name, &packed)?;
            let frames = pack_in_frames(format, b"small");
            self.add("compressed", &format!("frames.{}", suffix(format)), &frames)?;
        }
        Ok(())
    }

    /// A module with a signature that is none; real ones, which small modules have, are whole.
    fn signed(&self) -> Result<()> {
        let module = Fixture::new(true, object::Endianness::Little).build();
        self.add_all(&READERS, "signed.ko", &signed(&module, 32))
    }

    /// Types of a kernel that knows an int, and of real modules.
    fn types(&self, small: &SmallTree) -> Result<()> {
        for path in &small.modules {
            let section = small.root.join("types");
            run(tool("objcopy")?
                .args(["-O", "binary", "--only-section=.BTF"])
                .args([path, &section]))?;
            let length = (KERNEL_TYPES.len() as u16).to_le_bytes();
            let both = [&length[..], KERNEL_TYPES, &read(&section)?].concat();
            self.add("btf", &file_name(path), &both)?;
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
            self.add(
                "kernel_image",
                &format!("bzImage.{}", suffix(format)),
                &image,
            )?;
            let name = format!("vmlinux.{}", suffix(format));
            self.add("kernel_image", &name, &pack(format, &vmlinux))?;
        }
        Ok(())
    }

    /// The stores of our depmod: of the small tree, and of one that it had a module less in.
    pub(super) fn stores(&self, small: &SmallTree) -> Result<()> {
        let directory = &small.directory;
        let release = file_name(directory);
        // Facts are kept of files that are older than the grain of their clock.
        std::thread::sleep(Duration::from_millis(50));
        self.loader_store(small)?;
        for (name, removed) in [("whole", None), ("less", small.modules.last())] {
            if let Some(module) = removed {
                fs::remove_file(module)?;
            }
            let settings = Settings {
                release: release.clone(),
                directory: directory.clone(),
                config: Some(Vec::new()),
                ..Settings::default()
            };
            let home = FactsHome::at(&small.root.join("facts"));
            let update = Update {
                settings: &settings,
                output: directory,
                home: Some(&home),
                full: false,
                tell: true,
            };
            update.run(&mut |_| {})?;
            let place = home.place_of(directory).context("no place")?;
            let store = read(&place.join(STORE_NAME))?;
            self.add(
                "store",
                name,
                &parts(&store).context("a store without a head")?,
            )?;
        }
        Ok(())
    }

    /// The store of what the loader asks of them, without its checksum.
    fn loader_store(&self, small: &SmallTree) -> Result<()> {
        let files: Vec<_> = small
            .modules
            .iter()
            .map(|path| LoaderFile {
                path,
                in_store: path.as_os_str().as_encoded_bytes(),
            })
            .collect();
        let facts = LoaderFacts::gather(&LoaderStore::default(), &files);
        let store = facts.store().context("facts that are not kept")?;
        let contents = store.get(16..).context("a store without a checksum")?;
        self.add("loader_store", "small", contents)
    }

    /// The indexes kmod made.
    pub(super) fn indexes(&self, small: &SmallTree) -> Result<()> {
        let mut files = Vec::new();
        walk(&small.directory, &mut files)?;
        let indexes = files
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "bin"));
        for path in indexes {
            self.add_file("index_read", path)?;
        }
        for name in ["modules.alias", "modules.symbols", "modules.devname"] {
            self.add_file("index_write", &small.directory.join(name))?;
        }
        Ok(())
    }
}

/// The length of a store's head, then the head and the body: what the target makes a store of.
fn parts(store: &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(*store.get(12..)?.first_chunk()?);
    let length = u16::try_from(length).ok()?.to_le_bytes();
    Some([&length[..], store.get(28..)?].concat())
}

/// One of each architecture, and one of each way to say something.
fn fixtures() -> impl Iterator<Item = Fixture> {
    let new = || Fixture::new(true, object::Endianness::Little);
    let crcs = [
        CrcForm::Absolute,
        CrcForm::AbsoluteLong,
        CrcForm::Rodata,
        CrcForm::None,
    ];
    let crcs = crcs.map(|crcs| Fixture { crcs, ..new() });
    let versions = [Versions::None, Versions::Extended, Versions::Both];
    let versions = versions.map(|versions| Fixture { versions, ..new() });
    let stripped = [
        Stripped::Unneeded,
        Stripped::ToSectionSymbols,
        Stripped::SymbolTable,
    ];
    let stripped = stripped.map(|stripped| Fixture { stripped, ..new() });
    let others = [
        Fixture {
            ksymtab: Ksymtab::Pointers,
            ..new()
        },
        Fixture {
            kflagstab: true,
            ..new()
        },
        Fixture {
            wide_indexes: true,
            ..new()
        },
        Fixture {
            dotted: true,
            ..new()
        },
    ];
    Fixture::architectures()
        .chain(crcs)
        .chain(versions)
        .chain(stripped)
        .chain(others)
}
