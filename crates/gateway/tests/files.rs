//! The player's files over HTTP.

mod support;

use support::World;

#[tokio::test]
async fn the_page_and_its_files_are_served_with_their_policies() {
    let world = World::start().await;
    std::fs::create_dir_all(world.assets().join("assets")).unwrap();
    std::fs::write(world.assets().join("index.html"), "<!doctype html>x").unwrap();
    std::fs::write(world.assets().join("assets/player-AB.js"), "let x").unwrap();

    let (head, body) = world.get("/play").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body, b"<!doctype html>x");
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
        "referrer-policy: no-referrer",
    ] {
        assert!(head.contains(header), "{header} is not in\n{head}");
    }

    let (head, body) = world.get("/play/assets/player-AB.js").await;
    assert_eq!(body, b"let x");
    assert!(head.contains("content-type: text/javascript"), "{head}");
    assert!(head.contains("immutable"), "{head}");
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    let world = World::start().await;
    std::fs::create_dir_all(world.assets().join("assets")).unwrap();
    std::fs::write(world.assets().join("secret.js"), "x").unwrap();
    for path in [
        "/play/assets/../secret.js",
        "/play/assets/..%2fsecret.js",
        "/play/assets/%2e%2e/secret.js",
        "/play/assets/none.js",
    ] {
        let (head, _) = world.get(path).await;
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
    }
}

#[tokio::test]
async fn a_missing_player_is_said_to_be_missing() {
    let world = World::start().await;
    let (head, body) = world.get("/play").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(String::from_utf8(body).unwrap().contains("cargo xtask web"));
    let (head, _) = world.get("/gateway/v1/alive").await;
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
}
