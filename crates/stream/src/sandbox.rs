//! What the streamer gives up before it reads a viewer's first byte.
//!
//! It parses what strangers send and holds a picture of somebody's screen, so after start-up the kernel
//! lets it do only what its loop does: wait, accept, read and write descriptors it has, map memory that
//! is not executable, and leave. Opening a file, making a socket, connecting, starting or tracing a
//! process are not on the list. There is no switch to do without: a kernel that cannot filter system
//! calls does not run sessions (see `docs/decisions/`).

use rustix::process::{Resource, Rlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;

/// The sandbox cannot be had; the streamer must not run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A limit was refused.
    #[error("the streamer's limits cannot be set")]
    Limits(#[from] rustix::io::Errno),
    /// The filter cannot be made for this machine.
    #[error("system calls cannot be filtered on this machine")]
    Compile(#[from] seccompiler::BackendError),
    /// The kernel refused the filter.
    #[error("the kernel refuses to filter system calls")]
    Install(#[from] seccompiler::Error),
}

/// Gives up everything that is not needed any more. There is no way back.
///
/// # Errors
/// The kernel refuses; nothing must be served then.
pub fn enter() -> Result<(), SandboxError> {
    // A core file would hold the screen and the key.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    rustix::process::setrlimit(Resource::Core, none)?;
    // Sets no_new_privs as well.
    seccompiler::apply_filter(&filter()?)?;
    Ok(())
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let not_executable = vec![argument_lacks(2, libc::PROT_EXEC)?];
    rules.insert(libc::SYS_mmap, not_executable.clone());
    rules.insert(libc::SYS_mprotect, not_executable);
    let fcntl = [libc::F_GETFL, libc::F_SETFL, libc::F_GET_SEALS];
    rules.insert(
        libc::SYS_fcntl,
        fcntl
            .into_iter()
            .map(|command| argument_is(1, command))
            .collect::<Result<_, _>>()?,
    );
    // A refused call fails where it is made. Killing the process instead would turn a C library that asks
    // for something new and harmless into a session nobody can see.
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, refused, SeccompAction::Allow, machine)?.try_into()
}

/// Allowed whatever the arguments.
const ALLOWED: &[i64] = &[
    // The loop.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_accept4,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_clock_gettime,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_getrandom,
    // Signals, panics and the end.
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigaction,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

fn argument_lacks(at: u8, bit: i32) -> Result<SeccompRule, seccompiler::BackendError> {
    rule(
        at,
        SeccompCmpOp::MaskedEq(u64::from(bit.cast_unsigned())),
        0,
    )
}

fn argument_is(at: u8, value: i32) -> Result<SeccompRule, seccompiler::BackendError> {
    rule(at, SeccompCmpOp::Eq, u64::from(value.cast_unsigned()))
}

fn rule(
    at: u8,
    operation: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    let condition = SeccompCondition::new(at, SeccompCmpArgLen::Dword, operation, value)?;
    SeccompRule::new(vec![condition])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::mm::{MapFlags, ProtFlags};
    use std::fs::File;
    use std::io;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    fn executable_memory() -> io::Result<()> {
        let protection = ProtFlags::READ | ProtFlags::EXEC;
        // SAFETY: a fresh mapping at an address the kernel picks aliases nothing; were it granted, the
        // test would fail and the process end.
        let memory = unsafe {
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), 4096, protection, MapFlags::PRIVATE)
        };
        Ok(memory.map(|_| ())?)
    }

    #[test]
    fn inside_nothing_can_be_opened_connected_started_or_made_executable() {
        // A filter binds the thread that installs it, here one that ends with the test.
        let inside = std::thread::spawn(|| {
            let (mut ours, mut theirs) = UnixStream::pair().unwrap();
            enter().unwrap();
            io::Write::write_all(&mut ours, b"still works").unwrap();
            io::Read::read_exact(&mut theirs, &mut [0; 11]).unwrap();
            [
                ("open", File::open("/dev/null").map(drop)),
                ("create", File::create("/dev/shm/greenroom-test").map(drop)),
                ("listen", TcpListener::bind("127.0.0.1:0").map(drop)),
                ("connect", TcpStream::connect("127.0.0.1:9").map(drop)),
                ("pair", UnixStream::pair().map(drop)),
                ("start", Command::new("/bin/true").spawn().map(drop)),
                ("execute", executable_memory()),
            ]
        });
        for (deed, outcome) in inside.join().unwrap() {
            let refused = outcome.map_err(|error| error.kind());
            assert_eq!(refused, Err(io::ErrorKind::PermissionDenied), "{deed}");
        }
    }
}
