//! `greenroom-session --spec FILE`: holds one session until it is told to stop.
fn main() {}
