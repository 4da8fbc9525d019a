//! The exports of a kernel: which file says so, and that all of them say the same.

use std::path::PathBuf;

use kmodule::KernelImage;
use kmpkit_fixtures::fixture::{Fixture, NAMESPACE};
use loader::{KernelExport, KernelExportFiles, KernelExportSource, KernelExports};
use object::Endianness;
use object::elf::ET_EXEC;

struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn listed(exports: &KernelExports) -> Vec<(String, KernelExport)> {
    let text = |name: &[u8]| String::from_utf8(name.to_vec()).unwrap();
    let mut listed: Vec<_> = exports
        .iter()
        .map(|(name, export)| (text(name), export.clone()))
        .collect();
    listed.sort_by(|(one, _), (other, _)| one.cmp(other));
    listed
}

#[test]
fn symvers_then_image_then_system_map() {
    let files = Files {
        directory: tempfile::tempdir().unwrap(),
    };
    let fixture = Fixture::new(true, Endianness::Little).linked(ET_EXEC);
    let lines = fixture.exports.iter().map(|(name, crc, gpl)| {
        let kind = if *gpl {
            "EXPORT_SYMBOL_GPL"
        } else {
            "EXPORT_SYMBOL"
        };
        format!(
            "0x{:08x}\t{name}\tvmlinux\t{kind}\t{NAMESPACE}\n",
            crc.unwrap()
        )
    });
    let other = "0x00000009\tother\tdrivers/a\tEXPORT_SYMBOL\t\n".to_owned();
    let symvers: String = lines.chain([other]).collect();
    let map: String = fixture
        .exports
        .iter()
        .map(|(name, ..)| format!("ffffffff82000000 r __ksymtab_{name}\n"))
        .collect();
    let symvers = files.write("Module.symvers", symvers.as_bytes());
    let image = files.write("vmlinux", &fixture.build());
    let system_map = files.write("System.map", map.as_bytes());

    let read = |symvers, image, system_map| {
        KernelExports::read(&KernelExportFiles {
            symvers,
            image,
            system_map,
        })
        .unwrap()
    };
    let all = [Some(&*symvers), Some(&*image), Some(&*system_map)];
    let by_symvers = read(all[0], all[1], all[2]).unwrap();
    let by_image = read(None, all[1], all[2]).unwrap();
    let by_map = read(None, None, all[2]).unwrap();
    assert_eq!(by_symvers.source(), KernelExportSource::Symvers);
    assert_eq!(by_image.source(), KernelExportSource::Image);
    assert_eq!(by_map.source(), KernelExportSource::SystemMap);
    assert!(read(None, None, None).is_none());

    assert_eq!(listed(&by_symvers), listed(&by_image));
    assert_eq!(by_symvers.get(b"other"), None);
    let alpha = KernelExport {
        crc: Some(0x00ba_dc0d),
        namespace: Some(NAMESPACE.as_bytes().into()),
        gpl_only: false,
    };
    assert_eq!(by_image.get(b"alpha"), Some(&alpha));
    assert!(by_image.get(b"bravo_gpl").unwrap().gpl_only);
    let names = |exports: &KernelExports| -> Vec<String> {
        listed(exports).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(&by_map), names(&by_image));
    assert!(by_image.has_modversions() && !by_map.has_modversions());
}

#[test]
fn errors_name_the_file() {
    let files = Files {
        directory: tempfile::tempdir().unwrap(),
    };
    let missing = files.directory.path().join("System.map");
    let error = KernelExports::read(&KernelExportFiles {
        system_map: Some(&missing),
        ..KernelExportFiles::default()
    });
    let message = error.unwrap_err().to_string();
    assert!(
        message.starts_with(&missing.display().to_string()),
        "{message}"
    );
    let path = files.write("vmlinux", b"MZ");
    assert!(KernelImage::open(&path).is_err());
}
