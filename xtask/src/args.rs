//! Command line arguments, read by hand: a parser crate would cost more seconds of everyone's build
//! than it saves lines here.

use crate::failure::{Result, bail};

/// What is left of the command line; each reader takes out what it understands.
pub struct Args(Vec<String>);

impl Args {
    /// The arguments after the program's name.
    pub fn new(args: impl IntoIterator<Item = String>) -> Self {
        Self(args.into_iter().collect())
    }

    /// Takes `--name` out; true when it was there.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.0.iter().position(|arg| arg == name) {
            Some(at) => {
                self.0.remove(at);
                true
            }
            None => false,
        }
    }

    /// Takes `--name VALUE` or `--name=VALUE` out.
    pub fn option(&mut self, name: &str) -> Result<Option<String>> {
        let prefix = format!("{name}=");
        let Some(at) = self
            .0
            .iter()
            .position(|arg| arg == name || arg.starts_with(&prefix))
        else {
            return Ok(None);
        };
        let arg = self.0.remove(at);
        if let Some(value) = arg.strip_prefix(&prefix) {
            return Ok(Some(value.to_owned()));
        }
        if at >= self.0.len() || self.0[at].starts_with("--") {
            bail!("{name} needs a value");
        }
        Ok(Some(self.0.remove(at)))
    }

    /// Takes the next argument that is no option.
    pub fn positional(&mut self) -> Option<String> {
        let at = self.0.iter().position(|arg| !arg.starts_with('-'))?;
        Some(self.0.remove(at))
    }

    /// Refuses what nobody took: a mistyped flag must not pass for its absence.
    pub fn finish(self) -> Result {
        match self.0.first() {
            Some(arg) => bail!("`{arg}` is not understood here (see `cargo xtask help`)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_in_either_spelling_and_any_order() {
        let mut it = args("skeleton --json out.json --data-dir=d --exit");
        assert!(it.flag("--exit"));
        assert_eq!(it.option("--data-dir").unwrap().as_deref(), Some("d"));
        assert_eq!(it.option("--json").unwrap().as_deref(), Some("out.json"));
        assert_eq!(it.positional().as_deref(), Some("skeleton"));
        assert!(it.finish().is_ok());
    }

    #[test]
    fn an_option_without_its_value_is_refused() {
        assert!(args("--json").option("--json").is_err());
        assert!(args("--json --exit").option("--json").is_err());
    }

    #[test]
    fn a_mistyped_flag_is_refused() {
        let told = args("--quikc").finish().unwrap_err().to_string();
        assert!(told.contains("--quikc"), "{told}");
    }
}
