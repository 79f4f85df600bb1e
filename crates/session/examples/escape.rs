//! `escape ATTEMPT [ARGUMENT…]`: one attempt to get out of a sandbox, made of plain system calls.
//!
//! Ends with 0 when it has got what it tried for, 1 when it was refused, 2 when it is no attempt, 3 when it was told
//! that there is no such part of the kernel; and says which answer that was. Nothing it does changes a machine it is not
//! locked up on: it is also run outside, where most attempts must succeed.

#[path = "escape/calls.rs"]
mod calls;
#[path = "escape/files.rs"]
mod files;
#[path = "escape/processes.rs"]
mod processes;
#[path = "escape/sockets.rs"]
mod sockets;

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, said) = match attempt(&words) {
        None => (2, "no such attempt".to_owned()),
        Some(Ok(())) => (0, "succeeded".to_owned()),
        Some(Err(error)) => (if is_absent(&error) { 3 } else { 1 }, error.to_string()),
    };
    // Nobody may be listening.
    let _ = writeln!(io::stdout(), "{said}");
    ExitCode::from(code)
}

/// `None`: there is no such attempt.
fn attempt(words: &[&str]) -> Option<io::Result<()>> {
    Some(match words {
        // The rest as an administrator of a user namespace of one's own.
        ["in-a-namespace", rest @ ..] => match processes::become_administrator() {
            Ok(()) => return attempt(rest),
            Err(error) => Err(error),
        },
        ["read", paths @ ..] => files::any(paths, files::read),
        ["write", paths @ ..] => files::any(paths, files::open_to_write),
        ["list", folder, wanted] => files::list(folder, wanted),
        ["link", target, name] => files::link(target, name),
        ["replace", folder] => files::replace(folder),
        ["device", name] => files::make_device(name),
        ["connect", address] => sockets::connect(address),
        ["connect-by", interface, address] => sockets::connect_by(interface, address),
        ["send", address] => sockets::send(address),
        ["send-by", interface, address] => sockets::send_by(interface, address),
        ["raise", interface] => sockets::raise(interface),
        ["resolve", name] => sockets::resolve(name),
        ["connect-local", paths @ ..] => files::any(paths, sockets::connect_local),
        ["connect-named", name] => sockets::connect_named(name),
        ["socket", numbers @ ..] => sockets::make(numbers),
        ["kill", pid] => processes::signal(pid),
        ["trace", pid] => processes::trace(pid),
        ["memory", pid] => processes::read_memory(pid),
        ["find", name] => processes::find(name),
        ["become", uid] => processes::become_user(uid),
        ["raised-by", program] => processes::raised_by(program),
        ["shared-memory", key] => processes::shared_memory(key),
        ["type-into-terminal"] => processes::type_into_terminal(),
        ["mount", folder] => files::mount(folder),
        ["namespace", name] => processes::namespace(name),
        ["reach", call] => calls::reach(call)?,
        ["32-bit"] => calls::call_of_32_bits(),
        _ => return None,
    })
}

/// What a call has answered, with the reason when it failed.
fn checked(answer: libc::c_long) -> io::Result<libc::c_long> {
    if answer == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(answer)
    }
}

/// The kernel's ways to say that it was built without something.
fn is_absent(error: &io::Error) -> bool {
    const ANSWERS: [i32; 3] = [libc::ENOSYS, libc::EAFNOSUPPORT, libc::EPROTONOSUPPORT];
    error
        .raw_os_error()
        .is_some_and(|answer| ANSWERS.contains(&answer))
}

fn unlike(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}
