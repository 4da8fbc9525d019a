//! Templates for package names, such as `{name}-kmp-{flavor}`.

use crate::error::Problem;
use crate::text::check_package_name;

/// A template for package names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<TemplatePart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart {
    Text(String),
    Name,
    Flavor,
}

impl Template {
    /// A template for several packages, which differ in `{name}`.
    pub(crate) fn of_many(text: &str) -> Result<Self, Problem> {
        let template = Self::parse(text)?;
        match template.parts.contains(&TemplatePart::Name) {
            true => Ok(template),
            false => Err(Problem::NoName(text.to_owned())),
        }
    }

    /// A template for one package. It has no `{name}`.
    pub(crate) fn of_one(text: &str) -> Result<Self, Problem> {
        let template = Self::parse(text)?;
        match template.parts.contains(&TemplatePart::Name) {
            true => Err(no_meaning(text, "name")),
            false => Ok(template),
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (placeholder, after) = behind
                .split_once('}')
                .ok_or_else(|| no_meaning(text, behind))?;
            parts.push(TemplatePart::Text(before.to_owned()));
            parts.push(match placeholder {
                "name" => TemplatePart::Name,
                "flavor" => TemplatePart::Flavor,
                other => return Err(no_meaning(text, other)),
            });
            rest = after;
        }
        parts.push(TemplatePart::Text(rest.to_owned()));
        let template = Self { parts };
        match check_package_name(&template.name("a", "a")) {
            Ok(()) => Ok(template),
            Err(_) => Err(Problem::PackageName(text.to_owned())),
        }
    }

    /// The name of a package.
    pub fn name(&self, name: &str, flavor: &str) -> String {
        let parts = self.parts.iter().map(|part| match part {
            TemplatePart::Text(text) => text.as_str(),
            TemplatePart::Name => name,
            TemplatePart::Flavor => flavor,
        });
        parts.collect()
    }
}

fn no_meaning(template: &str, placeholder: &str) -> Problem {
    Problem::Placeholder {
        template: template.to_owned(),
        placeholder: placeholder.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in() {
        let template = Template::of_many("{name}-kmp-{flavor}").unwrap();
        assert_eq!(template.name("snd", "default"), "snd-kmp-default");
        let template = Template::of_one("kernel-{flavor}").unwrap();
        assert_eq!(template.name("", "rt"), "kernel-rt");
    }

    #[test]
    fn what_could_be_no_name_is_refused() {
        for text in [
            "kmp-{flavor}",
            "{name}-{arch}",
            "{name",
            "{name}}",
            "{name} kmp",
            "-{name}",
            "%{name}",
            "",
        ] {
            assert!(Template::of_many(text).is_err(), "{text}");
        }
        assert!(Template::of_one("kernel-{name}").is_err());
    }
}
