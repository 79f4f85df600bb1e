//! Prints the URL of a new and empty database of PostgreSQL, which runs for as long as this program's standard input
//! is open: for what is no Rust test. It lies in the cluster that all tests share; with the argument `durable`, alone
//! in one that is on disk before it answers.

use greenroom_testkit::postgres::{self, Cluster};
use std::io::{self, Write};

fn main() -> io::Result<()> {
    let argument = std::env::args().nth(1);
    let cluster = match argument.as_deref() {
        None => None,
        Some("durable") => Some(Cluster::start_durable()),
        Some(other) => return Err(io::Error::other(format!("`{other}` is not understood"))),
    };
    let url = cluster
        .as_ref()
        .map_or_else(postgres::database, Cluster::database);
    let mut out = io::stdout();
    writeln!(out, "{url}")?;
    out.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
