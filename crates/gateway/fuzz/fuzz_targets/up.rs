//! Any bytes a player may send: refused, or within the protocol's bounds.
#![no_main]

use greenroom_gateway::protocol::{MAX_UP, Up};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    match Up::parse(message) {
        Ok(Up::Input(events)) => {
            assert!((1..=256).contains(&events.len()));
            assert!(events.iter().all(|event| (1..1 << 53).contains(&event.seq)));
        }
        Ok(Up::Have(have)) => assert!(8 * have.tiles.len() < MAX_UP),
        Ok(Up::Copied(offer)) => assert!(offer.is_sound()),
        Ok(Up::CopiedPart(part)) => assert!(part.bytes.len() <= 32 << 10),
        Ok(_) => assert!(message.len() <= MAX_UP),
        Err(_) => {}
    }
});
