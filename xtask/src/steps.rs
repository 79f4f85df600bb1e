//! Numbered steps with their times, so that whoever waits knows for what.

use std::time::{Duration, Instant};

use crate::failure::Result;

/// Runs steps one after the other and remembers how long each took.
pub struct Steps {
    total: usize,
    started: Instant,
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// A plan of `total` steps.
    pub fn new(total: usize) -> Self {
        Self {
            total,
            started: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Runs one step; its failure ends the plan.
    pub fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let number = self.done.len() + 1;
        println!(
            "\n[{number}/{}] {name}  (at {})",
            self.total,
            told(self.started.elapsed())
        );
        let began = Instant::now();
        let result = work();
        let took = began.elapsed();
        println!(
            "[{number}/{}] {name}: {} in {}",
            self.total,
            if result.is_ok() { "ok" } else { "FAILED" },
            told(took)
        );
        self.done.push((name.to_owned(), took));
        result
    }

    /// One line per step, and the total.
    pub fn summary(&self) -> String {
        let width = self
            .done
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for (name, took) in &self.done {
            text.push_str(&format!("  {name:<width$}  {:>7}\n", told(*took)));
        }
        text.push_str(&format!(
            "  {:<width$}  {:>7}\n",
            "total",
            told(self.started.elapsed())
        ));
        text
    }
}

/// A duration as people read it.
pub fn told(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn a_failed_step_hands_its_failure_on() {
        let mut steps = Steps::new(2);
        assert_eq!(steps.step("one", || Ok(1)).unwrap(), 1);
        let failed = steps.step("two", || Err::<(), _>(Failure::new("broken")));
        assert_eq!(failed.unwrap_err().to_string(), "broken");
        assert!(steps.summary().contains("two"));
    }

    #[test]
    fn times_are_told_in_seconds_then_minutes() {
        assert_eq!(told(Duration::from_millis(1500)), "1.5 s");
        assert_eq!(told(Duration::from_secs(125)), "2:05 min");
    }
}
