//! `CreateBackup`: a copy of the database in the server's data folder, for whoever may read that folder.
//!
//! The caller chooses nothing, neither place nor name: with a stolen key alone nobody reads the copy, and nobody
//! makes more than one at a time (decision 0041).

use crate::ops::prelude::*;

/// `CreateBackup`
pub struct CreateBackup;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Request {}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    /// The file, in the folder `backups` of the data folder.
    file_name: String,
    /// Its length in bytes.
    size: u64,
}

impl Operation for CreateBackup {
    const ACTION: &'static str = "CreateBackup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, _: Request) -> Result<Response, ApiError> {
        cx.only_for_root().await?;
        let copying = cx.store.begin_copy()?;
        // Recorded before anything is copied: what is in the file names who asked for it.
        cx.store.spend_nonce(cx.nonce.clone()).await?;
        let file_name = format!("{}.db", random::uuid_upper(cx.entropy));
        let size = copying.write(file_name.clone()).await?;
        Ok(Response { file_name, size })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use greenroom_store::{COPIES, SealingKey, check_copy};
    use greenroom_testkit::SeededEntropy;
    use serde_json::json;
    use std::sync::Arc;

    #[tokio::test]
    async fn the_copy_lies_alone_in_its_folder_and_can_take_the_databases_place() {
        let (server, folder) = TestServer::start_on_disk().await;
        server.ok("CreateBackup", json!({})).await;
        let answer = server.ok("CreateBackup", json!({})).await;
        let copies = std::fs::read_dir(folder.path().join(COPIES)).unwrap();
        let copies: Vec<_> = copies.map(|entry| entry.unwrap().path()).collect();
        let [copy] = &copies[..] else {
            panic!("the first one is gone: {copies:?}");
        };
        assert_eq!(
            copy.file_name().unwrap(),
            answer["FileName"].as_str().unwrap()
        );
        let length = std::fs::metadata(copy).unwrap().len();
        assert_eq!(answer["Size"], length);
        let key = SealingKey::new(&TestServer::SEALED_WITH, Arc::new(SeededEntropy::new(1)));
        check_copy(copy, &key).unwrap();
    }

    #[tokio::test]
    async fn one_is_made_at_a_time() {
        let (server, _folder) = TestServer::start_on_disk().await;
        let other = server.store.begin_copy().unwrap();
        let (status, answer) = server.call_as("acme", "CreateBackup", json!({})).await;
        assert_eq!(
            (status, &answer["Code"]),
            (503, &json!("ServiceUnavailable"))
        );
        drop(other);
        server.ok("CreateBackup", json!({})).await;
    }

    #[tokio::test]
    async fn a_database_that_is_no_file_has_tools_of_its_own() {
        let server = TestServer::start().await;
        assert_eq!(
            server.refused("CreateBackup", json!({})).await,
            "OperationDenied.DatabaseType"
        );
    }

    #[tokio::test]
    async fn what_holds_all_accounts_is_for_the_root_account() {
        let (server, folder) = TestServer::start_on_disk().await;
        let (status, answer) = server.call_as("globex", "CreateBackup", json!({})).await;
        assert_eq!((status, &answer["Code"]), (403, &json!("NoPermission")));
        assert!(!folder.path().join(COPIES).exists());
    }
}
