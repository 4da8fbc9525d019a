//! Turns the tags of installed packages and the hardware into the reason each package is there.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::report::Modalias;

/// Query format for [`reasons`]: package, kind of tag, tag.
pub const QUERY: &str = "[%{=NAME}\tprovides\t%{PROVIDENEVRS}\n][%{=NAME}\trequires\t%{REQUIRENEVRS}\n]\
                         [%{=NAME}\tsupplements\t%{SUPPLEMENTNEVRS}\n]";

/// Why a package is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Somebody asked for it by name.
    Requested,
    /// It drives this device.
    Hardware(Modalias),
    /// These packages require something it provides.
    Dependency(Vec<String>),
    /// None of its tags explains it.
    Unknown,
}

#[derive(Default)]
struct Tags<'t> {
    provides: Vec<&'t str>,
    requires: Vec<&'t str>,
    supplements: Vec<&'t str>,
}

/// The reason for each package: a request goes before hardware, hardware before a dependency.
///
/// `tags` is what `rpm -qa` prints with [`QUERY`].
pub fn reasons(
    tags: &str,
    requested: &[&str],
    hardware: &[Modalias],
) -> Result<BTreeMap<String, Reason>> {
    let mut packages: BTreeMap<&str, Tags> = BTreeMap::new();
    for line in tags.lines() {
        let mut fields = line.splitn(3, '\t');
        let (Some(name), Some(kind), Some(tag)) = (fields.next(), fields.next(), fields.next())
        else {
            anyhow::bail!("line of rpm -qa not understood: {line:?}");
        };
        let package = packages.entry(name).or_default();
        match kind {
            "provides" => package.provides.push(tag),
            "requires" => package.requires.push(tag),
            _ => package.supplements.push(tag),
        }
    }
    let mut requirers: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (name, package) in &packages {
        for tag in &package.requires {
            requirers.entry(key(tag)).or_default().push((name, tag));
        }
    }
    let reason = |name: &str, package: &Tags| -> Result<Reason> {
        if requested.contains(&name) {
            return Ok(Reason::Requested);
        }
        let patterns: Vec<String> = package
            .supplements
            .iter()
            .filter_map(|tag| pattern(tag))
            .collect();
        if let Some(device) = hardware
            .iter()
            .find(|d| patterns.iter().any(|p| matches(p, &d.modalias)))
        {
            return Ok(Reason::Hardware(device.clone()));
        }
        let mut of: Vec<String> = Vec::new();
        for tag in &package.provides {
            let users = requirers
                .get(key(tag))
                .map(Vec::as_slice)
                .unwrap_or_default();
            let fits = |wanted: &str| wanted == *tag || wanted == key(tag) || key(tag) == *tag;
            of.extend(
                users
                    .iter()
                    .filter(|(user, wanted)| *user != name && fits(wanted))
                    .map(|(user, _)| (*user).to_owned()),
            );
        }
        of.sort_unstable();
        of.dedup();
        Ok(if of.is_empty() {
            Reason::Unknown
        } else {
            Reason::Dependency(of)
        })
    };
    packages
        .iter()
        .map(|(name, package)| {
            Ok((
                (*name).to_owned(),
                reason(name, package).with_context(|| (*name).to_owned())?,
            ))
        })
        .collect()
}

/// A tag without its version.
fn key(tag: &str) -> &str {
    tag.split(' ').next().unwrap_or(tag)
}

/// The alias pattern of `modalias(<package>:<pattern>)`, unescaped.
fn pattern(tag: &str) -> Option<String> {
    let (_, escaped) = tag
        .strip_prefix("modalias(")?
        .strip_suffix(')')?
        .split_once(':')?;
    let mut bytes = Vec::new();
    let mut rest = escaped.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match rest {
            [b'%', high, low, ..] => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() {
            rest.get(3..).unwrap_or_default()
        } else {
            tail
        };
    }
    String::from_utf8(bytes).ok()
}

/// fnmatch(3) as modprobe uses it: `*`, `?`, `[…]`.
fn matches(pattern: &str, text: &str) -> bool {
    fn inner(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                (0..=text.len()).any(|at| text.get(at..).is_some_and(|tail| inner(rest, tail)))
            }
            ([b'[', rest @ ..], [c, tail @ ..]) => match rest.iter().position(|b| *b == b']') {
                Some(end) => {
                    let (set, after) = rest.split_at(end);
                    in_set(set, *c) && inner(after.get(1..).unwrap_or_default(), tail)
                }
                None => false,
            },
            ([p, rest @ ..], [c, tail @ ..]) => (*p == b'?' || p == c) && inner(rest, tail),
            _ => false,
        }
    }
    inner(pattern.as_bytes(), text.as_bytes())
}

fn in_set(set: &[u8], c: u8) -> bool {
    match set {
        [low, b'-', high, rest @ ..] => (*low..=*high).contains(&c) || in_set(rest, c),
        [one, rest @ ..] => *one == c || in_set(rest, c),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_reason() -> Result<()> {
        let tags = "image\tprovides\tksym(f:a) = 1\nnic\trequires\tksym(f:a) = 1\nnic\trequires\tkmod(phy.ko) = k\n\
                    nic\tsupplements\tmodalias(kernel-f-k:pci:v0000808[67]d*)\nphy\tprovides\tkmod(phy.ko) = k\n\
                    odd\tprovides\tkmod(odd.ko) = k\n";
        let device = Modalias {
            path: "pci/0".into(),
            modalias: "pci:v00008086d1".into(),
        };
        let why = reasons(tags, &["image"], std::slice::from_ref(&device))?;
        assert_eq!(why.get("image"), Some(&Reason::Requested));
        assert_eq!(why.get("nic"), Some(&Reason::Hardware(device)));
        assert_eq!(
            why.get("phy"),
            Some(&Reason::Dependency(vec!["nic".into()]))
        );
        assert_eq!(why.get("odd"), Some(&Reason::Unknown));
        Ok(())
    }

    #[test]
    fn patterns_unescape_and_match() {
        assert_eq!(
            pattern("modalias(kernel-f:cpu:type%3Ax%2Cy*)").as_deref(),
            Some("cpu:type:x,y*")
        );
        assert!(matches("a*c[0-9A]?", "abbcAx") && !matches("a*c", "ab") && !matches("[ab]", "c"));
    }
}
