//! Which database a server takes, and that both answer alike.

use crate::URL;
use crate::support::{APPSTREAM, RAM, Server, greenroom};
use greenroom_testkit::postgres;
use serde_json::json;

#[test]
fn a_server_keeps_everything_in_postgres_and_says_no_password() {
    let home = tempfile::tempdir().unwrap();
    let (one, other) = (home.path().join("one"), home.path().join("other"));
    let url = format!("{}&password=hunter2", postgres::database());
    let server = Server::start_with(&one, &[(URL, &url)]);
    let made = server.ask(RAM, "CreateUser", &json!({"UserName": "ann"}));
    assert_eq!(made.unwrap().0, 200);
    let key = server.key.clone();
    assert!(!server.logged().contains("hunter2"));
    server.end();
    assert!(!one.join("greenroom.db").exists());

    // Another server of the database has the same key, or does not start.
    let without = greenroom()
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&other)
        .env(URL, &url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(said.contains("other/secrets.key is missing"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    std::fs::copy(one.join("secrets.key"), other.join("secrets.key")).unwrap();
    let mut server = Server::start_with(&other, &[(URL, &url)]);
    server.key = key;
    let (status, answer) = server.ask(RAM, "ListUsers", &json!({})).unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["Users"]["User"][0]["UserName"], "ann");
    server.end();

    let listed = greenroom()
        .args(["account", "list", "--data-dir"])
        .arg(&one)
        .args(["--database-url", &url])
        .output()
        .unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("root"), "{listed}");
}

#[test]
fn a_nul_is_refused_by_its_parameters_name_on_both_databases() {
    for url in ["", &postgres::database()] {
        let home = tempfile::tempdir().unwrap();
        let server = Server::start_with(home.path(), &[(URL, url)]);
        for (version, action, ask, code) in [
            (
                RAM,
                "CreateUser",
                json!({"UserName": "a\0b"}),
                "InvalidParameter.UserName",
            ),
            (
                RAM,
                "CreateUser",
                json!({"UserName": "ann", "Comments": "\0"}),
                "InvalidParameter.Comments",
            ),
            (
                APPSTREAM,
                "GetAppInstanceGroup",
                json!({"AppInstanceGroupId": "aig-\0", "ProductType": "CloudApp"}),
                "InvalidParameter.AppInstanceGroupId",
            ),
            (
                APPSTREAM,
                "ListPersistentAppInstances",
                json!({"AppInstanceGroupId": "aig-1", "ProductType": "CloudApp",
                    "AppInstancePersistentIds": "[\"p-\\u0000\"]"}),
                "InvalidParameter.AppInstancePersistentIds",
            ),
        ] {
            let (status, answer) = server.ask(version, action, &ask).unwrap();
            assert_eq!((status, &answer["Code"]), (400, &json!(code)), "{answer}");
        }
        let (_, users) = server.ask(RAM, "ListUsers", &json!({})).unwrap();
        assert_eq!(users["Users"]["User"], json!([]), "nothing was made");
        server.end();
    }
}
