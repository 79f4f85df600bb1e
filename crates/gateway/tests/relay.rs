//! What passes between a viewer and its session, and what happens when one of them fails.

mod support;

use greenroom_gateway::Rights;
use greenroom_session_api::units::{Class, ToStreamer, to_streamer};
use greenroom_session_api::{input, viewer};
use std::time::Duration;
use support::{World, all_rights, until};

const KEY_DOWN: &[u8] = br#"[{"seq":1,"at":1.5,"type":"key","code":"KeyA","key":"a","location":0,"modifiers":0,"down":true}]"#;

#[tokio::test]
async fn units_come_down_in_order_and_acks_go_up() {
    let world = World::start().await;
    let (mut viewer, _holder, mut streamer) = world.connected().await;
    streamer.unit(Class::Display, b"first").await;
    streamer.unit(Class::Display, b"second").await;
    assert_eq!(viewer.message().await.unwrap(), &b"\x11first"[..]);
    assert_eq!(viewer.message().await.unwrap(), &b"\x11second"[..]);
    viewer.ack(1).await;
    viewer.ack(2).await;
    assert_eq!((streamer.acked().await, streamer.acked().await), (1, 2));
}

#[tokio::test]
async fn input_goes_up_with_its_stream_and_its_acks_come_down() {
    let world = World::start().await;
    let (mut viewer, mut holder, _streamer) = world.connected().await;
    viewer.send(2, KEY_DOWN).await;
    let input = holder.input().await;
    assert_eq!((input.stream, input.events[0].seq), (0xaa, 1));
    assert!(matches!(
        &input.events[0].kind,
        Some(input::event::Kind::Key(key)) if key.code == "KeyA" && key.down
    ));
    // Another viewer's acknowledgement is not this one's.
    holder.had_input(0xbb, 9).await;
    holder.had_input(0xaa, 1).await;
    assert_eq!(
        viewer.message().await.unwrap(),
        &[2, 1, 0, 0, 0, 0, 0, 0, 0][..]
    );
}

#[tokio::test]
async fn the_window_decides_the_size_before_the_first_picture() {
    let world = World::start().await;
    let mut viewer = world.viewer().await;
    let hello = br#"{"type":"hello","version":1,"ticket":"good","stream":"00000000000000aa",
        "size":{"width":1920,"height":1080,"scale120":120}}"#;
    viewer.send(1, hello).await;
    let mut holder = world.session.viewer().await;
    let order = holder.next::<viewer::ToHolder>().await.unwrap().order;
    assert!(
        matches!(&order, Some(viewer::to_holder::Order::Resize(size)) if (size.width, size.height) == (1920, 1080)),
        "{order:?}"
    );
    world.session.open_stream(&mut holder).await;
    viewer
        .send(
            1,
            br#"{"type":"resize","width":800,"height":600,"scale120":240}"#,
        )
        .await;
    let order = holder.next::<viewer::ToHolder>().await.unwrap().order;
    assert!(
        matches!(&order, Some(viewer::to_holder::Order::Resize(size)) if size.scale_120 == 240),
        "{order:?}"
    );
}

