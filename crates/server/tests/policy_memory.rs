//! How much memory a policy document may cost while it is read, whatever it says.

use greenroom_server::access::policy::{Document, Trust};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, with a count of what is in use. This file has one test, so that it counts for it alone.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Ordering::SeqCst) + layout.size();
        MOST.fetch_max(used, Ordering::SeqCst);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: as above; what is given back was given out by the system's allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What reading costs at its highest, above what was in use before.
fn cost(read: impl FnOnce()) -> usize {
    let before = USED.load(Ordering::SeqCst);
    MOST.store(before, Ordering::SeqCst);
    read();
    MOST.load(Ordering::SeqCst) - before
}

#[test]
fn no_document_costs_more_than_a_small_multiple_of_the_longest() {
    const MEGABYTE: usize = 1_000_000;
    let statement = |action: &str| {
        format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":{action},"Resource":"*"}}]}}"#
        )
    };
    let texts = [
        "[".repeat(10_000),
        r#"{"Statement":["#.repeat(10_000),
        statement(&("[".repeat(10_000) + &"]".repeat(10_000))),
        // As deep and as wide as fits.
        statement(&("[".repeat(3_000) + &"]".repeat(3_000))),
        statement(&format!("[{}\"ram:*\"]", "\"a:b\",".repeat(900))),
        statement(&format!("[{}]", vec!["[]"; 1_900].join(","))),
        statement(&format!("[{}]", vec!["{\"\":0}"; 850].join(","))),
        " ".repeat(MEGABYTE),
        statement("\"*\"") + &" ".repeat(MEGABYTE),
        "😀".repeat(MEGABYTE / 4),
        "😀".repeat(6_000),
        "\u{0}".repeat(MEGABYTE),
        statement(&format!("\"a:{}\"", "\\u0000".repeat(1_000))),
    ];
    for text in &texts {
        let cost = cost(|| drop((Document::read(text), Trust::read(text))));
        let begin: String = text.chars().take(40).collect();
        assert!(cost < 512 * 1024, "{cost} bytes for {begin}");
        if text.len() > 30_000 {
            assert!(
                cost < 1024,
                "{cost} bytes for {begin}, which is too long to be read"
            );
        }
    }
}
