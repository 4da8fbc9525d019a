//! Compares the tags of a package by a distribution's scripts with those by ours.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, ensure};
use kmpkit_tests::differ;
use kmpkit_tests::query::{Shown, TYPES};

use crate::patterns::expanded;

/// Tags that only one side has.
pub(crate) struct Difference {
    /// The type, such as `Require`.
    pub(crate) kind: &'static str,
    /// Whether it is ours that has them.
    pub(crate) ours: bool,
    /// What they begin with.
    pub(crate) begin: &'static str,
    /// Why.
    pub(crate) reason: &'static str,
}

/// What ours say of other modules, in both dialects.
const OF_MODULES: [Difference; 3] = [
    Difference {
        kind: "Provide",
        ours: true,
        begin: "kmod-alias(",
        reason: "softdeps ask for them; theirs have no softdeps",
    },
    Difference {
        kind: "Require",
        ours: true,
        begin: "kmod(",
        reason: "what depends= of the module says; theirs have symbols alone",
    },
    Difference {
        kind: "Recommend",
        ours: true,
        begin: "(kmod(",
        reason: "theirs have no softdeps",
    },
];

/// Fails unless the tags mean the same but for what ours say of other modules and for `differences`, and
/// each difference is there. Prints a table; the error has all types that differ.
pub(crate) fn compare(
    what: &str,
    ours: &Shown,
    theirs: &Shown,
    differences: &[Difference],
) -> Result<()> {
    let (mut table, mut wrong) = (format!("{what}\n"), Vec::new());
    for kind in TYPES {
        let written = [ours, theirs].map(|shown| shown.tags.get(kind).cloned().unwrap_or_default());
        let mut sides = [&written[0], &written[1]].map(expanded);
        let differences = OF_MODULES.iter().chain(differences);
        let mut taken = String::new();
        for difference in differences.filter(|known| known.kind == kind) {
            match difference.take(&mut sides) {
                Ok(line) => taken += &line,
                Err(error) => wrong.push(error.to_string()),
            }
        }
        let [ours, theirs]: [BTreeSet<String>; 2] = sides;
        let equal = ours.intersection(&theirs).count();
        let [by_ours, by_theirs] = written.map(|tags| tags.len());
        if by_ours + by_theirs > 0 {
            writeln!(
                table,
                "  {kind}s: {equal} equal, in all {by_ours} tags by ours, {by_theirs} by theirs"
            )?;
        }
        table += &taken;
        let error = differ::sets(&format!("{kind}s"), &ours, &theirs).err();
        wrong.extend(error.map(|error| error.to_string()));
    }
    // In one piece, for tests run side by side.
    print!("{table}");
    ensure!(wrong.is_empty(), "{what}\n{}", wrong.join("\n"));
    Ok(())
}

impl Difference {
    /// Takes its tags from the side that has them, and says how many they are.
    fn take(&self, [ours, theirs]: &mut [BTreeSet<String>; 2]) -> Result<String> {
        let Difference {
            kind,
            begin,
            reason,
            ..
        } = self;
        let (who, has, other) = match self.ours {
            true => ("ours", ours, theirs),
            false => ("theirs", theirs, ours),
        };
        let before = has.len();
        has.retain(|tag| !tag.starts_with(begin) || other.contains(tag));
        let taken = before - has.len();
        ensure!(
            taken > 0,
            "{kind}s {begin}…: by {who} alone there are none any more, take it off the list: {reason}"
        );
        Ok(format!(
            "    and {taken} {begin}… by {who} alone: {reason}\n"
        ))
    }
}
