//! Writes the parts of the page that need no script. All text is escaped.

use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;

use super::page_data::{PageData, PagePackage};

/// Returns JSON for a script element. The text of such an element ends at the first `</script` and
/// has no escapes (HTML standard, "Restrictions for contents of script elements").
pub fn json(data: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(data)?.replace('<', "\\u003c"))
}

/// Escapes text for an element or for an attribute in double quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// The list of terms that describes the kernel.
pub fn facts(data: &PageData<'_>) -> String {
    let in_image: usize = data
        .packages
        .iter()
        .filter(|one| one.image)
        .map(|one| one.modules.len())
        .sum();
    let excluded = data
        .modules
        .iter()
        .filter(|module| module.package.is_none())
        .count();
    let facts = [
        ("modules", data.modules.len().to_string()),
        ("in all", size(data.bytes())),
        (
            "packages",
            data.packages
                .iter()
                .filter(|one| !one.image)
                .count()
                .to_string(),
        ),
        ("in the image", in_image.to_string()),
        ("excluded", excluded.to_string()),
        ("flavor", data.flavor.to_owned()),
        ("grouping", data.grouping.to_owned()),
        ("version", data.evr.to_owned()),
        ("kABI", data.kabi.to_owned()),
    ];
    let line = |(term, value): (&str, String)| {
        format!("<div><dt>{term}</dt><dd>{}</dd></div>\n", escape(&value))
    };
    facts.into_iter().map(line).collect()
}

/// The rows of the table of packages, the largest package first.
pub fn packages(data: &PageData<'_>) -> String {
    let mut users = vec![0_usize; data.packages.len()];
    for &needed in data.packages.iter().flat_map(|package| &package.needs) {
        if let Some(count) = users.get_mut(needed) {
            *count += 1;
        }
    }
    let mut rows: Vec<_> = data.packages.iter().zip(users).collect();
    rows.sort_by(|(a, _), (b, _)| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(b.name)));
    rows.into_iter()
        .map(|(package, users)| row(data, package, users))
        .collect()
}

fn row(data: &PageData<'_>, package: &PagePackage<'_>, users: usize) -> String {
    let modules = package
        .modules
        .iter()
        .filter_map(|&index| data.modules.get(index));
    let modules: Vec<_> = modules.map(|module| module.name).collect();
    let name = escape(package.name);
    let mut out = String::from("<tr>");
    let _ = write!(
        out,
        "<td><a href=\"#package={}\">{name}</a></td>",
        encode(package.name)
    );
    let _ = write!(
        out,
        "<td data-value=\"{}\">{}</td>",
        package.bytes,
        size(package.bytes)
    );
    let _ = write!(out, "<td>{}</td>", escape(package.part));
    for count in [modules.len(), package.needs.len(), users] {
        let _ = write!(out, "<td data-value=\"{count}\">{count}</td>");
    }
    let _ = writeln!(
        out,
        "<td class=\"long\">{}</td></tr>",
        escape(&modules.join(" "))
    );
    out
}

/// A number of bytes for people, in the form that dom.js uses, too.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    match bytes {
        0..MIB => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / MIB as f64),
    }
}

/// Escapes a value in the fragment of a URL.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match plain(byte) {
            true => out.push(char::from(byte)),
            false => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_its_element() {
        let text = "</script><!--\"'&\u{0}";
        let json = json(&text).unwrap();
        assert!(!json.contains('<') && !json.contains('\u{0}'), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert_eq!(escape("<a b=\"&\">"), "&lt;a b=&quot;&amp;&quot;&gt;");
        assert_eq!(encode("a+b \"<é"), "a%2Bb%20%22%3C%C3%A9");
    }

    #[test]
    fn sizes_to_read() {
        assert_eq!(size(0), "0 KiB");
        assert_eq!(size(1), "1 KiB");
        assert_eq!(size((1 << 20) - 1), "1024 KiB");
        assert_eq!(size(3 << 19), "1.5 MiB");
    }
}
