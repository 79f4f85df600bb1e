//! What the gateway counts, for the server to render beside its own metrics.

use crate::protocol::{Farewell, reason};
use greenroom_session_api::clipboard::Why;
use greenroom_session_api::units::Class;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Why something copied is not handed over.
const WHYS: [Why; 4] = [
    Why::TooLarge,
    Why::TooSlow,
    Why::Malformed,
    Why::Unspecified,
];

const CLASSES: [(Class, &str); 5] = [
    (Class::Display, "display"),
    (Class::Audio, "audio"),
    (Class::Cursor, "cursor"),
    (Class::Clipboard, "clipboard"),
    (Class::File, "file"),
];

/// Counters of one gateway since it began.
#[derive(Debug, Default)]
pub struct Metrics {
    viewers: AtomicI64,
    admitted: AtomicU64,
    units: [Traffic; CLASSES.len()],
    withheld: AtomicU64,
    left_out: [AtomicU64; WHYS.len()],
    copying_refused: AtomicU64,
    events: AtomicU64,
    resyncs: AtomicU64,
    farewells: Mutex<BTreeMap<&'static str, u64>>,
}

#[derive(Debug, Default)]
struct Traffic {
    units: AtomicU64,
    bytes: AtomicU64,
}

impl Metrics {
    /// Viewers connected now.
    #[must_use]
    pub fn viewers(&self) -> i64 {
        self.viewers.load(Relaxed)
    }

    /// Appends every figure in the Prometheus text format.
    pub fn render(&self, text: &mut String) {
        let mut family = |name: &str, kind: &str, help: &str, rows: &[(String, String)]| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let plain = |value: &AtomicU64| vec![(String::new(), value.load(Relaxed).to_string())];
        family(
            "greenroom_gateway_viewers",
            "gauge",
            "Viewers connected now.",
            &[(String::new(), self.viewers().to_string())],
        );
        family(
            "greenroom_gateway_admitted_total",
            "counter",
            "Viewers let in.",
            &plain(&self.admitted),
        );
        let by_class = |value: fn(&Traffic) -> &AtomicU64| -> Vec<_> {
            CLASSES
                .iter()
                .zip(&self.units)
                .map(|((_, name), traffic)| {
                    (
                        format!("{{class=\"{name}\"}}"),
                        value(traffic).load(Relaxed).to_string(),
                    )
                })
                .collect()
        };
        family(
            "greenroom_gateway_units_total",
            "counter",
            "Stream units forwarded to viewers.",
            &by_class(|traffic| &traffic.units),
        );
        family(
            "greenroom_gateway_unit_bytes_total",
            "counter",
            "Bytes of the stream units forwarded to viewers.",
            &by_class(|traffic| &traffic.bytes),
        );
        family(
            "greenroom_gateway_units_withheld_total",
            "counter",
            "Stream units not forwarded for want of a right.",
            &plain(&self.withheld),
        );
        let left_out: Vec<_> = WHYS
            .iter()
            .zip(&self.left_out)
            .map(|(why, count)| {
                let labels = format!("{{why=\"{}\"}}", reason(*why));
                (labels, count.load(Relaxed).to_string())
            })
            .collect();
        family(
            "greenroom_gateway_copied_left_out_total",
            "counter",
            "Forms of what was copied in sessions that viewers were not offered, by reason.",
            &left_out,
        );
        family(
            "greenroom_gateway_copying_refused_total",
            "counter",
            "Messages about what was copied, of viewers without the right or out of turn.",
            &plain(&self.copying_refused),
        );
        family(
            "greenroom_gateway_input_events_total",
            "counter",
            "Input events forwarded to sessions, repetitions included.",
            &plain(&self.events),
        );
        family(
            "greenroom_gateway_resyncs_total",
            "counter",
            "Times the streamer of a connected viewer was replaced.",
            &plain(&self.resyncs),
        );
        let farewells: Vec<_> = self
            .farewells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(code, count)| (format!("{{code=\"{code}\"}}"), count.to_string()))
            .collect();
        family(
            "greenroom_gateway_byes_total",
            "counter",
            "Connections the gateway closed, by reason.",
            &farewells,
        );
    }

    pub(crate) fn admitted(&self) -> Viewer<'_> {
        self.admitted.fetch_add(1, Relaxed);
        self.viewers.fetch_add(1, Relaxed);
        Viewer(self)
    }

    pub(crate) fn forwarded(&self, class: Class, bytes: usize) {
        if let Some(at) = CLASSES.iter().position(|(known, _)| *known == class) {
            self.units[at].units.fetch_add(1, Relaxed);
            self.units[at].bytes.fetch_add(bytes as u64, Relaxed);
        }
    }

    pub(crate) fn withheld(&self) {
        self.withheld.fetch_add(1, Relaxed);
    }

    pub(crate) fn left_out(&self, why: Why) {
        if let Some(at) = WHYS.iter().position(|known| *known == why) {
            self.left_out[at].fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn copying_refused(&self) {
        self.copying_refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn events(&self, count: usize) {
        self.events.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn resync(&self) {
        self.resyncs.fetch_add(1, Relaxed);
    }

    pub(crate) fn farewell(&self, farewell: &Farewell) {
        *self
            .farewells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(farewell.code())
            .or_default() += 1;
    }
}

/// A connected viewer; counted until dropped.
pub(crate) struct Viewer<'a>(&'a Metrics);

impl Drop for Viewer<'_> {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Refusal;

    #[test]
    fn the_text_shows_what_was_counted() {
        let metrics = Metrics::default();
        let gone = metrics.admitted();
        let _stays = metrics.admitted();
        drop(gone);
        metrics.forwarded(Class::Display, 120);
        metrics.farewell(&Refusal::UsedTicket.into());
        let mut text = String::new();
        metrics.render(&mut text);
        for line in [
            "greenroom_gateway_viewers 1",
            "greenroom_gateway_admitted_total 2",
            "greenroom_gateway_units_total{class=\"display\"} 1",
            "greenroom_gateway_unit_bytes_total{class=\"display\"} 120",
            "greenroom_gateway_unit_bytes_total{class=\"audio\"} 0",
            "greenroom_gateway_byes_total{code=\"ticket.used\"} 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
    }
}
