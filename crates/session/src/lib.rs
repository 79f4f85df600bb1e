//! The holder of one session: a compositor for its apps, the sandbox they run in, and links to those who
//! drive it and watch it. Apps do not survive their compositor, so what is here must never die.
//!
//! No codec, no audio, no network, no database; it has never heard of an Action.

pub mod apps;
mod bounds;
pub mod clipboard;
pub mod display;
pub mod input;
mod limits;
pub mod links;
pub mod logs;
pub mod machine_id;
pub mod oom;
pub mod privileges;
pub mod run;
pub mod sandbox;
pub mod setup;
pub mod streamer;
