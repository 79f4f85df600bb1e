//! Figures in the form all benchmarks of the project share. One that was not measured is absent.

use std::fs;

use serde_json::{Map, Value, json};

use crate::failure::{Context, Result, bail};

/// Which way a figure should move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Times, bytes, memory.
    Lower,
    /// Rates, and shares of what is possible.
    Higher,
}

impl Better {
    fn word(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }

    fn sign(self) -> char {
        match self {
            Self::Lower => '≤',
            Self::Higher => '≥',
        }
    }
}

/// One figure.
pub struct Figure {
    /// What was going on.
    pub workload: String,
    /// What was measured of it.
    pub metric: String,
    /// On which of several things that are compared; else empty.
    pub subject: &'static str,
    /// In what.
    pub unit: String,
    /// The figure itself.
    pub value: f64,
    /// Which way it should move.
    pub better: Better,
    /// How far it should have moved, where somebody has said so.
    pub goal: Option<f64>,
}

impl Figure {
    fn compares_with(&self, other: &Self) -> bool {
        (&self.workload, &self.metric) == (&other.workload, &other.metric)
    }

    fn meets(&self, goal: f64) -> bool {
        match self.better {
            Better::Lower => self.value <= goal,
            Better::Higher => self.value >= goal,
        }
    }

    fn verdict(&self) -> String {
        let Some(goal) = self.goal else {
            return String::new();
        };
        let met = if self.meets(goal) { "met" } else { "not met" };
        format!("  goal {} {goal:.2}: {met}", self.better.sign())
    }
}

/// One figure as the programs that measure say it: workload, metric, unit and value, separated by tabs.
pub struct Said<'a> {
    /// What was going on.
    pub workload: &'a str,
    /// What was measured of it.
    pub metric: &'a str,
    /// In what.
    pub unit: &'a str,
    /// The figure itself.
    pub value: f64,
}

impl<'a> Said<'a> {
    /// Reads one line.
    pub fn parse(line: &'a str) -> Result<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [workload, metric, unit, value] = fields[..] else {
            bail!("`{line}` is no figure");
        };
        let value = value.parse().context(|| format!("reading `{line}`"))?;
        Ok(Self {
            workload,
            metric,
            unit,
            value,
        })
    }
}

/// All figures of one benchmark.
pub struct Report {
    bench: &'static str,
    figures: Vec<Figure>,
}

impl Report {
    /// Without figures yet.
    pub fn new(bench: &'static str) -> Self {
        Self {
            bench,
            figures: Vec::new(),
        }
    }

    /// Adds a figure for which less is better.
    pub fn add(&mut self, workload: &str, metric: &str, unit: &str, value: f64) {
        self.push(Figure {
            workload: workload.into(),
            metric: metric.into(),
            subject: "",
            unit: unit.into(),
            value,
            better: Better::Lower,
            goal: None,
        });
    }

