//! Ids and keys of what RAM makes. Names may change and be given again; these are given once.

use greenroom_model::Entropy;
use greenroom_model::random::base36;
use greenroom_store::Secret;
use serde::Serialize;
use std::fmt;

/// A new user's id: 18 digits, as the vendor's are. The first tells whose it is.
#[must_use]
pub fn user_id(entropy: &dyn Entropy) -> String {
    digits(entropy, 2)
}

/// A new role's id: 18 digits, as the vendor's are.
#[must_use]
pub fn role_id(entropy: &dyn Entropy) -> String {
    digits(entropy, 3)
}

/// A new group's id.
#[must_use]
pub fn group_id(entropy: &dyn Entropy) -> String {
    format!("g-{}", base36(entropy, 17))
}

fn digits(entropy: &dyn Entropy, first: u64) -> String {
    const SPAN: u64 = 100_000_000_000_000_000;
    let mut bytes = [0_u8; 8];
    entropy.fill(&mut bytes);
    (first * SPAN + u64::from_le_bytes(bytes) % SPAN).to_string()
}

/// A new access key.
#[derive(Debug)]
pub struct NewKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: Shown,
}

impl NewKey {
    /// A random one of a user.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        // The vendor's keys begin with LTAI, and some tools look for that.
        Self {
            id: format!("LTAI{}", base36(entropy, 20)),
            secret: Shown(base36(entropy, 40)),
        }
    }
}

/// A secret that an answer shows to whoever asked for it, and nothing else does: not `Debug`, and no later
/// answer.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Shown(String);

impl Shown {
    /// A secret to be shown.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret as the store takes it.
    #[must_use]
    pub fn to_store(&self) -> Secret {
        Secret::new(self.0.as_bytes())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_testkit::SeededEntropy;

    #[test]
    fn ids_have_the_forms_that_tools_expect() {
        let entropy = SeededEntropy::new(3);
        for _ in 0..100 {
            let (user, role) = (user_id(&entropy), role_id(&entropy));
            assert!(user.len() == 18 && user.starts_with('2'), "{user}");
            assert!(role.len() == 18 && role.starts_with('3'), "{role}");
        }
        assert_ne!(group_id(&entropy), group_id(&entropy));
    }

    #[test]
    fn a_secret_is_not_in_what_is_logged() {
        let key = NewKey::random(&SeededEntropy::new(3));
        let logged = format!("{key:?}");
        assert!(logged.contains(&key.id) && !logged.contains(&key.secret.0));
    }
}
