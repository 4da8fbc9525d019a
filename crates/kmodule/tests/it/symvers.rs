//! symvers files in every compression, whole or an error.

use kmodule::{Error, Symvers};

use crate::common::{Files, complaint};
use kmpkit_fixtures::pack::{FORMATS, Packing, pack};

const TEXT: &str = "0x0badc0de\tusb_add\tvmlinux\tEXPORT_SYMBOL_GPL\t\n\
                    0x00000001\tscsi_cmd\tdrivers/scsi/scsi_mod\tEXPORT_SYMBOL\tSCSI\n\
                    0xffffffff\told_style\tvmlinux\tEXPORT_SYMBOL\n";

type Line = (String, u32, String);

fn lines(files: &Files, bytes: &[u8]) -> Result<Vec<Line>, Error> {
    let symvers = Symvers::open(&files.write("symvers", bytes))?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ok(symvers
        .entries()
        .map(|entry| (text(entry.name), entry.crc.unwrap_or(0), text(entry.module)))
        .collect())
}

fn expected() -> Vec<Line> {
    [
        ("usb_add", 0x0bad_c0de, "vmlinux"),
        ("scsi_cmd", 1, "drivers/scsi/scsi_mod"),
        ("old_style", 0xffff_ffff, "vmlinux"),
    ]
    .map(|(name, crc, module)| (name.to_owned(), crc, module.to_owned()))
    .to_vec()
}

#[test]
fn plain_and_every_compression() {
    let files = Files::new();
    assert_eq!(lines(&files, TEXT.as_bytes()).unwrap(), expected());
    for format in FORMATS {
        let packed = pack(format, TEXT.as_bytes());
        assert_eq!(lines(&files, &packed).unwrap(), expected(), "{format}");
    }
}

#[test]
fn crcs_of_zero_mean_no_modversions() {
    let files = Files::new();
    let zero = "0x00000000\ta\tvmlinux\tEXPORT_SYMBOL\t\n";
    let path = files.write("symvers", zero.as_bytes());
    assert!(!Symvers::open(&path).unwrap().has_modversions());
    let path = files.write("symvers", TEXT.as_bytes());
    assert!(Symvers::open(&path).unwrap().has_modversions());
}

#[test]
fn a_cut_is_an_error_unless_lines_are_whole() {
    let files = Files::new();
    let path = files.path("symvers");
    for len in 0..TEXT.len() {
        let result = lines(&files, &TEXT.as_bytes()[..len]);
        match TEXT[..len].ends_with('\n') {
            true => assert_eq!(result.unwrap(), expected()[..TEXT[..len].lines().count()]),
            false => drop(complaint(result, &path)),
        }
    }
    for format in FORMATS {
        let packed = pack(format, TEXT.as_bytes());
        for len in 0..packed.len() {
            complaint(lines(&files, &packed[..len]), &path);
        }
    }
}

#[test]
fn what_is_no_symvers_is_refused() {
    let files = Files::new();
    let path = files.path("symvers");
    for (bytes, reason) in [
        (&b""[..], "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"\x7fELF\x02\x01\x01", "line 1: the first field is no CRC"),
        (
            b"0x1ffffffff\ta\tb\tc\n",
            "line 1: the first field is no CRC",
        ),
        (
            b"0x1\ta\tvmlinux\tE\n\n0x1\tb\tvmlinux\tE\n",
            "line 2: the first field is no CRC",
        ),
    ] {
        assert_eq!(complaint(lines(&files, bytes), &path), reason);
    }
    let directory = files.path("");
    assert_eq!(
        complaint(Symvers::open(&directory).map(drop), &directory),
        "not a regular file"
    );
    let bomb = pack(Packing::Gzip, &[b'\n'; 100_000]);
    assert_eq!(complaint(lines(&files, &bomb), &path), "the file is empty");
}
