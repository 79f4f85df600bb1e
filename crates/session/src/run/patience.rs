//! Ends a client whose requests never cease.
//!
//! The compositor's library takes a client's requests until there is none left. Who writes them as fast as they are
//! taken would have the loop for itself: no input, no other app, no server would be heard any more. So the processor's
//! time that one client may take at once is bounded, and after that nothing more is read of it: the library meets
//! the end of the connection, and disconnects it.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

/// Thousands of requests, and many times what the busiest app needs to set up its windows. Our own time counts and not
/// the clock's: on a machine that is busy nobody shall be ended for it.
const MOST_AT_ONCE: Duration = Duration::from_millis(250);

/// Of the signals that nobody else here uses, the one that is made for counted time.
const SIGNAL: libc::c_int = libc::SIGVTALRM;

const NOBODY: i32 = -1;

/// Whose connection is to be cut off.
static WATCHED: AtomicI32 = AtomicI32::new(NOBODY);
static CUT_OFF: AtomicBool = AtomicBool::new(false);

/// The timer; it belongs to the thread that made it.
#[derive(Debug)]
pub struct Patience {
    timer: libc::timer_t,
}

impl Patience {
    /// Counts the calling thread's time. To be made once in a process.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn of_this_thread() -> io::Result<Self> {
        // SAFETY: both structures are plain data for which zero is a value; the handler does only what a handler may;
        // the calls keep no pointer to what is on this stack.
        unsafe {
            let mut action = std::mem::zeroed::<libc::sigaction>();
            action.sa_sigaction = cut_off as *const () as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            done(libc::sigaction(
                SIGNAL,
                &raw const action,
                std::ptr::null_mut(),
            ))?;
            let mut event = std::mem::zeroed::<libc::sigevent>();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = SIGNAL;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer = std::mem::zeroed::<libc::timer_t>();
            done(libc::timer_create(
                libc::CLOCK_THREAD_CPUTIME_ID,
                &raw mut event,
                &raw mut timer,
            ))?;
            Ok(Self { timer })
        }
    }

    /// Does what reads from a client's connection; answers whether that had to be cut off. Whoever acts may close the
    /// descriptor, and must not open another one then.
    pub fn with<T>(&self, connection: RawFd, act: impl FnOnce() -> T) -> (T, bool) {
        CUT_OFF.store(false, Ordering::Relaxed);
        WATCHED.store(connection, Ordering::Relaxed);
        self.set(MOST_AT_ONCE);
        let done = act();
        self.set(Duration::ZERO);
        WATCHED.store(NOBODY, Ordering::Relaxed);
        (done, CUT_OFF.load(Ordering::Relaxed))
    }

    /// Zero is never.
    fn set(&self, after: Duration) {
        let none = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = libc::itimerspec {
            it_interval: none,
            it_value: libc::timespec {
                tv_nsec: after.subsec_nanos().into(),
                ..none
            },
        };
        // SAFETY: the timer is ours and there for as long as we are; the call keeps no pointer.
        let set =
            unsafe { libc::timer_settime(self.timer, 0, &raw const value, std::ptr::null_mut()) };
        debug_assert_eq!(set, 0, "a timer of ours and a time that is one");
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        // SAFETY: the timer is ours, and nobody has it after us.
        unsafe { libc::timer_delete(self.timer) };
    }
}

fn done(answer: libc::c_int) -> io::Result<()> {
    match answer {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn cut_off(_: libc::c_int) {
    let connection = WATCHED.load(Ordering::Relaxed);
    if connection != NOBODY {
        CUT_OFF.store(true, Ordering::Relaxed);
        // SAFETY: both calls are allowed in a handler and take no pointer of ours; the number is kept, since this may
        // come between a call that failed and the look at why.
        unsafe {
            let before = *libc::__errno_location();
            libc::shutdown(connection, libc::SHUT_RD);
            *libc::__errno_location() = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn who_is_read_from_without_end_is_cut_off_and_the_next_is_not() {
        let patience = Patience::of_this_thread().unwrap();
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let flood = std::thread::spawn(move || while theirs.write_all(&[0; 4096]).is_ok() {});
        let (read, cut_off) = patience.with(ours.as_raw_fd(), || {
            let mut bytes = [0; 64];
            while ours.read(&mut bytes).unwrap() > 0 {}
        });
        assert_eq!((read, cut_off), ((), true));
        flood.join().unwrap();

        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(&[0; 64]).unwrap();
        let (read, cut_off) = patience.with(ours.as_raw_fd(), || ours.read(&mut [0; 64]));
        assert_eq!((read.unwrap(), cut_off), (64, false));
    }
}
