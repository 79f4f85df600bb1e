//! Prints the URL of a new and empty database in the PostgreSQL that all tests share, which runs for as long as
//! this program's standard input is open: for tests that are no Rust programs.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let url = greenroom_testkit::postgres::database();
    let mut out = io::stdout();
    writeln!(out, "{url}")?;
    out.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
