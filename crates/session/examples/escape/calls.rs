//! Attempts to reach parts of the kernel. Each call is made so that it changes nothing even where it is allowed;
//! what the kernel finds wrong with it tells how far it came.

use crate::checked;
#[cfg(target_arch = "x86_64")]
use crate::unlike;
use std::io;

/// `None`: no such call. A call was reached when anything but the caller's rights is found wrong with it.
pub fn reach(call: &str) -> Option<io::Result<()>> {
    let nothing = 0_usize;
    let nowhere = -1_isize;
    let first = |number: libc::c_long| (number, nothing, nothing);
    let (number, a, b) = match call {
        "add_key" => first(libc::SYS_add_key),
        "bpf" => first(libc::SYS_bpf),
        "finit_module" => (libc::SYS_finit_module, nowhere.cast_unsigned(), nothing),
        "fsopen" => first(libc::SYS_fsopen),
        "io_uring_setup" => (libc::SYS_io_uring_setup, 1, nothing),
        "kexec_load" => (libc::SYS_kexec_load, nothing, 1000),
        // KEYCTL_GET_KEYRING_ID of the user's keyring.
        "keyctl" => (libc::SYS_keyctl, nothing, (-4_isize).cast_unsigned()),
        "open_by_handle_at" => (
            libc::SYS_open_by_handle_at,
            nowhere.cast_unsigned(),
            nothing,
        ),
        "perf_event_open" => first(libc::SYS_perf_event_open),
        "reboot" => first(libc::SYS_reboot),
        "swapon" => first(libc::SYS_swapon),
        "syslog" => (libc::SYS_syslog, 10, nothing),
        "userfaultfd" => first(libc::SYS_userfaultfd),
        #[cfg(target_arch = "x86_64")]
        "add_key-by-its-second-number" => first(libc::SYS_add_key + 0x4000_0000),
        #[cfg(target_arch = "x86_64")]
        "iopl" => (libc::SYS_iopl, 3, nothing),
        #[cfg(target_arch = "x86_64")]
        "modify_ldt" => first(libc::SYS_modify_ldt),
        _ => return None,
    };
    // SAFETY: every pointer among the arguments is null, which the kernel answers with an error.
    let answer = unsafe { libc::syscall(number, a, b, nothing, nothing, nothing) };
    Some(match checked(answer) {
        Err(error)
            if [libc::EPERM, libc::EACCES, libc::ENOSYS]
                .contains(&error.raw_os_error().unwrap_or_default()) =>
        {
            Err(error)
        }
        _ => Ok(()),
    })
}

/// A call by the old way for 32-bit programs, with numbers a list for 64 bits does not have. In a child, since
/// the answer may be the end of the process.
#[cfg(target_arch = "x86_64")]
pub fn call_of_32_bits() -> io::Result<()> {
    // SAFETY: the child makes one call that takes no argument, and ends without running anything else.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            const GETPID: libc::c_int = 20;
            let answer: libc::c_int;
            std::arch::asm!("int 0x80", inlateout("eax") GETPID => answer, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
            libc::_exit(i32::from(answer <= 0));
        }
        checked(child.into())?;
        let mut status = 0;
        checked(libc::waitpid(child, &raw mut status, 0).into())?;
        match status {
            0 => Ok(()),
            // What a kernel without such calls makes of the instruction.
            _ if libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSEGV => {
                Err(io::Error::from_raw_os_error(libc::ENOSYS))
            }
            _ => Err(unlike("it was ended")),
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub fn call_of_32_bits() -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
