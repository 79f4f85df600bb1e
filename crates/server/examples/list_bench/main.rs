//! What `cargo xtask bench list` starts beside the server: it fills a database, sends requests, and answers them
//! as a bare HTTP server would. It lies here and not in xtask because it uses the store, and because it has to be
//! built as fast as what it measures.

#![allow(clippy::print_stdout, reason = "the figures are its answer")]

mod bare;
mod client;
mod load;
mod progress;
mod requests;
mod seed;

use greenroom_server::config::{Config, Flags};
use greenroom_server::database::Database;
use greenroom_store::Store;
use std::error::Error;
use std::path::Path;

/// What can go wrong, told to whoever reads the output of `cargo xtask bench`.
type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The one group that is listed.
const GROUP: &str = "aig-bench";

/// Where its sessions live.
const SERVER: &str = "srv-bench";

/// Rows of a page.
const PAGE: u32 = 20;

const USAGE: &str = "list_bench fill FOLDER SESSIONS | thin FOLDER | load FOLDER ADDRESS | bare";

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["fill", folder, sessions] => seed::fill(Path::new(folder), sessions.parse()?),
        ["thin", folder] => seed::thin(Path::new(folder)),
        ["load", folder, address] => load::measure(Path::new(folder), address.parse()?),
        ["bare"] => bare::serve(),
        _ => Err(USAGE.into()),
    }
}

/// Opens the database that a server on this folder is on, when it is started in the same environment.
fn open_store(folder: &Path) -> Result<Store> {
    let flags = Flags {
        data_dir: Some(folder.to_owned()),
        ..Flags::default()
    };
    let config = Config::load(None, std::env::vars(), flags)?;
    Ok(Database::from_config(&config)?.open()?)
}
