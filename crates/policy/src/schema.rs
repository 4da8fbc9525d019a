//! The keys that a policy file may have.
//!
//! Only the types of values are checked here. Most values keep their span, so that a later check
//! can name the line.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, SeqAccess, Visitor};
use toml::Spanned;

use crate::error::{Error, Problem};
use crate::file_line::LineIndex;
use crate::grouping::{GroupBy, Unclaimed};
use crate::naming::Depends;
use crate::rules::Support;
use crate::tag_kind::TagKind;

/// Free text, a name or a selector, not checked yet.
pub(crate) type SpannedText = Spanned<String>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolicyTables {
    pub(crate) unclaimed: Option<Unclaimed>,
    pub(crate) base: BaseTable,
    pub(crate) set: Vec<Spanned<SetTable>>,
    pub(crate) module: Vec<Spanned<ModuleTable>>,
    pub(crate) import: Vec<Spanned<ImportTable>>,
    pub(crate) naming: NamingTable,
    pub(crate) grouping: GroupingTable,
    pub(crate) pattern: Vec<Spanned<PatternTable>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BaseTable {
    pub(crate) members: Option<Vec<SpannedText>>,
    pub(crate) except: Option<Vec<SpannedText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetTable {
    pub(crate) name: SpannedText,
    pub(crate) summary: Option<SpannedText>,
    pub(crate) description: Option<SpannedText>,
    pub(crate) members: Option<Vec<SpannedText>>,
    pub(crate) except: Option<Vec<SpannedText>>,
    pub(crate) priority: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatternTable {
    pub(crate) name: SpannedText,
    pub(crate) summary: Option<SpannedText>,
    pub(crate) description: Option<SpannedText>,
    pub(crate) category: Option<SpannedText>,
    pub(crate) order: Option<u32>,
    pub(crate) visible: Option<bool>,
    pub(crate) members: Option<Vec<SpannedText>>,
    pub(crate) except: Option<Vec<SpannedText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModuleTable {
    #[serde(rename = "match")]
    pub(crate) selectors: Spanned<OneOrMany>,
    pub(crate) package: Option<SpannedText>,
    pub(crate) exclude: Option<bool>,
    pub(crate) hardware: Option<bool>,
    pub(crate) initrd: Option<bool>,
    pub(crate) supported: Option<Support>,
    provides: Option<Vec<SpannedText>>,
    requires: Option<Vec<SpannedText>>,
    recommends: Option<Vec<SpannedText>>,
    suggests: Option<Vec<SpannedText>>,
    supplements: Option<Vec<SpannedText>>,
    enhances: Option<Vec<SpannedText>>,
    conflicts: Option<Vec<SpannedText>>,
    obsoletes: Option<Vec<SpannedText>>,
    orderwithrequires: Option<Vec<SpannedText>>,
}

impl ModuleTable {
    pub(crate) fn tags(&self, kind: TagKind) -> Option<&[SpannedText]> {
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
pub(crate) struct ImportTable {
    pub(crate) file: SpannedText,
    pub(crate) format: ListFormat,
    pub(crate) set: Option<SpannedText>,
    pub(crate) supported: Option<Spanned<Support>>,
}

/// The format of an imported list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ListFormat {
    /// SUSE's supported.conf: guards and paths.
    #[serde(rename = "supported.conf")]
    SupportedConf,
    /// One module a line, as in Fedora's lists.
    #[serde(rename = "modules.list")]
    ModulesList,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NamingTable {
    pub(crate) kmp: Option<SpannedText>,
    pub(crate) pattern: Option<SpannedText>,
    pub(crate) all: Option<SpannedText>,
    pub(crate) unsupported: Option<SpannedText>,
    pub(crate) kabi: Option<bool>,
    pub(crate) depends: Option<Depends>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GroupingTable {
    pub(crate) by: Option<GroupBy>,
    pub(crate) depth: Option<Spanned<usize>>,
    pub(crate) packages: Option<Spanned<Vec<usize>>>,
    pub(crate) largest: Option<Spanned<u64>>,
}

/// A string or a list of strings. An untagged enum would lose the spans.
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<SpannedText>),
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
pub(crate) fn read(text: &str, lines: &LineIndex) -> Result<PolicyTables, Error> {
    toml::from_str(text).map_err(|error| {
        let message: Vec<_> = error.message().lines().collect();
        let line = lines.line_of(error.span().unwrap_or_default());
        Problem::Toml(without_control(&message.join(", "))).at(line)
    })
}

/// A message may show values of the policy, which may have any character.
fn without_control(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    for character in message.chars() {
        match character.is_control() {
            true => shown.extend(character.escape_debug()),
            false => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::forward_to_deserialize_any;

    use super::*;

    #[test]
    fn messages_have_no_control_characters() {
        let text = "unclaimed = \"group\\t\\u001b\"\n";
        let lines = LineIndex::new(crate::file_line::PolicyFile::Default, text);
        let error = read(text, &lines).err().unwrap().to_string();
        assert!(error.contains(r"`group\t\u{1b}`"), "{error}");
    }

    /// A deserializer that only records which keys a table asks for.
    struct KeyRecorder;

    #[derive(Debug, thiserror::Error)]
    #[error("asks for {0:?}")]
    struct RecordedKeys(&'static [&'static str]);

    impl de::Error for RecordedKeys {
        fn custom<T: fmt::Display>(message: T) -> Self {
            panic!("{message}");
        }
    }

    impl<'de> de::Deserializer<'de> for KeyRecorder {
        type Error = RecordedKeys;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, RecordedKeys> {
            panic!("no table");
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            keys: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, RecordedKeys> {
            Err(RecordedKeys(keys))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn keys<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
        T::deserialize(KeyRecorder).err().unwrap().0
    }

    /// The keys of each table; the top level is the table "".
    fn schema() -> BTreeMap<&'static str, &'static [&'static str]> {
        BTreeMap::from([
            ("", keys::<PolicyTables>()),
            ("base", keys::<BaseTable>()),
            ("set", keys::<SetTable>()),
            ("module", keys::<ModuleTable>()),
            ("import", keys::<ImportTable>()),
            ("naming", keys::<NamingTable>()),
            ("grouping", keys::<GroupingTable>()),
            ("pattern", keys::<PatternTable>()),
        ])
    }

    /// The keys that `text` describes, by table. `line` returns the table that a line begins, and
    /// the keys that it describes.
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

    /// What fuzz targets begin with.
    #[test]
    fn the_seed_has_every_key() {
        let text = include_str!("../../../tests/policies/every-key.toml");
        let described = described(text, |line| {
            let key = line.split_once(" = ").map_or("", |(key, _)| key);
            (table(line), key)
        });
        names_every_key("tests/policies/every-key.toml", &described);
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
