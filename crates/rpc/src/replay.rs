//! Which nonces were used lately.

use crate::fault::Fault;
use crate::signature::TIME_TOLERANCE_MS;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// How long a nonce is remembered: a request may be dated [`TIME_TOLERANCE_MS`] ahead, and stays
/// acceptable as long after that date.
pub const REMEMBER_MS: i64 = 2 * TIME_TOLERANCE_MS;

/// The nonces used within [`REMEMBER_MS`], for at most a given number of requests.
///
/// A full cache refuses new requests: forgetting an old nonce to make room would let it be used again. No
/// key may hold more than what is left free, so that no key can fill it for the others: a key alone gets
/// half of the room, two get a third each, and one that was quiet always finds some.
pub struct ReplayCache {
    capacity: usize,
    seen: HashSet<Digested>,
    /// In the order they came.
    order: VecDeque<Used>,
    /// How many nonces each key holds.
    held: HashMap<KeyHash, usize>,
    hasher: RandomState,
}

/// A nonce that was used.
struct Used {
    at_ms: i64,
    key: KeyHash,
    digested: Digested,
}

/// Stands for a key where it is counted: two that share one would share a key's room, no more.
type KeyHash = u64;

/// Half of a SHA-256: no two nonces ever share it, and a nonce of any length takes this much.
type Digested = [u8; 16];

impl ReplayCache {
    /// A cache of at most `capacity` nonces, which takes about 70 bytes for each that it holds.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            seen: HashSet::new(),
            order: VecDeque::new(),
            held: HashMap::new(),
            hasher: RandomState::new(),
        }
    }

    /// Remembers that `nonce` was used with this key. Call it once the signature is verified: an
    /// unverified request must not use up another's nonce, nor the cache's room.
    ///
    /// # Errors
    /// `SignatureNonceUsed` when it was used before; `Throttling.User` when the key has no room for more.
    pub fn admit(&mut self, access_key_id: &str, nonce: &str, now_ms: i64) -> Result<(), Fault> {
        self.forget_old(now_ms);
        let digested = digest(access_key_id, nonce);
        if self.seen.contains(&digested) {
            return Err(Fault::nonce_used());
        }
        let key = self.hasher.hash_one(access_key_id);
        let free = self.capacity.saturating_sub(self.order.len());
        if self.held.get(&key).copied().unwrap_or(0) >= free {
            let until_room = self.order.front().map_or(0, |oldest| {
                oldest
                    .at_ms
                    .saturating_add(REMEMBER_MS)
                    .saturating_sub(now_ms)
            });
            let wait = u64::try_from(until_room).unwrap_or(0).max(1);
            return Err(Fault::throttled_user(wait));
        }
        self.seen.insert(digested);
        *self.held.entry(key).or_default() += 1;
        self.order.push_back(Used {
            at_ms: now_ms,
            key,
            digested,
        });
        Ok(())
    }

    fn forget_old(&mut self, now_ms: i64) {
        // A request is still in time at the very end of the window, so that moment is remembered too.
        let is_old = |used: &Used| now_ms > used.at_ms.saturating_add(REMEMBER_MS);
        while self.order.front().is_some_and(is_old) {
            let Some(used) = self.order.pop_front() else {
                return;
            };
            self.seen.remove(&used.digested);
            if let Some(held) = self.held.get_mut(&used.key) {
                *held -= 1;
                if *held == 0 {
                    self.held.remove(&used.key);
                }
            }
        }
    }

    /// How many nonces are remembered now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

fn digest(access_key_id: &str, nonce: &str) -> Digested {
    let mut hash = Sha256::new();
    // With its length first, no key and nonce together read like another pair.
    hash.update(access_key_id.len().to_le_bytes());
    hash.update(access_key_id);
    hash.update(nonce);
    let mut half = Digested::default();
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<(), Fault>) -> String {
        result.map_or_else(|fault| fault.code, |()| "admitted".into())
    }

    #[test]
    fn a_nonce_is_refused_until_its_request_is_too_old_to_be_taken() {
        let mut cache = ReplayCache::new(10);
        assert_eq!(code(cache.admit("k", "n", 1_000)), "admitted");
        for later in [0, 1, REMEMBER_MS] {
            assert_eq!(
                code(cache.admit("k", "n", 1_000 + later)),
                "SignatureNonceUsed"
            );
        }
        assert_eq!(code(cache.admit("k", "n", 1_001 + REMEMBER_MS)), "admitted");
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn each_key_has_its_own_nonces() {
        let mut cache = ReplayCache::new(10);
        for (key, nonce) in [("k", "n"), ("kn", ""), ("", "kn"), ("k2", "n")] {
            assert_eq!(
                code(cache.admit(key, nonce, 0)),
                "admitted",
                "{key} {nonce}"
            );
        }
    }

    #[test]
    fn a_full_cache_refuses_and_forgets_nothing_early() {
        let mut cache = ReplayCache::new(4);
        assert!(cache.is_empty());
        assert_eq!(code(cache.admit("k", "a", 0)), "admitted");
        assert_eq!(code(cache.admit("k", "b", 500)), "admitted");
        let fault = cache.admit("k", "c", 1_000).expect_err("full");
        assert_eq!(fault.code, "Throttling.User");
        let wait = fault.retry_after_ms.expect("says when");
        assert_eq!(code(cache.admit("k", "a", 1_000)), "SignatureNonceUsed");
        let then = 1_001 + i64::try_from(wait).expect("small");
        assert_eq!(code(cache.admit("k", "c", then)), "admitted");
    }

    #[test]
    fn a_key_that_fills_its_room_leaves_room_for_the_others() {
        let mut cache = ReplayCache::new(1000);
        let mut fill = |key: &str, now| {
            (0..1000)
                .filter(|n| cache.admit(key, &format!("{now} {n}"), now).is_ok())
                .count()
        };
        assert_eq!(fill("greedy", 0), 500);
        assert_eq!(fill("greedy", 1), 0);
        assert_eq!(fill("second", 2), 250);
        assert_eq!(fill("third", 3), 125);
        // Once they are forgotten, the room is there again, and so is the count of it.
        assert_eq!(fill("greedy", 4 + REMEMBER_MS), 500);
        assert_eq!(cache.held.len(), 1);
    }

    #[test]
    fn a_clock_set_back_makes_nothing_forgotten() {
        let mut cache = ReplayCache::new(10);
        assert_eq!(code(cache.admit("k", "a", 10_000_000)), "admitted");
        assert_eq!(code(cache.admit("k", "b", 5_000_000)), "admitted");
        assert_eq!(code(cache.admit("k", "a", 5_000_001)), "SignatureNonceUsed");
        assert_eq!(
            code(cache.admit("k", "b", 10_000_001)),
            "SignatureNonceUsed",
            "kept as long as the one before it"
        );
    }
}
