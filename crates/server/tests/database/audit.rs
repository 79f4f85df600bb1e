//! The audit trail on PostgreSQL: the chains of two servers, and a trail that cannot be written.

use crate::URL;
use crate::servers::Place;
use crate::support::{GREENROOM, RAM, Server, audit};
use greenroom_testkit::postgres;
use serde_json::{Value, json};

fn create_user(server: &Server, name: &str) -> (u16, Value) {
    server
        .ask(RAM, "CreateUser", &json!({"UserName": name}))
        .unwrap()
}

#[test]
fn the_chains_of_two_servers_are_verified_and_a_row_changed_in_one_is_found() {
    let place = Place::new();
    let servers = place.start_both();
    for (server, names) in servers.iter().zip([["ann", "bob"], ["cat", "dan"]]) {
        for name in names {
            assert_eq!(create_user(server, name).0, 200);
        }
    }
    let writers = place.folders.each_ref().map(|folder| {
        let id = std::fs::read_to_string(folder.join("server-id")).unwrap();
        id.trim().to_owned()
    });
    let data = &place.folders[0];
    let (done, said) = audit(data, &["verify"]);
    assert!(done, "{said}");
    for writer in &writers {
        assert!(
            said.contains(&format!("{writer}: rows 1 to 2 fit")),
            "{said}"
        );
    }

    let tamper = format!(
        "UPDATE audit_events SET subject = 'UserName=eve' WHERE writer = '{}' AND sequence = 1",
        writers[1]
    );
    postgres::execute(&place.url, &tamper);
    let (done, said) = audit(data, &["verify"]);
    assert!(!done, "{said}");
    let flaw = format!("row 1 of the chain of {}", writers[1]);
    assert!(
        said.contains(&flaw) && said.contains("was changed"),
        "{said}"
    );
    for server in servers {
        server.end();
    }
}

#[test]
fn a_change_whose_row_cannot_be_written_is_a_503_and_is_not_made() {
    // What PostgreSQL says when there is no room, of this table only.
    const FULL: &str = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON audit_events EXECUTE FUNCTION full_disk()";
    let home = tempfile::tempdir().unwrap();
    let url = postgres::database();
    let server = Server::start_with(home.path(), &[(URL, &url)]);
    assert_eq!(create_user(&server, "ann").0, 200);
    let rows = || {
        let (_, answer) = server
            .ask(GREENROOM, "ListAuditEvents", &json!({}))
            .unwrap();
        answer["Events"].as_array().unwrap().len()
    };
    let users = || {
        let (_, answer) = server.ask(RAM, "ListUsers", &json!({})).unwrap();
        answer["Users"]["User"].as_array().unwrap().len()
    };
    assert_eq!((rows(), users()), (1, 1));

    postgres::execute(&url, FULL);
    let (status, answer) = create_user(&server, "bob");
    let unavailable = (503, &json!("ServiceUnavailable"));
    assert_eq!((status, &answer["Code"]), unavailable, "{answer}");
    assert_eq!((rows(), users()), (1, 1), "neither the user nor a row");
    let (_, metrics) = server.get("/metrics").unwrap();
    let failures = "greenroom_audit_failures_total 1\n";
    assert!(metrics.contains(failures), "{metrics}");

    postgres::execute(&url, "DROP TRIGGER full_disk ON audit_events");
    assert_eq!(create_user(&server, "bob").0, 200);
    assert_eq!((rows(), users()), (2, 2));
    server.end();
}
