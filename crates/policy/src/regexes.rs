//! Compiles the regular expressions of a policy within a limit of memory.
//!
//! A repetition such as `((a{100}){100}){100}` is short to write and large to keep, and the time
//! for a match grows with the size, too. So all expressions of a policy share one budget.

use regex_lite::{Error, Regex, RegexBuilder};

/// How many KiB of memory the compiled expressions may take together. It is enough for about
/// 1,000 expressions of the usual size.
pub(crate) const LIMIT_KIB: usize = 1024;

/// The smallest size that is charged for an expression.
const SMALLEST: usize = 512;

/// The longest expression. The parser compares each name of a group with all others.
const LONGEST: usize = 16 << 10;

/// What is left of the budget.
pub(crate) struct RegexBudget {
    left: usize,
}

/// Why an expression cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RegexError {
    /// It is not a regular expression, for this reason.
    Syntax(String),
    /// It takes more memory than is left.
    TooLarge,
}

impl Default for RegexBudget {
    fn default() -> Self {
        Self {
            left: LIMIT_KIB << 10,
        }
    }
}

impl RegexBudget {
    /// Compiles an expression. The library does not tell how large it became, so the smallest
    /// power of two that it fits into is charged.
    pub(crate) fn compile(&mut self, expression: &str) -> Result<Regex, RegexError> {
        if expression.len() > LONGEST {
            return Err(RegexError::TooLarge);
        }
        let mut size = SMALLEST;
        while size <= self.left {
            match compile_within(expression, size) {
                Ok(regex) => {
                    self.left -= size;
                    return Ok(regex);
                }
                Err(error) if is_of_size(&error) => size *= 2,
                Err(error) => return Err(RegexError::Syntax(error.to_string())),
            }
        }
        Err(RegexError::TooLarge)
    }
}

fn compile_within(expression: &str, size: usize) -> Result<Regex, Error> {
    RegexBuilder::new(expression).size_limit(size).build()
}

/// Whether only the limit stands against an expression. The library tells kinds of errors apart
/// by their text alone, and this is the text for an expression that is certainly right.
fn is_of_size(error: &Error) -> bool {
    compile_within("a", 0).is_err_and(|too_large| too_large.to_string() == error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how_many(expression: &str) -> usize {
        let mut budget = RegexBudget::default();
        let all = std::iter::repeat_with(|| budget.compile(expression));
        all.take(10_000).take_while(Result::is_ok).count()
    }

    #[test]
    fn usual_expressions_are_far_from_the_limit() {
        for usual in [
            "^kernel/(fs|crypto)/.*4$",
            r"/(pata|sata)_[a-m]\w+$",
            "usb.*storage",
        ] {
            assert!(how_many(usual) >= 1_000, "{usual}");
        }
    }

    #[test]
    fn large_expressions_share_the_budget() {
        assert!((100..200).contains(&how_many(r"\w{100}")));
        for expression in [
            "((((a{99}){99}){99}){99}){99}",
            "(){4294967295}",
            "(?:){4294967295}",
            "(?:a{0}){4294967295}",
            "(?:|){4294967295}",
            &"(?P<a>a)".repeat(LONGEST),
        ] {
            let refusal = RegexBudget::default().compile(expression).unwrap_err();
            assert_eq!(refusal, RegexError::TooLarge);
        }
    }

    #[test]
    fn what_is_no_expression_is_not_called_too_large() {
        for expression in ["a(", "[z-a]", "*", "a{2,1}", r"\"] {
            let refusal = RegexBudget::default().compile(expression).unwrap_err();
            assert!(matches!(refusal, RegexError::Syntax(_)), "{expression}");
        }
    }
}
