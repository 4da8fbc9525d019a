//! Writes aliases in short.

/// Aliases of a module begin alike, and there are 26,000 of a kernel.
pub fn front_coded(aliases: &[String]) -> Vec<String> {
    let mut sorted: Vec<&str> = aliases.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let before = std::iter::once("").chain(sorted.iter().copied());
    let coded = before.zip(&sorted).map(|(before, alias)| {
        let equal = before
            .bytes()
            .zip(alias.bytes())
            .take_while(|(a, b)| a == b);
        // The script counts in UTF-16.
        let shared = equal.take_while(|(a, _)| a.is_ascii()).count();
        format!("{shared} {}", alias.get(shared..).unwrap_or_default())
    });
    coded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_share_their_heads() {
        let aliases = ["pci:v1d2*", "pci:v1d1*", "fs-ä", "fs-ö", "pci:v1d1*"];
        let coded = front_coded(&aliases.map(str::to_owned));
        assert_eq!(coded, ["0 fs-ä", "3 ö", "0 pci:v1d1*", "7 2*"]);
    }
}
