//! `greenroom-session --spec FILE`: holds one session until it is told to stop.
//! `greenroom-session --try-layers FOLDER`: says in one word what a session of an image would have of it.

use greenroom_session::sandbox::{Bwrap, trial};
use greenroom_session::{privileges, run, setup::Setup};
use greenroom_session_api::image::TRY_LAYERS;
use std::error::Error;
use std::io::Write;
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
    let words = (arguments.next(), arguments.next(), arguments.next());
    match words {
        (Some(flag), Some(spec), None) if flag == "--spec" => {
            let setup = Setup::from_spec(&PathBuf::from(spec), &Bwrap)?;
            Ok(run::run(setup)?)
        }
        (Some(flag), Some(folder), None) if flag == TRY_LAYERS => {
            let tried = trial::layers(&PathBuf::from(folder))?;
            writeln!(std::io::stdout(), "{}", tried.word())?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("usage: greenroom-session --spec FILE | --try-layers FOLDER".into()),
    }
}
