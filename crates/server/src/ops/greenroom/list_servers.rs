//! `ListServers`: the servers that share the database.

use crate::ops::prelude::*;
use greenroom_store::{ServerRecord, ServerStanding};

/// `ListServers`
pub struct ListServers;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Request {}

/// What it answers: all of them at once, since they are machines.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    servers: Vec<Server>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Server {
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    gmt_seen: String,
    processors: u64,
    server_id: ServerId,
    session_count: u64,
    status: &'static str,
}

impl From<ServerRecord> for Server {
    fn from(it: ServerRecord) -> Self {
        Self {
            address: it.address,
            gmt_seen: it.seen.to_wire(),
            processors: it.processors,
            server_id: it.id,
            session_count: it.sessions,
            status: match it.standing {
                ServerStanding::Member => "ACTIVE",
                ServerStanding::Lost => "LOST",
                ServerStanding::Forgotten => "FORGOTTEN",
            },
        }
    }
}

impl Operation for ListServers {
    const ACTION: &'static str = "ListServers";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, _: Request) -> Result<Response, ApiError> {
        cx.only_for_root().await?;
        let servers = cx.store.servers().await?;
        Ok(Response {
            servers: servers.into_iter().map(Server::from).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn servers_are_listed_with_what_lives_on_them_and_whether_they_are_lost() {
        let server = TestServer::start().await;
        server.create_group_of_two().await;
        let none = server.ok("ListServers", json!({})).await;
        assert_eq!(none["Servers"], json!([]));
        let lost = server.lost_server().await;
        server.lease().await;
        let answer = server.ok("ListServers", json!({})).await;
        let told: Vec<_> = answer["Servers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (&it["ServerId"], &it["Status"], &it["SessionCount"]))
            .collect();
        let expected = [
            (&json!("srv-judge"), &json!("ACTIVE"), &json!(0)),
            (&json!(lost.as_str()), &json!("LOST"), &json!(2)),
            (&json!("srv-test"), &json!("ACTIVE"), &json!(0)),
        ];
        assert_eq!(told, expected);
    }
}
