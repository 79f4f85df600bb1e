//! Ctrl-C while a check runs: what it started does not stay behind.

use std::sync::{Mutex, Once, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{Context, Result};

type Task = Box<dyn Fn() + Send>;

/// What to put away, by number, in the order it was started.
static TASKS: Mutex<Vec<(u64, Task)>> = Mutex::new(Vec::new());
static LISTENING: Once = Once::new();

/// Something that is put away when this value goes, whether work ends, fails, panics or is interrupted.
pub struct Guard(u64);

impl Guard {
    /// `put_away` may be called when there is nothing left to put away.
    pub fn new(put_away: impl Fn() + Send + 'static) -> Result<Self> {
        let mut listening = Ok(());
        LISTENING.call_once(|| listening = listen());
        listening?;
        let mut tasks = tasks();
        let number = tasks.last().map_or(0, |(last, _)| last + 1);
        tasks.push((number, Box::new(put_away)));
        Ok(Self(number))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut tasks = tasks();
        if let Some(at) = tasks.iter().position(|(number, _)| *number == self.0) {
            let (_, put_away) = tasks.remove(at);
            put_away();
        }
    }
}

/// SIGTERM, which our programs take as an order to stop. That a process has ended meanwhile is fine.
pub fn terminate(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

fn listen() -> Result {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context(|| "listening for Ctrl-C".into())?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            // The latest first: a server before the sessions it would start again.
            tasks().iter().rev().for_each(|(_, put_away)| put_away());
            std::process::exit(130);
        }
    });
    Ok(())
}

fn tasks() -> std::sync::MutexGuard<'static, Vec<(u64, Task)>> {
    // A task that panicked has not changed the list.
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_is_guarded_is_put_away_once_even_after_a_panic() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let panicked = std::panic::catch_unwind(move || {
            let _guard = Guard::new(move || {
                counted.fetch_add(1, Ordering::SeqCst);
            });
            panic!("in the middle of the work");
        });
        assert!(panicked.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
