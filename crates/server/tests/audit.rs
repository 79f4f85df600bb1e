//! The audit trail of a real server, read and verified from the command line, and tampered with on disk.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use serde_json::{Value, json};
use support::{RAM, Server, audit};

fn create_user(server: &Server, name: &str) {
    let ask = json!({"UserName": name});
    let (status, answer) = server.ask(RAM, "CreateUser", &ask).unwrap();
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_trail_is_listed_and_verified_and_tampering_with_the_database_shows() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let database = data.join("greenroom.db");
    let verify = |more: &[&str]| audit(data, &[&["verify"], more].concat());

    let server = Server::start(data);
    create_user(&server, "first-user");
    server.end();
    let early = std::fs::read(&database).unwrap();

    let server = Server::start(data);
    create_user(&server, "second-user");
    // Whoever does not sign is counted, and written down when the server ends.
    server
        .get("/?Action=ListRegions&Version=2021-09-01")
        .unwrap();
    let (done, head) = audit(data, &["head"]);
    assert!(done, "{head}");
    let kept = data.join("head.json");
    std::fs::write(&kept, &head).unwrap();
    let kept = kept.to_str().unwrap();
    let heads: Value = serde_json::from_str(&head).unwrap();
    let hash = heads["Heads"][0]["Hash"].as_str().unwrap().to_owned();
    server.end();

    let server = Server::start(data);
    let (done, listed) = audit(data, &["list", "--event", "CreateUser"]);
    assert!(done, "{listed}");
    let about: Vec<&str> = listed
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().find(|word| word.contains('=')))
        .collect();
    assert_eq!(about, ["UserName=second-user", "UserName=first-user"]);
    let (done, listed) = audit(data, &["list", "--event", "Admit", "--json"]);
    let counted: Value = serde_json::from_str(listed.trim()).unwrap();
    assert!(
        done && counted["Outcome"] == "MissingAccessKeyId",
        "{listed}"
    );
    for more in [&[][..], &["--head", kept], &["--head", &hash]] {
        let (done, said) = verify(more);
        assert!(done && said.contains("rows 1 to 3 fit"), "{said}");
    }
    server.end();

    // An earlier database in the place of the present one: by itself it fits.
    let present = std::fs::read(&database).unwrap();
    std::fs::write(&database, early).unwrap();
    let server = Server::start(data);
    assert!(verify(&[]).0);
    let (done, said) = verify(&["--head", kept]);
    assert!(!done && said.contains("was kept and is gone"), "{said}");
    let (done, said) = verify(&["--head", &hash]);
    assert!(!done && said.contains("no row has the hash"), "{said}");
    server.end();

    // Another name in a row, where the file has it.
    let mut changed = present;
    let name = b"UserName=first-user";
    let places: Vec<usize> = (0..changed.len() - name.len())
        .filter(|at| changed[*at..].starts_with(name))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        changed[at + name.len() - 1] = b'x';
    }
    std::fs::write(&database, changed).unwrap();
    let server = Server::start(data);
    let (done, said) = verify(&[]);
    assert!(!done && said.contains("row 1 of the chain"), "{said}");
    assert!(said.contains("was changed"), "{said}");
    server.end();
}
