//! Which system calls a session's processes do without.
//!
//! A list of what is refused, not of what is allowed: any desktop app may run here, and most of the kernel is
//! reached by files and sockets anyhow. Refused are calls that only administer a machine, calls that open large
//! and rarely used parts of the kernel to whoever makes them, and ways around this list. User namespaces stay,
//! because browsers build sandboxes of their own with them; what one would gain in them (mounts, raw packets,
//! packet filters) does not. See `docs/decisions/`.

use super::SandboxError;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use std::fs::File;

/// The filters as bubblewrap reads them, each in a file of its own.
///
/// # Errors
/// They cannot be made for this machine.
pub fn files() -> Result<Vec<File>, SandboxError> {
    let programs = programs().map_err(unfit)?;
    programs
        .iter()
        .map(|program| super::memory_file("filter", &bytes(program)))
        .collect()
}

/// Puts the calling thread, and what it starts from now on, under the same filters. No new privileges can be
/// had afterwards, and there is no way back.
///
/// # Errors
/// They cannot be made for this machine, or the kernel refuses them.
pub fn enter() -> Result<(), SandboxError> {
    for program in programs().map_err(unfit)? {
        seccompiler::apply_filter(&program).map_err(unfit)?;
    }
    Ok(())
}

fn unfit(error: impl std::error::Error + Send + Sync + 'static) -> SandboxError {
    SandboxError::at("filter system calls")(std::io::Error::other(error))
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Built<T> = Result<T, seccompiler::BackendError>;

fn programs() -> Built<[BpfProgram; 2]> {
    let forbidden = program(forbidden()?, libc::EPERM)?;
    let absent = program(always(ABSENT), libc::ENOSYS)?;
    Ok([forbidden, without_x32(absent)])
}

/// Foreign machines' calls (32-bit programs) end the process: they have numbers of their own.
fn program(refused: Rules, errno: i32) -> Built<BpfProgram> {
    let answer = SeccompAction::Errno(errno.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(refused, SeccompAction::Allow, answer, machine)?.try_into()
}

fn always(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// Answered as by a kernel that lacks them, because programs know how to go on without.
const ABSENT: &[i64] = &[
    // Its flags lie in memory, which a filter cannot read; C libraries fall back on clone(2).
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    // Keys belong to the user, not to a namespace.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The new ways to mount.
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
];

/// Refused whatever the arguments.
const FORBIDDEN: &[i64] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_setns,
    // Other processes' memory and descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    // Files by handle, past every folder on the way.
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // Administration.
    libc::SYS_acct,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    // Placement of memory, of other processes too.
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_set_mempolicy,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
];

/// Namespaces in which a process would be an administrator of more than browsers' sandboxes need.
const NAMESPACES: [i32; 3] = [libc::CLONE_NEWNS, libc::CLONE_NEWCGROUP, libc::CLONE_NEWUTS];
/// Of `unshare` only: in `clone` the bit is part of a signal's number.
const NEW_TIME_NAMESPACE: i32 = 0x80;

/// The kinds of sockets within `AF_INET` and `AF_INET6` that are no stream and no datagram: raw ones, and those
/// of protocols nobody loads on purpose. 10, long obsolete, turns into `AF_PACKET`.
const ODD_KINDS: std::ops::RangeInclusive<i32> = 3..=10;
const KIND: u64 = 0xf;

/// Types text into the terminal it is called on, whoever reads there.
const TERMINAL_INPUT: [libc::Ioctl; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

/// What `personality` may ask for: nothing new.
const PERSONALITY_UNCHANGED: [u64; 2] = [0, 0xffff_ffff];

fn forbidden() -> Built<Rules> {
    let mut rules = always(FORBIDDEN);
    let namespaces: Vec<SeccompRule> = NAMESPACES
        .into_iter()
        .map(|flag| rule([has(0, flag)?]))
        .collect::<Built<_>>()?;
    rules.insert(libc::SYS_clone, namespaces.clone());
    let mut unshared = namespaces;
    unshared.push(rule([has(0, NEW_TIME_NAMESPACE)?])?);
    rules.insert(libc::SYS_unshare, unshared);
    rules.insert(libc::SYS_ioctl, terminals()?);
    let [standard, query] = PERSONALITY_UNCHANGED;
    let changed = rule([is_not(0, standard)?, is_not(0, query)?])?;
    rules.insert(libc::SYS_personality, vec![changed]);
    rules.insert(libc::SYS_socket, sockets()?);
    Ok(rules)
}

fn terminals() -> Built<Vec<SeccompRule>> {
    let is = |request: libc::Ioctl| {
        // The kernel looks at 32 bits, so whatever the upper ones are must not matter here.
        let condition = SeccompCmpOp::Eq;
        SeccompCondition::new(1, SeccompCmpArgLen::Dword, condition, request)
    };
    TERMINAL_INPUT
        .into_iter()
        .map(|request| rule([is(request)?]))
        .collect()
}

/// Sockets: local ones, TCP and UDP, and the questions that C libraries ask about the network.
fn sockets() -> Built<Vec<SeccompRule>> {
    let number = |constant: i32| u64::from(constant.cast_unsigned());
    let mut refused = vec![rule([
        is_not(0, number(libc::AF_UNIX))?,
        is_not(0, number(libc::AF_INET))?,
        is_not(0, number(libc::AF_INET6))?,
        is_not(0, number(libc::AF_NETLINK))?,
    ])?];
    for family in [libc::AF_INET, libc::AF_INET6] {
        for kind in ODD_KINDS {
            refused.push(rule([
                is(0, number(family))?,
                masked(1, KIND, number(kind))?,
            ])?);
        }
        refused.push(rule([
            is(0, number(family))?,
            is_not(2, 0)?,
            is_not(2, number(libc::IPPROTO_TCP))?,
            is_not(2, number(libc::IPPROTO_UDP))?,
        ])?);
    }
    refused.push(rule([
        is(0, number(libc::AF_NETLINK))?,
        is_not(2, number(libc::NETLINK_ROUTE))?,
        // Which devices come and go.
        is_not(2, number(libc::NETLINK_KOBJECT_UEVENT))?,
    ])?);
    Ok(refused)
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Built<SeccompRule> {
    SeccompRule::new(conditions.into())
}

fn has(at: u8, flag: i32) -> Built<SeccompCondition> {
    let flag = u64::from(flag.cast_unsigned());
    masked(at, flag, flag)
}

fn masked(at: u8, mask: u64, value: u64) -> Built<SeccompCondition> {
    let operation = SeccompCmpOp::MaskedEq(mask);
    SeccompCondition::new(at, SeccompCmpArgLen::Dword, operation, value)
}

fn is(at: u8, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(at, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn is_not(at: u8, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(at, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

/// On `x86_64` each call has a second number, for programs with short pointers, which no list names.
#[cfg(target_arch = "x86_64")]
fn without_x32(program: BpfProgram) -> BpfProgram {
    const SECOND_NUMBERS: u32 = 0x4000_0000;
    let instruction = |code: u32, jf: u8, k: u32| seccompiler::sock_filter {
        // Codes of the kernel's filters have 16 bits.
        code: code as u16,
        jt: 0,
        jf,
        k,
    };
    // The number of the call lies first in what a filter looks at.
    let mut whole = vec![
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        instruction(
            libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K,
            1,
            SECOND_NUMBERS,
        ),
        instruction(
            libc::BPF_RET | libc::BPF_K,
            0,
            libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned(),
        ),
    ];
    whole.extend(program);
    whole
}

#[cfg(not(target_arch = "x86_64"))]
fn without_x32(program: BpfProgram) -> BpfProgram {
    program
}

fn bytes(program: &BpfProgram) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(program.len() * 8);
    for instruction in program {
        bytes.extend(instruction.code.to_ne_bytes());
        bytes.extend([instruction.jt, instruction.jf]);
        bytes.extend(instruction.k.to_ne_bytes());
    }
    bytes
}
