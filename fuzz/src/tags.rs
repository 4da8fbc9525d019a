//! Checks that tags are what rpm takes for one tag a line.

use deptag::TagSet;

/// Checks all tags of a file.
///
/// # Panics
/// A tag could be another one, or several, or anything but a tag.
pub fn check_tags(tags: TagSet<'_>) {
    let mut last: &[u8] = &[];
    for tag in tags.iter() {
        let shown = || String::from_utf8_lossy(tag);
        let is_plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        assert!(tag.iter().all(is_plain), "{:?} has odd bytes", shown());
        assert!(is_tag(tag) || is_choice(tag), "{:?} is no tag", shown());
        assert!(last < tag, "{:?} is not in order, or twice", shown());
        last = tag;
    }
}

/// A name, perhaps with a version.
fn is_tag(tag: &[u8]) -> bool {
    let words: Vec<_> = tag.split(|&byte| byte == b' ').collect();
    match words.as_slice() {
        [name] => is_name(name),
        [name, b"=", version] => is_name(name) && is_version(version),
        _ => false,
    }
}

/// One of several tags: `(a or b)`.
fn is_choice(tag: &[u8]) -> bool {
    let inner = tag
        .strip_prefix(b"(")
        .and_then(|tag| tag.strip_suffix(b")"));
    let Some(inner) = inner.and_then(|inner| std::str::from_utf8(inner).ok()) else {
        return false;
    };
    let mut parts = inner.split(" or ").map(str::as_bytes);
    parts.clone().count() > 1 && parts.all(is_tag)
}

/// A word, or one with something in parentheses.
fn is_name(word: &[u8]) -> bool {
    let begins_well = word.first().is_some_and(u8::is_ascii_alphabetic);
    let count = |wanted| word.iter().filter(|&&byte| byte == wanted).count();
    let is_separator = |byte: &u8| b",;".contains(byte);
    let is_closed = match (count(b'('), count(b')')) {
        (0, 0) => true,
        (1, 1) => word.ends_with(b")"),
        _ => false,
    };
    begins_well && is_closed && !word.iter().any(is_separator)
}

fn is_version(word: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+~^-".contains(byte);
    !word.is_empty() && word.iter().all(fits)
}