    /// Adds a figure.
    pub fn push(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Adds the median and the 95th percentile of samples; none of them, if there are no samples.
    pub fn add_times(&mut self, workload: &str, metric: &str, milliseconds: &[f64]) {
        for (name, share) in [("p50", 0.5), ("p95", 0.95)] {
            if let Some(value) = percentile(milliseconds, share) {
                self.add(workload, &format!("{metric} {name}"), "ms", value);
            }
        }
    }

    /// The figures for a person.
    pub fn table(&self) -> String {
        let width = |of: fn(&Figure) -> &str| {
            self.figures
                .iter()
                .map(|it| of(it).chars().count())
                .max()
                .unwrap_or(0)
        };
        let (workload, metric) = (width(|it| &it.workload), width(|it| &it.metric));
        let subject = width(|it| it.subject);
        let mut text = format!(
            "{} on {}\n",
            self.bench,
            machine()["cpu"].as_str().unwrap_or("this machine")
        );
        for it in self.side_by_side() {
            let line = format!(
                "  {:<workload$}  {:<metric$}  {:<subject$}  {:>10.2} {}{}\n",
                it.workload,
                it.metric,
                it.subject,
                it.value,
                it.unit,
                it.verdict()
            );
            text.push_str(&line);
        }
        text
    }

    /// The figures for a machine. There are no peers before somebody has measured some.
    pub fn json(&self) -> Value {
        let figure = |it: &Figure| {
            json!({
                "workload": match it.subject {
                    "" => it.workload.clone(),
                    subject => format!("{}, {subject}", it.workload),
                },
                "metric": it.metric,
                "unit": it.unit,
                "value": it.value,
                "goal": it.goal,
                "better": it.better.word(),
                "peers": {},
            })
        };
        json!({
            "bench": self.bench,
            "machine": machine(),
            "figures": self.side_by_side().into_iter().map(figure).collect::<Vec<_>>(),
        })
    }

    /// The figures, those that are compared next to each other: they were measured one thing after the other.
    fn side_by_side(&self) -> Vec<&Figure> {
        let place = |it: &&Figure| {
            self.figures
                .iter()
                .position(|first| first.compares_with(it))
        };
        let mut figures: Vec<_> = self.figures.iter().collect();
        figures.sort_by_cached_key(place);
        figures
    }
}

/// The smallest sample that is at least as large as this share of them.
fn percentile(samples: &[f64], share: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is an index"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// What the figures depend on, as far as it can be read here.
fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let mut machine = Map::new();
    let mut known = |name: &str, value: Option<Value>| {
        machine.extend(value.map(|value| (name.to_owned(), value)));
    };
    known(
        "cpu",
        after(&read("/proc/cpuinfo"), "model name").map(Value::from),
    );
    known(
        "cores",
        std::thread::available_parallelism()
            .ok()
            .map(|cores| cores.get().into()),
    );
    known(
        "memory",
        after(&read("/proc/meminfo"), "MemTotal").map(Value::from),
    );
    known(
        "kernel",
        Some(read("/proc/sys/kernel/osrelease").trim().into()),
    );
    Value::Object(machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_that_were_taken() {
        let samples: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(percentile(&samples, 0.5), Some(10.0));
        assert_eq!(percentile(&samples, 0.95), Some(19.0));
        assert_eq!(percentile(&[7.0], 0.95), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn a_goal_is_met_or_not_in_the_direction_of_the_figure() {
        let figure = |value, better, goal| Figure {
            workload: String::new(),
            metric: String::new(),
            subject: "",
            unit: String::new(),
            value,
            better,
            goal,
        };
        for (value, better, goal, said) in [
            (0.5, Better::Higher, Some(0.5), "  goal ≥ 0.50: met"),
            (0.49, Better::Higher, Some(0.5), "  goal ≥ 0.50: not met"),
            (5.0, Better::Lower, Some(5.0), "  goal ≤ 5.00: met"),
            (5.1, Better::Lower, Some(5.0), "  goal ≤ 5.00: not met"),
            (1.0, Better::Lower, None, ""),
        ] {
            assert_eq!(figure(value, better, goal).verdict(), said);
        }
    }

    #[test]
    fn what_is_compared_stands_side_by_side() {
        let mut report = Report::new("x");
        for subject in ["one", "other"] {
            for workload in ["reading", "writing"] {
                report.push(Figure {
                    workload: workload.into(),
                    metric: "rate".into(),
                    subject,
                    unit: "1/s".into(),
                    value: 1.0,
                    better: Better::Higher,
                    goal: None,
                });
            }
        }
        let json = report.json();
        let figures = json["figures"].as_array().unwrap();
        let workloads: Vec<_> = figures.iter().map(|it| &it["workload"]).collect();
        assert_eq!(
            workloads,
            [
                "reading, one",
                "reading, other",
                "writing, one",
                "writing, other"
            ]
        );
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let mut report = Report::new("x");
        report.add_times("typing", "key to picture", &[]);
        report.add("idle", "memory", "MiB", 1.5);
        let json = report.json();
        assert_eq!(json["figures"].as_array().unwrap().len(), 1);
        assert_eq!(json["figures"][0]["value"], 1.5);
        assert!(report.table().contains("1.50 MiB"), "{}", report.table());
    }
}
