//! Work that takes minutes, told to the terminal.

use crate::Result;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How often the terminal is told that work goes on.
const NEWS: Duration = Duration::from_secs(5);

/// Writes under way at once: they share a commit, as many reconcilers' observations would.
const WRITES: usize = 64;

/// How far some work has come.
pub struct Progress {
    what: &'static str,
    begun: Instant,
    told: Instant,
    done: u64,
}

impl Progress {
    /// Nothing is done yet.
    pub fn new(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            what,
            begun: now,
            told: now,
            done: 0,
        }
    }

    /// One more is done.
    pub fn one_more(&mut self) {
        self.done += 1;
        if self.told.elapsed() >= NEWS {
            self.tell("so far");
            self.told = Instant::now();
        }
    }

    /// All is done.
    pub fn end(self) {
        self.tell("in all");
    }

    fn tell(&self, when: &str) {
        let (what, done, took) = (self.what, self.done, self.begun.elapsed().as_secs_f64());
        eprintln!("    {what}: {done} in {took:.1} s {when}");
    }
}

/// Waits for work of which only the end shows.
pub async fn wait<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::pin!(work);
    let begun = Instant::now();
    let tell = |when| eprintln!("    {what}: {:.1} s {when}", begun.elapsed().as_secs_f64());
    loop {
        tokio::select! {
            done = &mut work => {
                tell("in all");
                return done;
            }
            () = tokio::time::sleep(NEWS) => tell("so far"),
        }
    }
}

/// Writes under way, and how many were done.
pub struct Writes {
    tasks: JoinSet<Result>,
    progress: Progress,
}

impl Writes {
    /// None yet.
    pub fn new(what: &'static str) -> Self {
        Self {
            tasks: JoinSet::new(),
            progress: Progress::new(what),
        }
    }

    /// Begins one, as soon as there is room for it.
    pub async fn begin(&mut self, write: impl Future<Output = Result> + Send + 'static) -> Result {
        while self.tasks.len() >= WRITES {
            self.one_more().await?;
        }
        self.tasks.spawn(write);
        Ok(())
    }

    /// Waits for all of them.
    pub async fn end(mut self) -> Result {
        while !self.tasks.is_empty() {
            self.one_more().await?;
        }
        self.progress.end();
        Ok(())
    }

    async fn one_more(&mut self) -> Result {
        if let Some(ended) = self.tasks.join_next().await {
            ended??;
            self.progress.one_more();
        }
        Ok(())
    }
}
