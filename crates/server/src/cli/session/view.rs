//! Sessions and what happened to them, as people read them.

use clap::builder::PossibleValuesParser;
use greenroom_model::PersistentStatus;
use serde_json::Value;

/// The field with a session's status.
pub(super) const STATUS: &str = "AppInstancePersistentStatus";

/// The columns of a list of sessions.
pub(super) const HEADING: [&str; 7] = ["ID", "NAME", "GROUP", "STATUS", "MEANT", "APP", "USERS"];

/// The columns of a history.
pub(super) const EVENT_HEADING: [&str; 6] = ["SESSION", "WHEN", "WHAT", "APP", "BY", "WHY"];

/// The words that a status can be.
pub(super) fn statuses() -> PossibleValuesParser {
    PossibleValuesParser::new(PersistentStatus::ALL.iter().map(|status| status.as_str()))
}

/// A session in a list.
pub(super) fn row(session: &Value) -> [String; 7] {
    [
        text(session, "AppInstancePersistentId"),
        text(session, "AppInstancePersistentName"),
        text(session, "AppInstanceGroupId"),
        text(session, STATUS),
        text(session, "DesiredStatus"),
        text(session, "AppInstanceStatus"),
        text(session, "AuthorizedUsers"),
    ]
}

/// All of a session, a field a line, by the names that the API gives them.
pub(super) fn whole(session: &Value) -> String {
    let fields = session.as_object().into_iter().flatten();
    let lines: Vec<String> = fields
        .map(|(name, _)| {
            let value = text(session, name).replace(char::is_control, " ");
            format!("{name:29}{value}").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

/// One thing that happened to a session.
pub(super) fn event_row(session: &str, event: &Value) -> [String; 6] {
    let (before, after) = (text(event, "PreviousStatus"), text(event, STATUS));
    let what = match event["Action"].as_str() {
        Some(action) => format!("{action} was asked"),
        None if before == after => after,
        None => format!("{before} > {after}"),
    };
    [
        session.to_owned(),
        text(event, "GmtEvent"),
        what,
        text(event, "AppInstanceStatus"),
        text(event, "Operator"),
        text(event, "Reason"),
    ]
}

fn text(of: &Value, name: &str) -> String {
    match &of[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let words = items.iter().filter_map(Value::as_str);
            words.collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_session_is_shown_whole_and_commands_no_terminal() {
        let session = json!({"AppInstancePersistentId": "p-1", "AuthorizedUsers": ["alice", "bob"],
            "Failures": 3, "OpenedApps": [], "StatusReason": "exit\u{1b}[2J 1\nx"});
        insta::assert_snapshot!(whole(&session));
    }

    #[test]
    fn a_history_tells_wishes_from_changes() {
        let asked = json!({"Action": "STOP", "PreviousStatus": "RUNNING", STATUS: "RUNNING"});
        let moved = json!({"PreviousStatus": "RUNNING", STATUS: "STOPPING"});
        let app = json!({"PreviousStatus": "RUNNING", STATUS: "RUNNING"});
        let told = [asked, moved, app].map(|event| event_row("p-1", &event)[2].clone());
        assert_eq!(told, ["STOP was asked", "RUNNING > STOPPING", "RUNNING"]);
    }
}
