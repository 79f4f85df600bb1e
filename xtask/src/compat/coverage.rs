//! Whether the suites called every operation that is built: the server itself counts what it answered.

use crate::failure::{Result, bail};
use crate::http;
use crate::server::Server;

/// Fails when the server has an operation that it answered to nobody as asked.
pub fn check(server: &Server) -> Result {
    let answer = http::get(server.address(), "/metrics")?;
    let text = String::from_utf8_lossy(&answer.body);
    let missing = unanswered(&text)?;
    if !missing.is_empty() {
        bail!(
            "built, and never answered to an official SDK: {}",
            missing.join(" ")
        );
    }
    Ok(())
}

/// The operations that the metrics count no success of.
fn unanswered(metrics: &str) -> Result<Vec<&str>> {
    let mut known = 0;
    let mut missing = Vec::new();
    for line in metrics.lines() {
        let counted = line.strip_prefix("greenroom_api_calls_total{action=\"");
        let Some((action, count)) = counted.and_then(|rest| rest.split_once("\",code=\"OK\"} "))
        else {
            continue;
        };
        known += 1;
        if count == "0" {
            missing.push(action);
        }
    }
    if known == 0 {
        bail!("the server's metrics know no operation");
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: &str = r#"# TYPE greenroom_api_calls_total counter
greenroom_api_calls_total{action="ListImage",code="OK"} 0
greenroom_api_calls_total{action="ListImage",code="NoPermission"} 3
greenroom_api_calls_total{action="ListRegions",code="OK"} 12
greenroom_api_call_seconds_total{action="ListNodes",code="OK"} 0
"#;

    #[test]
    fn an_operation_is_missing_until_it_was_answered_as_asked() {
        assert_eq!(unanswered(COUNTS).unwrap(), ["ListImage"]);
        let called = COUNTS.replace(
            "\"ListImage\",code=\"OK\"} 0",
            "\"ListImage\",code=\"OK\"} 1",
        );
        assert!(unanswered(&called).unwrap().is_empty());
    }

    #[test]
    fn metrics_without_operations_prove_nothing() {
        assert!(unanswered("greenroom_orphan_holders 0\n").is_err());
    }
}
