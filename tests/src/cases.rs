//! Cases of which some are known to fail: each with its reason, and only as long as it fails.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

/// The outcomes so far.
#[derive(Debug)]
pub struct Cases {
    /// Names of cases that fail, and why.
    known: &'static [(&'static str, &'static str)],
    /// Names of cases, and the errors of those that failed.
    outcomes: BTreeMap<String, Option<String>>,
}

impl Cases {
    /// No cases yet; `known` has the names of those that fail, with reasons.
    pub fn new(known: &'static [(&'static str, &'static str)]) -> Cases {
        Cases {
            known,
            outcomes: BTreeMap::new(),
        }
    }

    /// Adds the outcome of a case.
    pub fn add(&mut self, name: &str, outcome: Result<()>) {
        let error = outcome.err().map(|error| format!("{error:#}"));
        self.outcomes.insert(name.to_owned(), error);
    }

    /// Prints a table, and fails if a case failed that is not known to, or passed although it is.
    pub fn finish(self) -> Result<()> {
        let mut wrong = Vec::new();
        for (name, error) in &self.outcomes {
            let reason = self.known.iter().find(|(known, _)| known == name);
            match (error, reason) {
                (None, None) => println!("passes  {name}"),
                (Some(_), Some((_, reason))) => println!("fails   {name}: {reason}"),
                (Some(error), None) => wrong.push(format!("{name} fails:\n{error}")),
                (None, Some((_, reason))) => {
                    wrong.push(format!("{name} passes, take it off the list: {reason}"));
                }
            }
        }
        let absent = self
            .known
            .iter()
            .filter(|(name, _)| !self.outcomes.contains_key(*name));
        wrong.extend(absent.map(|(name, _)| format!("there is no case {name}")));
        ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    const KNOWN: &[(&str, &str)] = &[("b", "not written yet")];

    fn outcome(a: Result<()>, b: Option<Result<()>>) -> Result<()> {
        let mut cases = Cases::new(KNOWN);
        cases.add("a", a);
        if let Some(b) = b {
            cases.add("b", b);
        }
        cases.finish()
    }

    #[test]
    fn only_what_is_known_may_fail_and_it_must() {
        assert!(outcome(Ok(()), Some(Err(anyhow!("no")))).is_ok());
        assert!(outcome(Err(anyhow!("no")), Some(Err(anyhow!("no")))).is_err());
        assert!(outcome(Ok(()), Some(Ok(()))).is_err());
        assert!(outcome(Ok(()), None).is_err());
    }
}
