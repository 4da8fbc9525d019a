//! Checks a dependency tag by the grammar of rpm (`parseRCPOT` in rpm's build/parseReqs.cc,
//! `rpmrichParseForTag` in lib/rpmds.cc).
//!
//! Where rpm would read several tags, a policy has a mistake: it has one tag in each string. Where
//! some distributions' rpm only warns of a version (`%_wrong_version_format_terminate_build`), it is
//! refused, because the package would not fit what it asks for.

use crate::tag_kind::TagKind;

/// What is wrong with a tag.
type Fault = &'static str;

const COMPARISONS: [&str; 8] = ["<=", "=<", "<", "==", "=", ">=", "=>", ">"];

/// How deep dependencies in parentheses may be nested. rpm has no limit, and nobody needs more.
const DEEPEST: usize = 32;

/// Checks the text of a tag of this kind, which has no control character.
pub(crate) fn check(kind: TagKind, text: &str) -> Result<(), Fault> {
    let mut rest = Cursor(text);
    rest.skip_white();
    match rest.first() {
        Some('(') if !allows_rich(kind) => {
            return Err("is a dependency in parentheses, which rpm does not allow here");
        }
        Some('(') => rich_tag(&mut rest, kind)?,
        _ => plain_tag(&mut rest, kind)?,
    }
    rest.skip_white();
    match rest.first() {
        None => Ok(()),
        Some(_) => Err(
            "is several tags: write each of them as a string of its own, or <, <=, =, >= \
                        or > before the version",
        ),
    }
}

fn allows_rich(kind: TagKind) -> bool {
    !matches!(
        kind,
        TagKind::Provides | TagKind::Obsoletes | TagKind::OrderWithRequires
    )
}

/// The part of a tag that has not been read.
struct Cursor<'t>(&'t str);

impl<'t> Cursor<'t> {
    fn first(&self) -> Option<char> {
        self.0.chars().next()
    }

    fn skip_white(&mut self) {
        self.0 = self.0.trim_start_matches(is_white);
    }

    /// What comes before the next blank or, in parentheses, before one that closes them.
    fn word(&mut self, in_parentheses: bool) -> &'t str {
        let mut open = 0_usize;
        let end = self.0.find(|c: char| {
            let closes = in_parentheses && c == ')' && open == 0;
            match c {
                '(' => open += 1,
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
            is_white(c) || closes
        });
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        word
    }

    /// A name and perhaps a comparison and a version.
    fn name_and_version(
        &mut self,
        in_parentheses: bool,
    ) -> Result<(&'t str, Option<&'t str>), Fault> {
        let name = self.word(in_parentheses);
        self.skip_white();
        let before = self.0;
        if !COMPARISONS.contains(&self.word(in_parentheses)) {
            self.0 = before;
            return Ok((name, None));
        }
        self.skip_white();
        match self.word(in_parentheses) {
            "" => Err("has no version behind its comparison"),
            version => Ok((name, Some(version))),
        }
    }
}

fn is_white(c: char) -> bool {
    matches!(c, ' ' | ',')
}

fn plain_tag(rest: &mut Cursor<'_>, kind: TagKind) -> Result<(), Fault> {
    let (name, version) = rest.name_and_version(false)?;
    well_formed(name, version)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_+%{}".contains(c);
    let begins = |c: char| c.is_ascii_alphanumeric() || "_%".contains(c);
    let is_package = name.starts_with(begins) && name.chars().all(fits) && !name.contains("..");
    match kind == TagKind::Obsoletes && !is_package {
        true => Err("is not the name of a package, and Obsoletes may have no other names"),
        false => Ok(()),
    }
}

fn well_formed(name: &str, version: Option<&str>) -> Result<(), Fault> {
    let begins = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '_' | '/');
    if !name.starts_with(begins) {
        return Err("begins with a character that rpm refuses: use a letter, a digit, _ or /");
    }
    let Some(version) = version else {
        return Ok(());
    };
    if name.starts_with('/') {
        return Err("has a version behind the name of a file, which rpm does not allow");
    }
    version_is_valid(version)
}

fn version_is_valid(version: &str) -> Result<(), Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._+%{}~^-:".contains(c);
    if !version.chars().all(fits) {
        return Err(
            "has a character in its version that rpm refuses: use letters, digits and . _ + ~ ^ \
                    - :",
        );
    }
    if version.contains("..") {
        return Err("has two dots in a row in its version");
    }
    if version.matches('-').count() > 1 {
        return Err("has a version with two dashes: write VERSION-RELEASE, and _ for other dashes");
    }
    if version.matches(':').count() > 1 {
        return Err("has a version with two colons: write EPOCH:VERSION");
    }
    match version.split_once(':') {
        Some((epoch, _)) if !epoch.chars().all(|c| c.is_ascii_digit()) => {
            Err("has an epoch that is not a number")
        }
        _ => Ok(()),
    }
}

