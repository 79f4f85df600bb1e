//! Checkpoints: signed rows that say up to where older rows of their chain were removed, so that a chain
//! whose beginning is gone can still be told from one that somebody cut.

use super::entry::{AuditRow, RowHash};
use greenroom_model::hex;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// What a checkpoint's row says was done.
pub const CHECKPOINT: &str = "RemoveAuditEvents";

/// The form of what is signed.
const FORM: &[u8] = b"greenroom audit checkpoint 1\0";

/// The key that signs checkpoints. It comes from the key that secrets are sealed with, so all servers of a
/// database have the same one, and the database alone has none.
pub(crate) struct CheckpointKey {
    seed: [u8; 32],
}

/// The public half of it, which everybody may have and nobody can sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointVerifier(pub [u8; 32]);

/// What a checkpoint states: the last row of its chain that was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its place.
    pub through: u64,
    /// Its hash.
    pub hash: RowHash,
}

impl CheckpointKey {
    /// The key that belongs to a key for sealing.
    pub(crate) fn of(sealing: &[u8; 32]) -> Self {
        let mut seed = Sha256::new();
        seed.update(b"greenroom audit checkpoint key\0");
        seed.update(sealing);
        Self {
            seed: seed.finalize().into(),
        }
    }

    /// The public half.
    pub(crate) fn verifier(&self) -> Option<CheckpointVerifier> {
        let public = self.pair()?.public_key().as_ref().try_into().ok()?;
        Some(CheckpointVerifier(public))
    }

    /// What the row of a checkpoint of that chain is to say.
    pub(super) fn subject(&self, writer: &str, it: Checkpoint) -> Option<String> {
        let signature = self.pair()?.sign(&it.signed(writer));
        let (through, hash) = (it.through, it.hash);
        let signature = hex::encode(signature.as_ref());
        Some(format!("through {through} {hash} {signature}"))
    }

    /// `None` for no seed that there is.
    fn pair(&self) -> Option<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&self.seed).ok()
    }
}

impl CheckpointVerifier {
    /// Reads what [`CheckpointVerifier::to_text`] writes.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        hex::decode(digits).map(Self)
    }

    /// The key in hexadecimal digits.
    #[must_use]
    pub fn to_text(self) -> String {
        hex::encode(&self.0)
    }

    /// What the checkpoint states; `None` when this key did not sign that for the row's chain.
    #[must_use]
    pub fn read(self, row: &AuditRow) -> Option<Checkpoint> {
        let mut words = row.entry.subject.strip_prefix("through ")?.split(' ');
        let it = Checkpoint {
            through: words.next()?.parse().ok()?,
            hash: RowHash::parse(words.next()?)?,
        };
        let signature: [u8; 64] = hex::decode(words.next()?)?;
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        let signed = key.verify(&it.signed(&row.writer), &signature);
        (words.next().is_none() && signed.is_ok()).then_some(it)
    }
}

impl Checkpoint {
    fn signed(self, writer: &str) -> Vec<u8> {
        let mut bytes = FORM.to_vec();
        bytes.extend((writer.len() as u64).to_be_bytes());
        bytes.extend(writer.as_bytes());
        bytes.extend(self.through.to_be_bytes());
        bytes.extend(self.hash.0);
        bytes
    }
}
