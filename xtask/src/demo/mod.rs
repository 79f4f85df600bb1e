//! `cargo xtask demo`: from a fresh machine to sessions in the browser, with every answer a real one.

mod published;

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::api::Api;
use crate::args::Args;
use crate::failure::{Context, Result, bail};
use crate::server::{self, Server};
use crate::setup::{self, Scope};
use crate::shell::Run;
use crate::steps::Steps;
use crate::workspace::{Profile, Workspace};
use crate::{build, http};
use published::Published;

const USER: &str = "alice";
const PORT: u16 = 8080;
/// Five nodes for five sessions of one person, on a machine of two processors as well.
const SETTINGS: &[(&str, &str)] = &[("GREENROOM_CAPACITY_OVERCOMMIT", "8")];
/// How soon Ctrl-C is noticed.
const ATTENTION: Duration = Duration::from_millis(200);

/// The command.
pub fn main(workspace: &Workspace, mut args: Args) -> Result {
    let exit = args.flag("--exit");
    let data = match args.option("--data-dir")? {
        Some(dir) => std::path::absolute(&dir).context(|| format!("finding {dir}"))?,
        None => server::data_dir(workspace, "demo"),
    };
    args.finish()?;
    let leave = until_told_to_leave()?;
    let mut steps = Steps::new(5);
    steps.step("install what this machine lacks", || {
        setup::prepare(workspace, Scope::Demo)
    })?;
    steps.step("build the programs", || {
        build::binaries(workspace, Profile::Dev)
    })?;
    steps.step("build the player", || {
        build::player(workspace, Profile::Dev)
    })?;
    let mut server = steps.step("start greenroom serve", || serve(workspace, &data))?;
    let api = Api::new(server.address(), server.keys()?);
    let published = Published::find_or_create(&api)?;
    let shown = steps
        .step(
            "publish a terminal, an editor, an office app and a browser",
            || published.wait_until_running(),
        )
        .and_then(|()| {
            println!("\n{}", steps.summary());
            show(&server, &published)
        });
    let served = match shown {
        Ok(()) if exit => check(workspace, &server, &published, &data),
        Ok(()) => serve_until_asked(&mut server, &published, &leave),
        Err(failure) => Err(failure),
    };
    // Whatever happened, nothing of the demo stays behind; a failure before this one is the one to tell.
    served.and(put_away(server, published, &data))
}

/// A flag that the first Ctrl-C sets, so that what was started is put away in order; the second ends us at once.
fn until_told_to_leave() -> Result<Arc<AtomicBool>> {
    let leave = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&leave))
            .and_then(|_| flag::register(signal, Arc::clone(&leave)))
            .context(|| "listening for Ctrl-C".into())?;
    }
    Ok(leave)
}

fn serve(workspace: &Workspace, data: &Path) -> Result<Server> {
    let address = server::free_address(PORT)?;
    if address.port() != PORT {
        println!("  port {PORT} is taken; using {}", address.port());
    }
    Server::start(workspace, Profile::Dev, data, address, SETTINGS)
}

fn show(server: &Server, published: &Published<'_>) -> Result {
    let keys = server.keys()?;
    println!("Greenroom is serving.\n");
    println!("  endpoint     http://{}", server.address());
    println!("  credentials  {}", server.credentials_file().display());
    println!("  log          {}\n", server.log().display());
    println!("For the example of the README:\n");
    println!("  export APPSTREAM_ENDPOINT={}", server.address());
    println!("  export ALIBABA_CLOUD_ACCESS_KEY_ID={}", keys.id);
    println!("  export ALIBABA_CLOUD_ACCESS_KEY_SECRET={}\n", keys.secret);
    if let Some(answer) = published.list_first()? {
        println!("ListPersistentAppInstances answers for the terminals:\n\n{answer:#}\n");
    }
    for (session, number) in published.sessions()?.iter().zip(1..) {
        println!("  {number}  {}  {}", session.id, session.app);
    }
    println!();
    show_link(server, published, 1)
}

/// Prints a link to the session of this number; tickets open one page, once.
fn show_link(server: &Server, published: &Published<'_>, number: usize) -> Result {
    let sessions = published.sessions()?;
    let Some(session) = number.checked_sub(1).and_then(|at| sessions.get(at)) else {
        println!("There are sessions 1 to {}.", sessions.len());
        return Ok(());
    };
    let link = session
        .ticket()?
        .link(&format!("http://{}", server.address()));
    println!(
        "Session {number} for {USER}, in a browser on this machine (once, within 60 seconds):\n\n  {link}\n"
    );
    Ok(())
}

/// What `--exit` makes sure of beyond what was needed to come this far.
fn check(workspace: &Workspace, server: &Server, published: &Published<'_>, data: &Path) -> Result {
    let page = http::get(server.address(), "/play")?;
    let has_player = String::from_utf8_lossy(&page.body).contains("<script");
    if page.status != 200 || !has_player {
        bail!(
            "GET /play answered {} and {} player",
            page.status,
            if has_player { "a" } else { "no" }
        );
    }
    println!("GET /play answers with the player.");
    let folder = data.join("screenshots");
    std::fs::create_dir_all(&folder).context(|| format!("creating {}", folder.display()))?;
    for (session, number) in published.sessions()?.iter().zip(1..) {
        Run::new(workspace.bin_dir(Profile::Dev).join("greenroom"))
            .args(["session", "screenshot", &session.id, "--data-dir"])
            .args([data])
            .args(["-o"])
            .args([folder.join(format!("{number}-{}.png", session.app))])
            .run()?;
    }
    println!("What the sessions show lies in {}.", folder.display());
    Ok(())
}

fn serve_until_asked(server: &mut Server, published: &Published<'_>, leave: &AtomicBool) -> Result {
    println!(
        "Enter: a fresh link. 2 and Enter: one to session 2. Ctrl-C: stop the sessions and the server."
    );
    let (sender, typed) = channel();
    read_lines(sender.clone());
    while !leave.load(Ordering::Relaxed) {
        // `sender` lives as long as we do, so that a closed standard input means silence, not an end.
        if let Ok(line) = typed.recv_timeout(ATTENTION) {
            let line: String = line;
            show_link(server, published, line.trim().parse().unwrap_or(1))?;
        }
        if server.ended() {
            bail!(
                "greenroom serve ended by itself; its sessions run on, and the next demo adopts them. It said:\n{}",
                server.last_words()
            );
        }
    }
    drop(sender);
    Ok(())
}

/// Hands on what is typed. The thread waits in a read that nothing can end but the process.
fn read_lines(to: Sender<String>) {
    std::thread::spawn(move || {
        let lines = std::io::stdin()
            .lock()
            .lines()
            .map_while(std::result::Result::ok);
        for line in lines {
            if to.send(line).is_err() {
                break;
            }
        }
    });
}

fn put_away(server: Server, published: Published<'_>, data: &Path) -> Result {
    println!(
        "\nStopping the sessions, then the server (without a demo around it, a session outlives its server)."
    );
    published.delete(data)?;
    server.stop()
}
