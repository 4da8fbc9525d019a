//! Reads a list of modules, such as mod-extra.list and mod-internal.list of Fedora's kernel.

use crate::error::{Error, Problem};
use crate::file_line::LineIndex;
use crate::list_lines::list_lines;
use crate::selector::Selector;

/// Reads one module a line, a name or a path, with or without `.ko`.
pub(crate) fn modules_list(text: &str, lines: &LineIndex) -> Result<Vec<Selector>, Error> {
    let mut members = Vec::new();
    for (number, line) in list_lines(text, lines) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let selector = match line.contains(char::is_whitespace) {
            true => Err(Problem::ManyWords(line.to_owned())),
            false => Selector::listed(line, number.clone()),
        };
        members.push(selector.map_err(|problem| problem.at(number))?);
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_line::PolicyFile;

    fn read(text: &str) -> Result<Vec<Selector>, Error> {
        let file = PolicyFile::Path(std::path::Path::new("extra.list").into());
        modules_list(text, &LineIndex::new(file, text))
    }

    #[test]
    fn a_list_has_a_module_a_line() {
        let text = "# extra\naer_inject.ko\n\n  cfg80211-tests # test\nkernel/fs/ufs/ufs.ko.xz\n";
        let members = read(text).unwrap();
        let members: Vec<_> = members
            .iter()
            .map(|module| (module.line().to_string(), module.text()))
            .collect();
        let expected = [
            ("2", "aer_inject.ko"),
            ("4", "cfg80211-tests"),
            ("5", "kernel/fs/ufs/ufs.ko.xz"),
        ]
        .map(|(line, text)| (format!("extra.list:{line}"), text));
        assert_eq!(members, expected);
        let expected = r#"extra.list:2: "b c" has several words: write one module a line"#;
        assert_eq!(read("a\nb c\n").unwrap_err().to_string(), expected);
    }
}
