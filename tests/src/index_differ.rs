//! Turns two indexes that should be the same bytes into nothing, or into what is the first
//! difference between them.

use anyhow::{Context, Result, bail};
use kmod_index::Index;

/// Compares our bytes with theirs.
pub fn same(name: &str, ours: &[u8], theirs: &[u8]) -> Result<()> {
    if ours == theirs {
        return Ok(());
    }
    let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let what = match name.ends_with(".bin") {
        true => entries(ours, theirs).unwrap_or_else(|error| format!("{error:#}")),
        false => lines(ours, theirs),
    };
    bail!(
        "{name}: {} bytes of ours and {} of theirs differ at byte {at}: {what}",
        ours.len(),
        theirs.len()
    )
}

fn lines(ours: &[u8], theirs: &[u8]) -> String {
    let (ours, theirs) = (
        String::from_utf8_lossy(ours),
        String::from_utf8_lossy(theirs),
    );
    first(
        "line",
        ours.lines().map(str::to_owned),
        theirs.lines().map(str::to_owned),
    )
}

/// The first entry that differs; where none does, the tries are laid out in different ways.
fn entries(ours: &[u8], theirs: &[u8]) -> Result<String> {
    if ours.is_empty() || theirs.is_empty() {
        return Ok("one of them is empty".to_owned());
    }
    let read = |whose, bytes| -> Result<Vec<String>> {
        let mut entries = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let take = |key: &[u8], values: &[kmod_index::Value<'_>]| {
            let values: Vec<_> = values
                .iter()
                .map(|(n, value)| format!("{n}:{}", text(value)))
                .collect();
            entries.push(format!("{} -> {}", text(key), values.join(", ")));
        };
        Index::new(bytes)
            .and_then(|index| index.for_each(take))
            .with_context(|| format!("{whose} cannot be read"))?;
        Ok(entries)
    };
    let (ours, theirs) = (read("ours", ours)?, read("theirs", theirs)?);
    Ok(match ours == theirs {
        true => "the entries are the same, the order of the nodes is not".to_owned(),
        false => first("entry", ours.into_iter(), theirs.into_iter()),
    })
}

fn first(
    what: &str,
    mut ours: impl Iterator<Item = String>,
    mut theirs: impl Iterator<Item = String>,
) -> String {
    for number in 1.. {
        let pair = (ours.next(), theirs.next());
        match pair {
            (None, None) => break,
            (our, their) if our != their => {
                let shown = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
                return format!(
                    "{what} {number}\n  ours   {}\n  theirs {}",
                    shown(our),
                    shown(their)
                );
            }
            _ => {}
        }
    }
    format!("no {what} differs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_shown() -> Result<()> {
        same("modules.dep", b"a:\nb:\n", b"a:\nb:\n")?;
        let error = same("modules.dep", b"a:\nb: c\nd:\n", b"a:\nb:\n").err();
        let error = error.context("no error")?.to_string();
        assert!(
            error.ends_with("line 2\n  ours   b: c\n  theirs b:"),
            "{error}"
        );
        let index = |value: &'static str, layout| {
            let entry = |key: &'static str| kmod_index::Entry {
                key: key.as_bytes(),
                value: value.as_bytes(),
                priority: 3,
            };
            kmod_index::write(&[entry("k"), entry("l")], layout)
        };
        let (a, b) = (kmod_index::Layout::PreOrder, kmod_index::Layout::PostOrder);
        let error = same("x.bin", &index("m", a)?, &index("n", a)?).err();
        let error = error.context("no error")?.to_string();
        assert!(
            error.ends_with("ours   k -> 3:m\n  theirs k -> 3:n"),
            "{error}"
        );
        let error = same("x.bin", &index("m", a)?, &index("m", b)?).err();
        let error = error.context("no error")?.to_string();
        assert!(error.ends_with("the order of the nodes is not"), "{error}");
        Ok(())
    }
}