/// The words between dependencies in parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    If,
    Unless,
    Else,
    With,
    Without,
}

impl Operator {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "and" => Self::And,
            "or" => Self::Or,
            "if" => Self::If,
            "unless" => Self::Unless,
            "else" => Self::Else,
            "with" => Self::With,
            "without" => Self::Without,
            _ => return None,
        })
    }
}

/// Which operators a dependency may not be an argument of, because of the operators in it.
#[derive(Clone, Copy, Default)]
struct Excluded {
    with: bool,
    and: bool,
    or: bool,
}

impl Excluded {
    fn check(self, operator: Option<Operator>) -> Result<(), Fault> {
        match operator {
            Some(Operator::With | Operator::Without) if self.with => {
                Err("has and, if or unless inside of with or without, which rpm does not allow")
            }
            Some(Operator::And | Operator::If) if self.and => {
                Err("has unless where rpm does not allow it: use or")
            }
            Some(Operator::Or | Operator::Unless) if self.or => {
                Err("has if where rpm does not allow it: use and")
            }
            _ => Ok(()),
        }
    }

    fn join(&mut self, other: Self) {
        self.with |= other.with;
        self.and |= other.and;
        self.or |= other.or;
    }
}

fn rich_tag(rest: &mut Cursor<'_>, kind: TagKind) -> Result<(), Fault> {
    let outer = match kind {
        TagKind::Conflicts | TagKind::Supplements | TagKind::Enhances => Operator::Or,
        _ => Operator::And,
    };
    rich(rest, DEEPEST)?.check(Some(outer))
}

fn rich(rest: &mut Cursor<'_>, deepest: usize) -> Result<Excluded, Fault> {
    let Some(deepest) = deepest.checked_sub(1) else {
        return Err("has too many parentheses inside of each other");
    };
    rest.0 = rest.0.strip_prefix('(').unwrap_or(rest.0);
    let mut excluded = Excluded::default();
    let (mut first, mut last, mut chain) = (None, None, None);
    loop {
        rest.skip_white();
        match rest.first() {
            Some(')') => return Err("has parentheses in which a dependency is missing"),
            Some('(') => {
                let mut inner = rich(rest, deepest)?;
                if matches!(last, Some(Operator::If | Operator::Unless)) {
                    (inner.and, inner.or) = (false, false);
                }
                excluded.join(inner);
            }
            Some(_) => {
                let (name, version) = rest.name_and_version(true)?;
                well_formed(name, version)?;
            }
            None => {}
        }
        rest.skip_white();
        match rest.first() {
            None => return Err("has a parenthesis that is not closed"),
            Some(')') => break,
            Some(_) => {}
        }
        let end = rest.0.find([' ', ')']);
        let (word, behind) = rest.0.split_at(end.unwrap_or(rest.0.len()));
        rest.0 = behind;
        let operator = Operator::of(word).ok_or(
            "has a word in parentheses that is no operator: use and, or, if, unless, else, with or \
             without",
        )?;
        first = first.or(Some(operator));
        last = Some(operator);
        chain = chained(chain, operator)?;
    }
    rest.0 = rest.0.strip_prefix(')').unwrap_or(rest.0);
    excluded.check(first)?;
    excluded.or |= first == Some(Operator::If);
    excluded.and |= first == Some(Operator::Unless);
    if matches!(last, Some(Operator::And | Operator::Or)) {
        (excluded.and, excluded.or) = (false, false);
    }
    let keeps_with = [
        None,
        Some(Operator::With),
        Some(Operator::Without),
        Some(Operator::Or),
    ];
    excluded.with |= !keeps_with.contains(&last);
    Ok(excluded)
}

/// Checks that an operator may follow the one before it in the same parentheses.
fn chained(before: Option<Operator>, operator: Operator) -> Result<Option<Operator>, Fault> {
    let ends = |before| matches!(before, Operator::If | Operator::Unless);
    match before {
        Some(before) if operator == Operator::Else && ends(before) => Ok(Some(operator)),
        Some(before) if operator != before => {
            Err("has different operators in the same parentheses: add parentheses")
        }
        Some(_) if !matches!(operator, Operator::And | Operator::Or | Operator::With) => {
            Err("repeats an operator that rpm does not allow twice: add parentheses")
        }
        _ => Ok(Some(operator)),
    }
}
