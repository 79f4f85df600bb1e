//! The viewer protocol: what player and gateway say to each other, one binary WebSocket message each.
//!
//! The first byte is the message's class, the rest its payload. Integers are little-endian; control and
//! input are JSON in UTF-8. `web/player/src/protocol.ts` is the other half.
//!
//! | up | payload |
//! |---|---|
//! | 1 control | `hello`, `resize`, `ping`, `wantCopied`, `copied` or `readCopied` |
//! | 2 input | an array of 1 to 256 events, each with its sequence number |
//! | 3 ack | `u64`: the number of an update the player has composed |
//! | 4 have | `u32` width, `u32` height, then a `u64` hash for each tile of the player's framebuffer; two zeros when it has none |
//! | 5 copied | a part of what the viewer has copied: `u64` serial, `u8` kind (1 text, 2 HTML, 3 PNG), `u32` offset, bytes |
//!
//! | down | payload |
//! |---|---|
//! | 1 control | `welcome`, `resync`, `pong`, `pointer`, `textField`, `copied`, `readCopied` or `bye` |
//! | 2 input ack | `u64`: the session had every event up to this one |
//! | 3 pointer image | `u32` width and height, 0 for none, `i32` hotspot from left and top, `u32` pixels per pixel of the output in 1/120, then `R G B A` of each pixel |
//! | 16 + class | a stream unit, unchanged from the streamer; the classes are those of `session-api` |
//! | 16 + 4 | a part of what was copied in the session, as the player sends its own |
//!
//! The player opens with `hello` and `have`. The gateway answers `welcome`, then units, or `bye` and
//! closes. `resync` says that the picture's source was replaced: the player answers with `have` and
//! acknowledges nothing it had before. A `bye` with `retry` is for the player to come back by itself.
//!
//! Whoever has copied something says so by `copied`, and the other side asks for it by `readCopied`, a part after the
//! other and never two at once. The player is told of the session's while it wants to be (`wantCopied`).
//!
//! `hello` also names the highest version of units the player draws (`units`), which the streamer is told
//! with each `have`. Whatever a player kept beside its picture is void when it says `have`.
//!
//! `pointer`, `textField`, `copied` and a pointer's image are states: of several values a player may see only the last.
//!
//! A new kind of event, a new field and a new control message are additions: either side skips what it
//! does not know. [`VERSION`] rises when skipping is not good enough.

mod clipboard;
mod down;
mod up;

pub(crate) use clipboard::reason;
pub use down::{
    Farewell, bye, input_ack, pointer, pointer_image, pong, resync, text_field, unit, welcome,
};
pub(crate) use down::{copied, copied_part, read_copied};
pub use up::{Hello, Malformed, Size, Up};
pub(crate) use up::{NO_HELLO, SECOND_HELLO, TEXT_MESSAGE};

/// The version this build speaks.
pub const VERSION: u32 = 1;

/// The longest message a player may send. A framebuffer of more tiles than fit is announced as none,
/// which costs one full picture.
pub const MAX_UP: usize = 64 << 10;
