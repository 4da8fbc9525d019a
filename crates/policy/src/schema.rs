//! The text of a layer in, its tables out: every key a policy can have, each
//! value with its offset, nothing checked but types.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, SeqAccess, Visitor};
use toml::Spanned;

use crate::place::Source;
use crate::{By, Depends, Error, Problem, Support, TagKind, Unclaimed};

/// Free text, a name, a selector: not yet checked.
pub(crate) type Text = Spanned<String>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    pub(crate) unclaimed: Option<Unclaimed>,
    pub(crate) base: Base,
    pub(crate) set: Vec<Spanned<Set>>,
    pub(crate) module: Vec<Spanned<ModuleRule>>,
    pub(crate) import: Vec<Spanned<Import>>,
    pub(crate) naming: Naming,
    pub(crate) grouping: Grouping,
    pub(crate) pattern: Vec<Spanned<Pattern>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Base {
    pub(crate) members: Option<Vec<Text>>,
    pub(crate) except: Option<Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    pub(crate) name: Text,
    pub(crate) summary: Option<Text>,
    pub(crate) description: Option<Text>,
    pub(crate) members: Option<Vec<Text>>,
    pub(crate) except: Option<Vec<Text>>,
    pub(crate) priority: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pattern {
    pub(crate) name: Text,
    pub(crate) summary: Option<Text>,
    pub(crate) description: Option<Text>,
    pub(crate) category: Option<Text>,
    pub(crate) order: Option<u32>,
    pub(crate) visible: Option<bool>,
    pub(crate) members: Option<Vec<Text>>,
    pub(crate) except: Option<Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModuleRule {
    #[serde(rename = "match")]
    pub(crate) selectors: Spanned<OneOrMany>,
    pub(crate) package: Option<Text>,
    pub(crate) exclude: Option<bool>,
    pub(crate) hardware: Option<bool>,
    pub(crate) initrd: Option<bool>,
    pub(crate) supported: Option<Support>,
    provides: Option<Vec<Text>>,
    requires: Option<Vec<Text>>,
    recommends: Option<Vec<Text>>,
    suggests: Option<Vec<Text>>,
    supplements: Option<Vec<Text>>,
    enhances: Option<Vec<Text>>,
    conflicts: Option<Vec<Text>>,
    obsoletes: Option<Vec<Text>>,
    orderwithrequires: Option<Vec<Text>>,
}

impl ModuleRule {
    pub(crate) fn tags(&self, kind: TagKind) -> Option<&[Text]> {
        let tags = match kind {
            TagKind::Provides => &self.provides,
            TagKind::Requires => &self.requires,
            TagKind::Recommends => &self.recommends,
            TagKind::Suggests => &self.suggests,
            TagKind::Supplements => &self.supplements,
            TagKind::Enhances => &self.enhances,
            TagKind::Conflicts => &self.conflicts,
            TagKind::Obsoletes => &self.obsoletes,
            TagKind::OrderWithRequires => &self.orderwithrequires,
        };
        tags.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    pub(crate) file: Text,
    pub(crate) format: Format,
    pub(crate) set: Option<Text>,
    pub(crate) supported: Option<Spanned<Support>>,
}

#[derive(Clone, Copy, Deserialize)]
pub(crate) enum Format {
    #[serde(rename = "supported.conf")]
    SupportedConf,
    #[serde(rename = "modules.list")]
    ModulesList,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Naming {
    pub(crate) kmp: Option<Text>,
    pub(crate) pattern: Option<Text>,
    pub(crate) all: Option<Text>,
    pub(crate) unsupported: Option<Text>,
    pub(crate) kabi: Option<bool>,
    pub(crate) depends: Option<Depends>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Grouping {
    pub(crate) by: Option<By>,
    pub(crate) depth: Option<Spanned<usize>>,
    pub(crate) packages: Option<Spanned<Vec<usize>>>,
    pub(crate) largest: Option<Spanned<u64>>,
}

/// A string or a list of strings. An untagged enum would lose the offsets.
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<Text>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, one: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany::One(one.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
        let mut many = Vec::new();
        while let Some(text) = list.next_element()? {
            many.push(text);
        }
        Ok(OneOrMany::Many(many))
    }
}

/// Reads a layer.
pub(crate) fn read(text: &str, source: &Source) -> Result<File, Error> {
    toml::from_str(text).map_err(|error| {
        let lines: Vec<_> = error.message().lines().collect();
        let place = source.place(error.span().unwrap_or_default());
        Problem::Toml(lines.join(", ")).at(place)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::forward_to_deserialize_any;

    use super::*;

    /// Deserializes nothing, but takes down which keys a table asks for.
    struct Keys;

    #[derive(Debug, thiserror::Error)]
    #[error("asks for {0:?}")]
    struct Asked(&'static [&'static str]);

    impl de::Error for Asked {
        fn custom<T: fmt::Display>(message: T) -> Self {
            panic!("{message}");
        }
    }

    impl<'de> de::Deserializer<'de> for Keys {
        type Error = Asked;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
            panic!("no table");
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            keys: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Asked> {
            Err(Asked(keys))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn keys<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
        T::deserialize(Keys).err().unwrap().0
    }

    /// The keys of each table; the top level is the table "".
    fn schema() -> BTreeMap<&'static str, &'static [&'static str]> {
        BTreeMap::from([
            ("", keys::<File>()),
            ("base", keys::<Base>()),
            ("set", keys::<Set>()),
            ("module", keys::<ModuleRule>()),
            ("import", keys::<Import>()),
            ("naming", keys::<Naming>()),
            ("grouping", keys::<Grouping>()),
            ("pattern", keys::<Pattern>()),
        ])
    }

    /// The words `text` defines, for each table. `line` tells of a line whether
    /// it begins a table, or which words it defines.
    fn described<'t>(
        text: &'t str,
        line: impl Fn(&'t str) -> (Option<&'t str>, &'t str),
    ) -> BTreeMap<&'t str, Vec<&'t str>> {
        let mut described: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut table = "";
        for text in text.lines() {
            let (heading, words) = line(text);
            table = heading.unwrap_or(table);
            let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let words = words.split(|c| !is_key(c));
            described.entry(table).or_default().extend(words);
        }
        described
    }

    fn names_every_key(file: &str, described: &BTreeMap<&str, Vec<&str>>) {
        let schema = schema();
        for (table, keys) in &schema {
            for key in *keys {
                // A table is described by its heading.
                let known = match table.is_empty() && schema.contains_key(key) {
                    true => described.contains_key(key),
                    false => described[table].contains(key),
                };
                assert!(known, "{file} does not describe {key} of [{table}]");
            }
        }
    }

    fn table(line: &str) -> Option<&str> {
        let (name, _) = line.strip_prefix('[')?.split_once(']')?;
        Some(name.trim_start_matches('['))
    }

    #[test]
    fn the_default_policy_describes_every_key() {
        let text = include_str!("../../../policy/default.toml");
        let described = described(text, |line| {
            let plain = line.strip_prefix("# ").unwrap_or(line);
            let words = match plain.split_once(" = ") {
                Some((key, _)) => key,
                // "#   key      what it is for"
                None => plain
                    .strip_prefix("  ")
                    .and_then(|list| list.trim().split("  ").next())
                    .unwrap_or_default(),
            };
            (table(plain), words)
        });
        names_every_key("policy/default.toml", &described);
    }

    #[test]
    fn the_man_page_describes_every_key() {
        let text = include_str!("../../../man/kmp-policy.5");
        let described = described(text, |line| {
            let heading = line.strip_prefix(".SS ").and_then(table);
            let bold = [".B ", ".BR ", ".BI "];
            let words = bold.iter().find_map(|macro_| line.strip_prefix(macro_));
            (heading, words.unwrap_or_default())
        });
        names_every_key("man/kmp-policy.5", &described);
    }
}
