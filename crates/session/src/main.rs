//! `greenroom-session --spec FILE`: holds one session until it is told to stop.

use greenroom_session::{privileges, run, sandbox::Bwrap, setup::Setup};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| EnvFilter::new("info,smithay=error")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // When the log is broken, complaining about that where the log goes would be a panic.
        .log_internal_errors(false)
        .init();
    match hold() {
        Ok(code) => code,
        Err(error) => {
            let mut causes = String::new();
            let mut cause = error.source();
            while let Some(next) = cause {
                causes.push_str(&format!(": {next}"));
                cause = next.source();
            }
            tracing::error!("{error}{causes}");
            ExitCode::FAILURE
        }
    }
}

fn hold() -> Result<ExitCode, Box<dyn Error>> {
    privileges::close_inherited()?;
    let mut arguments = std::env::args_os().skip(1);
    let (Some(flag), Some(spec), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: greenroom-session --spec FILE".into());
    };
    if flag != "--spec" {
        return Err("usage: greenroom-session --spec FILE".into());
    }
    let setup = Setup::from_spec(&PathBuf::from(spec), &Bwrap)?;
    Ok(run::run(setup)?)
}
