//! Small modules that export, import and have aliases, all of one size.

const SIZE: usize = 1024;

/// Module `number`: it exports `s<number>` and imports what the next two export, and a symbol of the kernel's.
pub fn build(number: usize) -> Vec<u8> {
    let modinfo =
        format!("license=GPL\0alias=pci:v{number}*\0alias=fs-{number}\0softdep=pre: m{number}\0");
    let mut strings = b"\0".to_vec();
    let mut symbols = vec![0; 24];
    let mut symbol = |name: &str, section: u16| {
        symbols.extend((strings.len() as u32).to_le_bytes());
        symbols.extend([0x10, 0]);
        symbols.extend(section.to_le_bytes());
        symbols.extend([0; 16]);
        strings.extend(name.as_bytes());
        strings.push(0);
    };
    const ABSOLUTE: u16 = 0xfff1;
    symbol(&format!("__crc_s{number}"), ABSOLUTE);
    // The last two need each other.
    let second = if number == 7 { 6 } else { number + 2 };
    for needed in [number + 1, second] {
        symbol(&format!("s{needed}"), 0);
    }
    symbol("printk", 0);
    let sections: [(&str, u32, &[u8]); 3] = [
        (".modinfo", 1, modinfo.as_bytes()),
        (".symtab", 2, &symbols),
        (".strtab", 3, &strings),
    ];
    let mut names = b"\0.shstrtab\0".to_vec();
    let mut file = vec![0; 64];
    let mut headers = vec![0; 64];
    for (name, kind, data) in sections {
        headers.extend(header(names.len(), kind, file.len(), data.len()));
        names.extend(name.as_bytes());
        names.push(0);
        file.extend(data);
    }
    headers.extend(header(1, 3, file.len(), names.len()));
    file.extend(&names);
    let table = file.len() as u64;
    file.extend(&headers);
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16..20].copy_from_slice(&[1, 0, 62, 0]);
    file[40..48].copy_from_slice(&table.to_le_bytes());
    file[58..64].copy_from_slice(&[64, 0, 5, 0, 4, 0]);
    assert!(file.len() <= SIZE);
    file.resize(SIZE, 0);
    file
}

fn header(name: usize, kind: u32, offset: usize, size: usize) -> Vec<u8> {
    let mut header = (name as u32).to_le_bytes().to_vec();
    header.extend(kind.to_le_bytes());
    header.extend([0; 16]);
    header.extend((offset as u64).to_le_bytes());
    header.extend((size as u64).to_le_bytes());
    header.resize(64, 0);
    header
}
