//! Reads from a System.map which symbols the kernel image exports.

/// The names of exports: symbols named `__ksymtab_<name>`. Lines of other symbols are passed over.
///
/// Distributions may install a System.map without symbols, as Debian does.
pub fn exports_of_system_map(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let symbol = line.splitn(3, |&byte| byte == b' ').nth(2)?;
        let name = symbol.strip_prefix(b"__ksymtab_")?;
        (!name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ksymtab_entries_are_exports() {
        let map = b"ffffffff81000000 T _text\nffffffff82000000 r __ksymtab_a\n\
            ffffffff82000001 r __ksymtab_\nodd\nffffffff82000002 R __ksymtab_b\n";
        let names: Vec<_> = exports_of_system_map(map).collect();
        assert_eq!(names, [&b"a"[..], b"b"]);
    }
}
