//! What is not to be passed on: rights, and descriptors of whoever started us. Part of both binaries.

use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

/// The privileges could not be given up; the caller must not go on.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step}")]
pub struct Stuck {
    step: &'static str,
    #[source]
    source: rustix::io::Errno,
}

/// Becomes `uid` and `gid` with no other group, no capability and no way to get any.
///
/// It acts on the calling thread, so it must be called while that is the only one.
///
/// # Errors
/// A step failed: some privileges are gone and some are not.
pub fn give_up(uid: u32, gid: u32) -> Result<(), Stuck> {
    let failed = |step| move |source| Stuck { step, source };
    for capability in CapabilitySet::all().iter() {
        // The kernel knows fewer than this list; those it does not know nobody can have.
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(source) => return Err(failed("empty the capability bounding set")(source)),
        }
    }
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    rustix::thread::set_thread_groups(&[]).map_err(failed("leave the supplementary groups"))?;
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(failed("become the group"))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(failed("become the user"))?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, none).map_err(failed("drop the capabilities"))?;
    rustix::thread::set_no_new_privs(true).map_err(failed("refuse new privileges"))
}

/// Closes every descriptor but the standard ones. Whoever started this program may have left some open: they
/// are not the apps' business, and a holder that kept them would keep somebody waiting for years.
///
/// To be called before anything is opened.
///
/// # Errors
/// The kernel refuses.
pub fn close_inherited() -> std::io::Result<()> {
    const FIRST: libc::c_uint = 3;
    // SAFETY: the call takes no pointer, and nothing in this process owns a descriptor yet.
    let closed = unsafe { libc::close_range(FIRST, libc::c_uint::MAX, 0) };
    if closed == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}
