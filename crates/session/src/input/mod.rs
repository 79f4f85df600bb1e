//! A viewer's input as the seat of the compositor takes it; nothing here touches a socket or a clock.

pub mod codes;
pub mod keyboard;
pub mod streams;
pub mod wheel;

pub use keyboard::{Keyboard, Step};
pub use streams::Streams;
