//! A real browser that looks at sessions, driven by `viewer.mjs`: one question a line, one answer a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::failure::{Context, Result, bail};
use crate::workspace::Workspace;

/// The browser; dropping it closes it.
pub struct Viewer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Viewer {
    /// Starts a browser with an empty profile.
    pub fn start(workspace: &Workspace) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(workspace.path("xtask/src/bench/viewer.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(|| "starting node".into())?;
        let to = child
            .stdin
            .take()
            .context(|| "node has no standard input".into())?;
        let from = child
            .stdout
            .take()
            .context(|| "node has no standard output".into())?;
        Ok(Self {
            child,
            to,
            from: BufReader::new(from),
        })
    }

    /// Opens a link in a fresh profile, and answers how long the first picture took.
    pub fn open(&mut self, link: &str) -> Result<Value> {
        self.ask(&json!({"do": "open", "link": link}))
    }

    /// Types so many letters, each after the picture of the one before it; answers the times.
    pub fn press_keys(&mut self, count: u32) -> Result<Vec<f64>> {
        let answer = self.ask(&json!({"do": "type", "count": count}))?;
        Ok(answer["milliseconds"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_f64)
            .collect())
    }

    /// What the player counts.
    pub fn stats(&mut self) -> Result<Value> {
        self.ask(&json!({"do": "stats"}))
    }

    fn ask(&mut self, question: &Value) -> Result<Value> {
        let asked = question["do"].as_str().unwrap_or_default();
        writeln!(self.to, "{question}").context(|| format!("asking the browser to {asked}"))?;
        let mut line = String::new();
        self.from
            .read_line(&mut line)
            .context(|| format!("waiting for the browser to {asked}"))?;
        let answer: Value = serde_json::from_str(&line)
            .context(|| format!("the browser could not {asked}; it said `{line}`"))?;
        if let Some(error) = answer["error"].as_str() {
            bail!("the browser could not {asked}: {error}");
        }
        Ok(answer)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // A script that has failed has ended already.
        let _ = writeln!(self.to, "{}", json!({"do": "close"}));
        let _ = self.child.wait();
    }
}