#[tokio::test]
async fn a_streamer_is_told_which_units_the_player_draws() {
    for (said, heard) in [("", 1), (r#","units":2"#, 2)] {
        let world = World::start().await;
        let mut player = world.viewer().await;
        let hello = format!(
            r#"{{"type":"hello","version":1,"ticket":"good","stream":"00000000000000aa"{said}}}"#
        );
        player.send(1, hello.as_bytes()).await;
        player.have(0, 0, &[]).await;
        let mut holder = world.session.viewer().await;
        world.session.open_stream(&mut holder).await;
        let (_streamer, have) = world.session.units().await;
        assert_eq!(have.units, heard);
    }
}

#[tokio::test]
async fn what_a_viewer_has_no_right_to_passes_in_neither_direction() {
    let world = World::with_rights(Rights {
        input: false,
        controller: false,
        clipboard_out: false,
        ..all_rights()
    })
    .await;
    let (mut viewer, mut holder, mut streamer) = world.connected().await;
    assert!(holder.want.cursor_images && !holder.want.text_fields);
    viewer.send(2, KEY_DOWN).await;
    viewer
        .send(
            1,
            br#"{"type":"resize","width":800,"height":600,"scale120":120}"#,
        )
        .await;
    streamer.unit(Class::Clipboard, b"secret").await;
    streamer.unit(Class::Unspecified, b"newer").await;
    streamer.unit(Class::Display, b"picture").await;
    assert_eq!(viewer.message().await.unwrap(), &b"\x11picture"[..]);
    drop(viewer);
    assert_eq!(holder.next::<viewer::ToHolder>().await, None);
}

fn pointer(name: String) -> viewer::from_holder::News {
    viewer::from_holder::News::Cursor(viewer::Cursor { name })
}

#[tokio::test]
async fn a_viewer_is_told_of_pointer_and_text_field() {
    use viewer::from_holder::News;
    let world = World::start().await;
    let (mut viewer, mut holder, _streamer) = world.connected().await;
    assert!(holder.want.cursor_images && holder.want.text_fields);
    holder.news(pointer("text".into())).await;
    assert_eq!(
        viewer.control().await,
        serde_json::json!({"type": "pointer", "name": "text"})
    );
    let image = viewer::CursorImage {
        width: 1,
        height: 1,
        rgba: vec![1, 2, 3, 4],
        ..Default::default()
    };
    holder.news(News::CursorImage(image)).await;
    let message = viewer.message().await.unwrap();
    assert_eq!((message[0], &message[21..]), (3, &[1, 2, 3, 4][..]));
    let field = viewer::TextField {
        wanted: true,
        surrounding: "secret".into(),
        ..Default::default()
    };
    holder.news(News::TextField(field)).await;
    let told = viewer.control().await;
    assert_eq!(
        (&told["type"], &told["wanted"]),
        (&"textField".into(), &true.into())
    );
    assert!(!told.to_string().contains("secret"));
}

#[tokio::test]
async fn a_viewer_that_reads_nothing_is_told_the_latest_pointer_only() {
    let world = World::start().await;
    let (mut viewer, mut holder, mut streamer) = world.connected().await;
    // The sockets are full: whatever comes now waits in the gateway.
    let unit = vec![0; 1 << 20];
    let full = Duration::from_millis(500);
    while tokio::time::timeout(full, streamer.unit(Class::Display, &unit))
        .await
        .is_ok()
    {}
    for turn in 0..10_000 {
        holder.news(pointer(turn.to_string())).await;
    }
    // Input is acknowledged behind them, so all of them were read.
    holder.had_input(0xaa, 7).await;
    let mut pointers = Vec::new();
    loop {
        let message = viewer.message().await.unwrap();
        match message[0] {
            1 => pointers.push(String::from_utf8(message[1..].to_vec()).unwrap()),
            2 => break,
            _ => {}
        }
    }
    while pointers.last().is_none_or(|last| !last.contains("9999")) {
        let message = viewer.message().await.unwrap();
        if message[0] == 1 {
            pointers.push(String::from_utf8(message[1..].to_vec()).unwrap());
        }
    }
    assert!(pointers.len() < 100, "{} pointers", pointers.len());
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_time() {
    let world = World::start().await;
    let (mut viewer, _holder, _streamer) = world.connected().await;
    viewer.send(1, br#"{"type":"ping","at":12.25}"#).await;
    assert_eq!(
        viewer.control().await,
        serde_json::json!({"type": "pong", "at": 12.25})
    );
}

#[tokio::test]
async fn a_dead_streamer_is_replaced_while_the_viewer_stays() {
    let world = World::start().await;
    let (mut viewer, mut holder, mut streamer) = world.connected().await;
    streamer.unit(Class::Display, b"old").await;
    assert_eq!(viewer.message().await.unwrap(), &b"\x11old"[..]);
    drop(streamer);

    assert_eq!(viewer.control().await["type"], "resync");
    // The old streamer's update, acknowledged too late to matter.
    viewer.ack(1).await;
    viewer.have(64, 64, &[42]).await;
    world.session.open_stream(&mut holder).await;
    let (mut streamer, have) = world.session.units().await;
    assert_eq!((have.width, have.tiles), (64, vec![42]));
    streamer.unit(Class::Display, b"new").await;
    assert_eq!(viewer.message().await.unwrap(), &b"\x11new"[..]);
    viewer.ack(7).await;
    assert_eq!(streamer.acked().await, 7);
    viewer.send(2, KEY_DOWN).await;
    assert_eq!(holder.input().await.events.len(), 1);
}

#[tokio::test]
async fn a_streamer_that_never_answers_is_asked_for_again() {
    let world = World::start().await;
    let (mut viewer, mut holder, streamer) = world.connected().await;
    drop(streamer);
    assert_eq!(viewer.control().await["type"], "resync");
    viewer.have(64, 64, &[42]).await;
    // The holder has not noticed yet, and its socket still takes connections.
    world.session.open_stream(&mut holder).await;
    let _nobody = world.session.unanswered_units().await;
    world.session.open_stream(&mut holder).await;
    let (mut streamer, have) = world.session.units().await;
    assert_eq!(have.tiles, [42], "what the player has is still true");
    streamer.unit(Class::Display, b"new").await;
    assert_eq!(viewer.message().await.unwrap(), &b"\x11new"[..]);
}

#[tokio::test]
async fn a_player_that_lost_its_picture_says_so_to_the_same_streamer() {
    let world = World::start().await;
    let (mut viewer, _holder, mut streamer) = world.connected().await;
    viewer.have(0, 0, &[]).await;
    let order = streamer.next::<ToStreamer>().await.unwrap().order;
    assert!(
        matches!(&order, Some(to_streamer::Order::Have(have)) if have.tiles.is_empty()),
        "{order:?}"
    );
}

#[tokio::test]
async fn a_streamer_that_never_works_sends_the_viewer_away_to_come_back() {
    let world = World::start().await;
    let (mut viewer, mut holder, streamer) = world.connected().await;
    drop(streamer);
    assert_eq!(viewer.control().await["type"], "resync");
    viewer.have(0, 0, &[]).await;
    let bye = tokio::select! {
        bye = viewer.bye() => bye,
        () = async {
            // The holder names a socket where nobody listens.
            while holder.next::<viewer::ToHolder>().await.is_some() {
                let news = Some(viewer::from_holder::News::StreamAt(viewer::StreamAt {
                    socket: "none.sock".into(),
                }));
                holder.send(&viewer::FromHolder { news }).await;
            }
            std::future::pending().await
        } => unreachable!(),
    };
    assert_eq!(
        (&bye["code"], &bye["retry"]),
        (&"session.lost".into(), &true.into())
    );
}

#[tokio::test]
async fn a_holder_cannot_point_the_gateway_outside_its_directory() {
    let world = World::start().await;
    let (mut viewer, mut holder, streamer) = world.connected().await;
    drop(streamer);
    assert_eq!(viewer.control().await["type"], "resync");
    viewer.have(0, 0, &[]).await;
    assert!(holder.next::<viewer::ToHolder>().await.is_some());
    let news = Some(viewer::from_holder::News::StreamAt(viewer::StreamAt {
        socket: format!("x/../{}", "stream.sock"),
    }));
    holder.send(&viewer::FromHolder { news }).await;
    // It is asked again instead, and a plain name is followed.
    world.session.open_stream(&mut holder).await;
    world.session.units().await;
}

#[tokio::test]
async fn a_holder_that_goes_takes_its_viewers_with_it() {
    let world = World::start().await;
    let (mut viewer, mut holder, _streamer) = world.connected().await;
    let news = Some(viewer::from_holder::News::Ending(viewer::Ending {
        reason: "an administrator stopped it".into(),
    }));
    holder.send(&viewer::FromHolder { news }).await;
    assert_eq!(
        viewer.bye().await["message"],
        "The session has ended: an administrator stopped it."
    );

    let mut viewer = world.viewer().await;
    viewer.hello("resume", "again").await;
    assert_eq!(viewer.control().await["type"], "welcome");
    drop(world.session.viewer().await);
    assert_eq!(viewer.bye().await["code"], "session.lost");
}

#[tokio::test]
async fn a_viewer_that_reads_nothing_stops_its_own_stream_only() {
    let world = World::start().await;
    let (_slow, mut slow_holder, mut slow_streamer) = world.connected().await;
    // Megabytes, sent by a streamer that ignores credit: they fill the sockets, then nothing is read.
    let unit = vec![0; 1 << 20];
    let mut sent = 0;
    while tokio::time::timeout(
        Duration::from_millis(500),
        slow_streamer.unit(Class::Display, &unit),
    )
    .await
    .is_ok()
    {
        sent += 1;
        assert!(
            sent < 64,
            "the gateway took {sent} MB for a viewer that reads nothing"
        );
    }

    // Its input still works, and so does another viewer.
    slow_holder.had_input(0xaa, 1).await;
    let mut other = world.viewer().await;
    other.hello("resume", "again").await;
    other.have(0, 0, &[]).await;
    assert_eq!(other.control().await["type"], "welcome");
    let mut holder = world.session.viewer().await;
    world.session.open_stream(&mut holder).await;
    let (mut streamer, _) = world.session.units().await;
    streamer.unit(Class::Display, b"fast").await;
    assert_eq!(other.message().await.unwrap(), &b"\x11fast"[..]);
    until("both are counted", || world.metrics.viewers() == 2).await;
}
