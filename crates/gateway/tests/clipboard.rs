//! What is copied passes by right, one part at a time, whatever a player says.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_gateway::Rights;
use greenroom_session_api::clipboard::{Content, Kind, LeftOut, Offer, Part, Read, Why};
use greenroom_session_api::units::Class;
use greenroom_session_api::viewer::{FromHolder, ToHolder, from_holder::News, to_holder::Order};
use support::{Peer, World, all_rights};

const WANT: &[u8] = br#"{"type":"wantCopied","on":true}"#;
const COPIED: &[u8] =
    br#"{"type":"copied","serial":5,"contents":[{"kind":"text/plain","bytes":4}]}"#;
const READ: &[u8] = br#"{"type":"readCopied","serial":9,"kind":"text/plain","offset":0}"#;
const PING: &[u8] = br#"{"type":"ping","at":1}"#;

fn offer(serial: u64) -> Offer {
    Offer {
        serial,
        contents: vec![Content {
            kind: Kind::Text.into(),
            bytes: 4,
        }],
        left_out: vec![LeftOut {
            kind: Kind::Png.into(),
            why: Why::TooLarge.into(),
        }],
    }
}

fn part(serial: u64) -> Part {
    Part {
        serial,
        kind: Kind::Text.into(),
        offset: 0,
        bytes: b"text".to_vec(),
    }
}

fn read(serial: u64) -> Read {
    Read {
        serial,
        kind: Kind::Text.into(),
        offset: 0,
    }
}

/// A part as players send and get it.
fn payload(serial: u64) -> Vec<u8> {
    [&serial.to_le_bytes()[..], &[1, 0, 0, 0, 0], b"text"].concat()
}

async fn order(holder: &mut Peer) -> Order {
    holder.next::<ToHolder>().await.unwrap().order.unwrap()
}

async fn tell(holder: &mut Peer, news: News) {
    holder.send(&FromHolder { news: Some(news) }).await;
}

#[tokio::test]
async fn what_is_copied_in_the_session_reaches_the_viewer_that_wants_it() {
    let world = World::start().await;
    let (mut viewer, mut holder, _streamer) = world.connected().await;
    viewer.send(1, WANT).await;
    assert!(matches!(order(&mut holder).await, Order::Want(want) if want.copied));
    tell(&mut holder, News::Copied(offer(9))).await;
    assert_eq!(
        viewer.control().await,
        serde_json::json!({"type": "copied", "serial": 9,
            "contents": [{"kind": "text/plain", "bytes": 4}],
            "leftOut": [{"kind": "image/png", "why": "too_large"}]})
    );
    viewer.send(1, READ).await;
    assert_eq!(order(&mut holder).await, Order::ReadCopied(read(9)));
    tell(&mut holder, News::CopiedPart(part(9))).await;
    let message = [&[20][..], &payload(9)].concat();
    assert_eq!(viewer.message().await.unwrap(), message);
    let mut text = String::new();
    world.metrics.render(&mut text);
    for line in [
        "greenroom_gateway_copied_left_out_total{why=\"too_large\"} 1",
        "greenroom_gateway_unit_bytes_total{class=\"clipboard\"} 4",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn what_a_viewer_copied_is_asked_for_and_given() {
    let world = World::start().await;
    let (mut viewer, mut holder, _streamer) = world.connected().await;
    viewer.send(1, COPIED).await;
    let Order::Copied(copied) = order(&mut holder).await else {
        panic!("no offer");
    };
    assert_eq!((copied.serial, copied.contents[0].bytes), (5, 4));
    tell(&mut holder, News::ReadCopied(read(5))).await;
    assert_eq!(
        viewer.control().await,
        serde_json::json!({"type": "readCopied", "serial": 5, "kind": "text/plain", "offset": 0})
    );
    viewer.send(5, &payload(5)).await;
    assert_eq!(order(&mut holder).await, Order::CopiedPart(part(5)));
}

#[tokio::test]
async fn a_viewer_without_the_right_gets_and_gives_nothing() {
    let no_clipboard = Rights {
        clipboard_in: false,
        clipboard_out: false,
        ..all_rights()
    };
    let only_watches = Rights {
        input: false,
        ..all_rights()
    };
    for rights in [no_clipboard, only_watches] {
        let world = World::with_rights(rights).await;
        let (mut viewer, mut holder, mut streamer) = world.connected().await;
        for message in [WANT, COPIED, READ] {
            viewer.send(1, message).await;
        }
        viewer.send(5, &payload(5)).await;
        // A holder that tells all the same is a holder gone wrong.
        for news in [
            News::Copied(offer(9)),
            News::CopiedPart(part(9)),
            News::ReadCopied(read(5)),
        ] {
            tell(&mut holder, news).await;
        }
        viewer.send(5, &payload(5)).await;
        viewer.send(1, PING).await;
        assert_eq!(viewer.control().await["type"], "pong");
        streamer.unit(Class::Display, b"picture").await;
        assert_eq!(viewer.message().await.unwrap(), &b"\x11picture"[..]);
        drop(viewer);
        assert_eq!(holder.next::<ToHolder>().await, None);
        let mut text = String::new();
        world.metrics.render(&mut text);
        let line = "greenroom_gateway_copying_refused_total 5";
        assert!(text.lines().any(|shown| shown == line), "{text}");
    }
}

#[tokio::test]
async fn one_part_at_a_time_is_on_its_way() {
    let world = World::start().await;
    let (mut viewer, mut holder, _streamer) = world.connected().await;
    // Nobody asked for it.
    viewer.send(5, &payload(5)).await;
    viewer.send(1, READ).await;
    viewer.send(1, READ).await;
    assert_eq!(order(&mut holder).await, Order::ReadCopied(read(9)));
    tell(&mut holder, News::CopiedPart(part(9))).await;
    tell(&mut holder, News::CopiedPart(part(10))).await;
    tell(&mut holder, News::ReadCopied(read(5))).await;
    let mut seen = [
        viewer.message().await.unwrap(),
        viewer.message().await.unwrap(),
    ];
    seen.sort();
    assert_eq!(seen[1], [&[20][..], &payload(9)].concat());
    assert_eq!(seen[0][0], 1, "a question, and no second part");
    viewer.send(5, &payload(5)).await;
    viewer.send(5, &payload(6)).await;
    viewer.send(1, READ).await;
    assert_eq!(order(&mut holder).await, Order::CopiedPart(part(5)));
    assert_eq!(order(&mut holder).await, Order::ReadCopied(read(9)));
}
