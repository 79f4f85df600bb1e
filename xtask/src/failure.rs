//! What went wrong, told to a person: a developer command has no caller who could act on a variant.

use std::fmt;

/// A sentence for the terminal. Each layer puts what it was doing before what it met.
#[derive(Debug)]
pub struct Failure(String);

/// The result of everything here that can fail.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure told in these words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was being done when something failed.
pub trait Context<T> {
    /// `text` is only made when it is needed.
    fn context(self, text: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, text: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|err| Failure(format!("{}: {err}", text())))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, text: impl FnOnce() -> String) -> Result<T> {
        self.ok_or_else(|| Failure(text()))
    }
}

/// Returns early with a [`Failure`] told in the format string's words.
macro_rules! bail {
    ($($arg:tt)*) => { return Err($crate::failure::Failure::new(format!($($arg)*))) };
}
pub(crate) use bail;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_step_is_named_before_the_inner_cause() {
        let inner: Result = Err(Failure::new("no such file"));
        let told = inner
            .context(|| "reading the contract".into())
            .unwrap_err()
            .to_string();
        assert_eq!(told, "reading the contract: no such file");
    }
}
