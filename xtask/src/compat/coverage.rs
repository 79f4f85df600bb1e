//! Whether the suites called every operation that is built: the servers themselves count what they answered.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::{Context, Result, bail};
use crate::http;
use crate::server::Server;

/// Fails when there is an operation that was answered to nobody as asked: neither by the server that the suites
/// share, nor by those of single tests, which leave their metrics in the folder. What the database `lacks` must not
/// be answered so.
pub fn check(server: &Server, others: &Path, lacks: &[&str]) -> Result {
    let shared = http::get(server.address(), "/metrics")?;
    let mut metrics = vec![String::from_utf8_lossy(&shared.body).into_owned()];
    for file in fs::read_dir(others).context(|| format!("reading {}", others.display()))? {
        let path = file
            .context(|| format!("reading {}", others.display()))?
            .path();
        let text = fs::read_to_string(&path);
        metrics.push(text.context(|| format!("reading {}", path.display()))?);
    }
    let missing = unanswered(&metrics)?;
    if missing != lacks {
        bail!(
            "built, and never answered to an official SDK: {}; expected of these: {}",
            missing.join(" "),
            lacks.join(" ")
        );
    }
    Ok(())
}

/// The operations that none of the metrics counts a success of.
fn unanswered(metrics: &[String]) -> Result<Vec<&str>> {
    let mut answered: BTreeMap<&str, bool> = BTreeMap::new();
    for line in metrics.iter().flat_map(|text| text.lines()) {
        let counted = line.strip_prefix("greenroom_api_calls_total{action=\"");
        if let Some((action, count)) = counted.and_then(|rest| rest.split_once("\",code=\"OK\"} "))
        {
            *answered.entry(action).or_default() |= count != "0";
        }
    }
    if answered.is_empty() {
        bail!("the servers' metrics know no operation");
    }
    let missing = answered.into_iter().filter(|(_, answered)| !answered);
    Ok(missing.map(|(action, _)| action).collect())
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
        let shared = COUNTS.to_owned();
        assert_eq!(
            unanswered(std::slice::from_ref(&shared)).unwrap(),
            ["ListImage"]
        );
        let called = COUNTS.replace(
            "\"ListImage\",code=\"OK\"} 0",
            "\"ListImage\",code=\"OK\"} 1",
        );
        // By whichever server.
        assert!(
            unanswered(&[called.clone(), shared.clone()])
                .unwrap()
                .is_empty()
        );
        assert!(unanswered(&[shared, called]).unwrap().is_empty());
    }

    #[test]
    fn metrics_without_operations_prove_nothing() {
        assert!(unanswered(&["greenroom_orphan_holders 0\n".to_owned()]).is_err());
    }
}
