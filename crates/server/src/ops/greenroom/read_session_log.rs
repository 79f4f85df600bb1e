//! `ReadSessionLog`: the end of what the programs of a session printed, whether it runs or not.

use crate::live;
use crate::ops::prelude::*;
use crate::runtime::{Answer, Question, Source};

/// `ReadSessionLog`
pub struct ReadSessionLog;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_persistent_id: Ref<PersistentId>,
    #[serde(default)]
    source: Printed,
}

/// Who printed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Printed {
    #[default]
    App,
    /// Of the installation rather than of the session, and so for the root account.
    Holder,
}

/// What it answers.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    logs: Vec<Log>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Log {
    name: String,
    text: String,
}

impl Operation for ReadSessionLog {
    const ACTION: &'static str = "ReadSessionLog";
    type Request = Request;
    type Response = Response;

    /// It gives out what apps print, which may be their user's.
    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let source = match req.source {
            Printed::App => Source::Apps,
            Printed::Holder => {
                cx.only_for_root().await?;
                Source::Holder
            }
        };
        let question = Question::Log(source);
        match live::ask(cx, &req.app_instance_persistent_id, question).await? {
            Answer::Logs(told) => {
                let logs = told.into_iter().map(|it| Log {
                    name: it.name,
                    text: it.text,
                });
                Ok(Response {
                    logs: logs.collect(),
                })
            }
            other => Err(live::another(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn what_was_printed_is_told_and_a_holders_to_the_root_account_only() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let ask = json!({"AppInstancePersistentId": session});
        let answer = server.ok("ReadSessionLog", ask).await;
        let told = json!([{"Name": "foot.log", "Text": "a line\n"}]);
        assert_eq!(answer["Logs"], told);
        let ask = json!({"AppInstancePersistentId": session, "Source": "HOLDER"});
        server.ok("ReadSessionLog", ask.clone()).await;
        let (status, _) = server.call_as("globex", "ReadSessionLog", ask).await;
        assert_eq!(status, 403);
    }
}
