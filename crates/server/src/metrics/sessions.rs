//! What `/metrics` says of single sessions. Their ids are the only label that grows, with the sessions that are on
//! this server; what users called them, or did in them, is not there.

use super::family;
use crate::runtime::Figures;

/// Writes the figures of each session that this server has seen.
pub fn render_sessions(sessions: &[Figures], text: &mut String) {
    type Value = fn(&Figures) -> Option<f64>;
    let families: [(&str, &str, &str, Value); 7] = [
        (
            "greenroom_session_memory_bytes",
            "gauge",
            "Memory of a session's apps; where the kernel counts it by session, with the cached pages of their files.",
            |it| Some(it.usage?.memory_bytes? as f64),
        ),
        (
            "greenroom_session_cpu_seconds_total",
            "counter",
            "Processors' time of a session's apps since its holder began.",
            |it| Some(it.usage?.cpu?.as_secs_f64()),
        ),
        (
            "greenroom_session_processes",
            "gauge",
            "Processes and threads of a session's apps.",
            |it| Some(it.usage?.processes? as f64),
        ),
        (
            "greenroom_session_disk_bytes",
            "gauge",
            "What a session has on the disk, as it was measured last.",
            |it| Some(it.tally.disk_bytes? as f64),
        ),
        (
            "greenroom_session_frames_total",
            "counter",
            "Frames that a session's holder has composed since it began.",
            |it| it.usage.map(|_| it.tally.frames as f64),
        ),
        (
            "greenroom_session_damaged_pixels_total",
            "counter",
            "Pixels of damage in them.",
            |it| it.usage.map(|_| it.tally.damaged_pixels as f64),
        ),
        (
            "greenroom_session_starts_total",
            "counter",
            "Holders that were started for a session since this server began.",
            |it| Some(it.tally.starts as f64),
        ),
    ];
    let label = |it: &Figures| format!("session=\"{}\"", it.session);
    for (name, kind, help, value) in families {
        let rows = sessions
            .iter()
            .filter_map(|it| Some((format!("{{{}}}", label(it)), value(it)?)));
        family(text, name, kind, help, rows);
    }
    let failures = sessions.iter().flat_map(|it| {
        let each = it.tally.failures.iter();
        each.map(move |(failure, count)| {
            let labels = format!("{{{},reason=\"{failure}\"}}", label(it));
            (labels, *count as f64)
        })
    });
    family(
        text,
        "greenroom_session_failures_total",
        "counter",
        "Ends of a session's apps or of its holder that nobody asked for, since this server began.",
        failures,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Failure, Tally, Usage};
    use greenroom_model::PersistentId;
    use std::time::Duration;

    #[test]
    fn a_session_without_a_holder_takes_nothing_and_keeps_its_counts() {
        let mut tally = Tally::default();
        tally.started();
        tally.failed(Failure::Memory);
        tally.frames = 7;
        let of = |name: &str, usage| Figures {
            session: PersistentId::parse(name).unwrap(),
            usage,
            tally: tally.clone(),
        };
        let usage = Usage {
            memory_bytes: Some(1024),
            cpu: Some(Duration::from_millis(1500)),
            processes: None,
        };
        let mut text = String::new();
        render_sessions(&[of("p-up", Some(usage)), of("p-down", None)], &mut text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "greenroom_session_memory_bytes{session=\"p-up\"} 1024",
                "greenroom_session_cpu_seconds_total{session=\"p-up\"} 1.5",
                "greenroom_session_frames_total{session=\"p-up\"} 7",
                "greenroom_session_damaged_pixels_total{session=\"p-up\"} 0",
                "greenroom_session_starts_total{session=\"p-up\"} 1",
                "greenroom_session_starts_total{session=\"p-down\"} 1",
                "greenroom_session_failures_total{session=\"p-up\",reason=\"memory\"} 1",
                "greenroom_session_failures_total{session=\"p-down\",reason=\"memory\"} 1",
            ]
        );
    }
}
