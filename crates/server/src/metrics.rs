//! What `/metrics` says of the API, the reconcilers and the database, in Prometheus' text form.

mod census;
mod sessions;

pub use census::Census;
pub use sessions::render_sessions;

use crate::reconcilers::Report;
use greenroom_store::Figures;
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
            report.orphans.len() as u64,
        ),
    ] {
        family(text, name, kind, help, [(String::new(), value as f64)]);
    }
}

/// Writes how the database was.
pub fn render_store(figures: &Figures, text: &mut String) {
    let kinds = [("read", figures.reads), ("write", figures.writes)];
    let name = "greenroom_database_call_duration_seconds";
    let _ = writeln!(
        text,
        "# HELP {name} Time that callers of the database waited, queues and commits included.\n# TYPE {name} summary"
    );
    for (kind, calls) in kinds {
        let (took, answered) = (calls.took.as_secs_f64(), calls.answered);
        let _ = writeln!(text, "{name}_sum{{kind=\"{kind}\"}} {took}");
        let _ = writeln!(text, "{name}_count{{kind=\"{kind}\"}} {answered}");
    }
    let unavailable = kinds.map(|(kind, calls)| {
        let labels = format!("{{kind=\"{kind}\"}}");
        (labels, calls.unavailable as f64)
    });
    family(
        text,
        "greenroom_database_unavailable_total",
        "counter",
        "Calls that the database could not answer, or had no time for.",
        unavailable,
    );
    family(
        text,
        "greenroom_audit_failures_total",
        "counter",
        "Rows of the audit trail that could not be written.",
        [(String::new(), figures.unaudited as f64)],
    );
}

/// Writes one metric: its values, each behind its labels.
fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    rows: impl IntoIterator<Item = (String, f64)>,
) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in rows {
        let _ = writeln!(text, "{name}{labels} {value}");
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
    fn the_waits_for_the_database_are_a_summary_by_kind() {
        let mut figures = Figures::default();
        figures.writes.answered = 3;
        figures.writes.took = Duration::from_millis(1500);
        figures.writes.unavailable = 1;
        figures.unaudited = 2;
        let mut text = String::new();
        render_store(&figures, &mut text);
        for line in [
            "# TYPE greenroom_database_call_duration_seconds summary",
            "greenroom_database_call_duration_seconds_sum{kind=\"write\"} 1.5",
            "greenroom_database_call_duration_seconds_count{kind=\"write\"} 3",
            "greenroom_database_call_duration_seconds_count{kind=\"read\"} 0",
            "greenroom_database_unavailable_total{kind=\"write\"} 1",
            "greenroom_audit_failures_total 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
    }

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
