//! Why a configuration is not taken.

use std::path::PathBuf;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not TOML. The line is named and not shown: it may hold a password.
    #[error("the configuration is not TOML: line {line}, column {column}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// There is no such setting.
    #[error("there is no setting {name}{}", nearest.as_ref().map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    Unknown {
        /// As it was written.
        name: String,
        /// The valid name most like it.
        nearest: Option<String>,
    },
    /// A setting has a value that it cannot have.
    #[error("the setting {key} cannot be {value}")]
    Value {
        /// Section and key, or the variable.
        key: String,
        /// The value.
        value: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Settings that are fine alone do not fit each other or the system.
    #[error("{0}")]
    Rule(String),
}
