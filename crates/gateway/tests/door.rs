//! Who comes in and who must go.

mod support;

use greenroom_gateway::Reason;
use std::sync::atomic::Ordering::SeqCst;
use support::{World, until};

#[tokio::test]
async fn a_ticket_lets_one_viewer_in_and_its_token_lets_it_return() {
    let world = World::start().await;
    let mut viewer = world.viewer().await;
    viewer.hello("ticket", "good").await;
    let welcome = viewer.control().await;
    assert_eq!(
        welcome,
        serde_json::json!({
            "type": "welcome", "version": 1, "resume": "again", "persistentId": support::SESSION,
            "title": "Terminal",
            "rights": {"input": true, "controller": true, "audio": true, "clipboardOut": true,
                       "clipboardIn": true, "filesOut": true},
        })
    );

    let mut second = world.viewer().await;
    second.hello("ticket", "good").await;
    let bye = second.bye().await;
    assert_eq!(
        (&bye["code"], &bye["retry"]),
        (&"ticket.used".into(), &false.into())
    );

    let mut returned = world.viewer().await;
    returned.hello("resume", "again").await;
    assert_eq!(returned.control().await["type"], "welcome");
}

#[tokio::test]
async fn a_refusal_says_why() {
    let world = World::start().await;
    for (kind, credential, code) in [
        ("ticket", "forged", "ticket.unknown"),
        ("ticket", "old", "ticket.expired"),
        ("resume", "forged", "binding.ended"),
    ] {
        let mut viewer = world.viewer().await;
        viewer.hello(kind, credential).await;
        assert_eq!(viewer.bye().await["code"], code);
    }
}

#[tokio::test]
async fn garbage_is_answered_with_a_reason_and_a_closed_door() {
    let world = World::start().await;
    let long = vec![b' '; (64 << 10) + 1];
    for (class, payload) in [
        (0, &b""[..]),
        (1, b"{"),
        (1, b"\xff\xfe"),
        (2, b"[]"),
        (3, b"1234"),
        (9, b"\0\0\0"),
        (1, &long),
    ] {
        let mut viewer = world.viewer().await;
        viewer.send(class, payload).await;
        assert_eq!(viewer.bye().await["code"], "protocol.malformed");
    }
    let mut viewer = world.viewer().await;
    viewer.text("hello").await;
    assert_eq!(viewer.bye().await["code"], "protocol.malformed");

    // Far too long: not even read.
    let mut viewer = world.viewer().await;
    viewer.send(2, &vec![b' '; 1 << 20]).await;
    assert_eq!(viewer.message().await, None);

    let mut viewer = world.viewer().await;
    let newer = br#"{"type":"hello","version":2,"ticket":"good","stream":"00000000000000aa"}"#;
    viewer.send(1, newer).await;
    assert_eq!(viewer.bye().await["code"], "protocol.version");
}

#[tokio::test]
async fn garbage_after_the_welcome_ends_that_viewer_only() {
    let world = World::start().await;
    let (mut bad, _holder, _streamer) = world.connected().await;
    bad.send(2, b"garbage").await;
    assert_eq!(bad.bye().await["code"], "protocol.malformed");
    let mut good = world.viewer().await;
    good.hello("resume", "again").await;
    assert_eq!(good.control().await["type"], "welcome");
}

#[tokio::test]
async fn a_revoked_viewer_is_told_why_and_leaves() {
    let world = World::start().await;
    let (mut viewer, _holder, _streamer) = world.connected().await;
    assert_eq!(world.door.connected.load(SeqCst), 1);
    world.door.revoke.send_replace(Some(Reason::Deleted));
    let bye = viewer.bye().await;
    assert_eq!(
        (&bye["code"], &bye["retry"]),
        (&"session.deleted".into(), &false.into())
    );
    until("the door hears of it", || {
        world.door.connected.load(SeqCst) == 0
    })
    .await;
    assert_eq!(world.metrics.viewers(), 0);
}

#[tokio::test]
async fn a_viewer_that_leaves_is_reported_to_the_door() {
    let world = World::start().await;
    let (viewer, mut holder, _streamer) = world.connected().await;
    drop(viewer);
    until("the door hears of it", || {
        world.door.connected.load(SeqCst) == 0
    })
    .await;
    assert_eq!(
        holder
            .next::<greenroom_session_api::viewer::ToHolder>()
            .await,
        None
    );
}

#[tokio::test]
async fn a_page_of_another_host_may_not_connect() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let world = World::start().await;
    let connect = async |origin: &str| {
        let mut request = format!("ws://{}/gateway/v1/ws", world.address)
            .into_client_request()
            .unwrap();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        tokio_tungstenite::connect_async(request).await
    };
    assert!(connect("http://evil.example").await.is_err());
    assert!(connect(&format!("http://{}", world.address)).await.is_ok());
}
