//! Which parameter is wrong, and how.

use std::fmt;

/// The most characters of a reason that are kept: it may repeat the value it is about.
const MAX_REASON: usize = 200;

/// What is wrong with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// It is needed and not there.
    Missing,
    /// It is there and cannot be what it says.
    Invalid,
}

/// A parameter that is missing or invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamError {
    problem: Problem,
    reason: String,
    /// From the innermost name outwards.
    path: Vec<String>,
    blank: bool,
}

impl ParamError {
    /// Whether it is missing or invalid.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// The parameter's name on the wire, dots included: `NodePool.NodeAmount`. An element of a list goes
    /// by the name of the list.
    #[must_use]
    pub fn path(&self) -> String {
        let is_index = |segment: &&String| segment.bytes().all(|b| b.is_ascii_digit());
        let outwards = self.path.iter().skip_while(is_index);
        let mut segments: Vec<&str> = outwards.map(String::as_str).collect();
        segments.reverse();
        segments.join(".")
    }

    /// Why, in words for the log of a developer; it may repeat a part of the value.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn invalid(reason: impl fmt::Display) -> Self {
        Self {
            problem: Problem::Invalid,
            reason: reason.to_string().chars().take(MAX_REASON).collect(),
            path: Vec::new(),
            blank: false,
        }
    }

    /// An empty value where only text can be empty.
    pub(super) fn blank() -> Self {
        Self {
            blank: true,
            ..Self::invalid("is empty")
        }
    }

    /// Whether absence of the value, not the value, is what the client meant.
    pub(super) fn is_blank(&self) -> bool {
        self.blank
    }

    /// The same error, found inside `name`.
    pub(super) fn within(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }

    /// The path's names from the outside in, indices included.
    pub(super) fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.iter().rev().map(String::as_str)
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter {}: {}", self.path(), self.reason)
    }
}

impl std::error::Error for ParamError {}

impl serde::de::Error for ParamError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::invalid(message)
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            problem: Problem::Missing,
            ..Self::invalid("is missing")
        }
        .within(field)
    }
}
