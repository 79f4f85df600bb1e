//! `greenroom`: see [`greenroom_server`].

fn main() -> std::process::ExitCode {
    greenroom_server::cli::run()
}
