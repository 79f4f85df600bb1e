//! What `/metrics` says of the API and the reconcilers, in Prometheus' text form.

use crate::reconcilers::Report;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Different codes counted for each action; more are counted together, so that no caller can make the
/// table grow.
const CODES: usize = 64;

/// What stands for the code of a call that was carried out.
pub const OK: &str = "OK";

/// Counts of calls by action and code, with the time they took.
#[derive(Debug)]
pub struct Calls(Mutex<BTreeMap<&'static str, BTreeMap<String, Count>>>);

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    calls: u64,
    took: Duration,
}

impl Calls {
    /// No calls yet of these actions: each is shown from the start, so that what nobody calls is seen, too.
    #[must_use]
    pub fn of(actions: impl IntoIterator<Item = &'static str>) -> Self {
        let none = || BTreeMap::from([(OK.to_owned(), Count::default())]);
        let actions = actions.into_iter().map(|action| (action, none()));
        Self(Mutex::new(actions.collect()))
    }

    /// One more call.
    pub fn note(&self, action: &'static str, code: &str, took: Duration) {
        // Counts are whole at every moment, so a panic elsewhere does not spoil them.
        let mut actions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let codes = actions.entry(action).or_default();
        let code = if codes.len() < CODES || codes.contains_key(code) {
            code
        } else {
            "other"
        };
        let count = codes.entry(code.to_owned()).or_default();
        count.calls += 1;
        count.took += took;
    }

    /// Writes the counts as Prometheus reads them.
    pub fn render(&self, text: &mut String) {
        let actions = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        text.push_str("# HELP greenroom_api_calls_total Calls answered, by action and code.\n");
        text.push_str("# TYPE greenroom_api_calls_total counter\n");
        for (action, code, count) in each(&actions) {
            let _ = writeln!(
                text,
                "greenroom_api_calls_total{{action=\"{action}\",code=\"{code}\"}} {}",
                count.calls
            );
        }
        text.push_str("# HELP greenroom_api_call_seconds_total Time taken by them.\n");
        text.push_str("# TYPE greenroom_api_call_seconds_total counter\n");
        for (action, code, count) in each(&actions) {
            let _ = writeln!(
                text,
                "greenroom_api_call_seconds_total{{action=\"{action}\",code=\"{code}\"}} {}",
                count.took.as_secs_f64()
            );
        }
    }
}

/// Writes how the reconcilers are.
pub fn render_reconcilers(report: &Report, text: &mut String) {
    for (name, kind, help, value) in [
        (
            "greenroom_reconciler_passes_total",
            "counter",
            "Passes over single sessions.",
            report.passes,
        ),
        (
            "greenroom_reconciler_failed_passes_total",
            "counter",
            "Passes over single sessions that failed.",
            report.failed_passes,
        ),
        (
            "greenroom_orphan_holders",
            "gauge",
            "Sessions that run and that the database knows nothing of.",
            report.orphans,
        ),
    ] {
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    }
}

fn each<'a>(
    actions: &'a BTreeMap<&'static str, BTreeMap<String, Count>>,
) -> impl Iterator<Item = (&'static str, &'a str, Count)> {
    actions.iter().flat_map(|(action, codes)| {
        codes
            .iter()
            .map(|(code, count)| (*action, code.as_str(), *count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_action_and_code_and_the_table_stays_small() {
        let calls = Calls::of(["ListRegions", "ListImage", "ListNodes"]);
        calls.note("ListRegions", "OK", Duration::from_millis(1500));
        calls.note("ListRegions", "OK", Duration::from_millis(500));
        for n in 0..1000 {
            calls.note(
                "ListImage",
                &format!("InvalidParameter.{n}"),
                Duration::ZERO,
            );
        }
        let mut text = String::new();
        calls.render(&mut text);
        assert!(
            text.contains("greenroom_api_calls_total{action=\"ListRegions\",code=\"OK\"} 2\n"),
            "{text}"
        );
        assert!(
            text.contains(
                "greenroom_api_call_seconds_total{action=\"ListRegions\",code=\"OK\"} 2\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("greenroom_api_calls_total{action=\"ListNodes\",code=\"OK\"} 0\n"),
            "{text}"
        );
        assert!(text.contains("code=\"other\"} 937\n"), "{text}");
        assert_eq!(text.lines().count(), 4 + 2 * 67);
    }
}
