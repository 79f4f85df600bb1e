//! A head of the audit trail that somebody kept: the file that `greenroom audit head` printed, or one hash.

use crate::audit::HeadView;
use greenroom_store::{AuditHead, CheckpointVerifier, RowHash};
use serde::Deserialize;
use std::io;
use std::path::PathBuf;

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// The heads of all chains, and the key that their checkpoints are signed with.
    Heads(Vec<AuditHead>, CheckpointVerifier),
    /// The hash of a row of some chain.
    Hash(RowHash),
}

/// Why what was kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The file cannot be read.
    #[error("{} is no hash of 64 hexadecimal digits, and cannot be read as a file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is not what `greenroom audit head` prints", .0.display())]
    NoHeads(PathBuf),
}

/// What `GetAuditHead` answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Heads {
    checkpoint_key: String,
    heads: Vec<HeadView>,
}

impl Heads {
    /// The heads and the key; `None` when what stands for them is none.
    pub(super) fn read(self) -> Option<(Vec<AuditHead>, CheckpointVerifier)> {
        let heads = self.heads.into_iter().map(HeadView::into_head);
        let key = CheckpointVerifier::parse(&self.checkpoint_key)?;
        Some((heads.collect::<Option<_>>()?, key))
    }
}

impl Kept {
    /// Reads a hash, or the file of that name.
    pub(super) fn read(text: &str) -> Result<Self, KeptError> {
        if let Some(hash) = RowHash::parse(text) {
            return Ok(Self::Hash(hash));
        }
        let path = PathBuf::from(text);
        let kept = match std::fs::read_to_string(&path) {
            Ok(kept) => kept,
            Err(source) => return Err(KeptError::File { path, source }),
        };
        let heads = serde_json::from_str::<Heads>(&kept).ok();
        match heads.and_then(Heads::read) {
            Some((heads, key)) => Ok(Self::Heads(heads, key)),
            None => Err(KeptError::NoHeads(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_or_a_file_of_heads_is_read_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("head.json");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Kept::read(file.to_str().unwrap())
        };
        let digits = "ab".repeat(32);
        let hash = RowHash([0xab; 32]);
        assert_eq!(Kept::read(&digits).unwrap(), Kept::Hash(hash));
        let heads = format!(
            r#"{{"CheckpointKey":"{digits}","Heads":[{{"Writer":"srv-1","Sequence":7,"Hash":"{digits}"}}]}}"#
        );
        let head = AuditHead {
            writer: "srv-1".to_owned(),
            sequence: 7,
            hash,
        };
        let key = CheckpointVerifier([0xab; 32]);
        assert_eq!(read(&heads).unwrap(), Kept::Heads(vec![head], key));
        for other in ["", "{}", &heads.replace("ab", "xy")] {
            assert!(matches!(read(other), Err(KeptError::NoHeads(_))), "{other}");
        }
        let missing = Kept::read("no-such-file").unwrap_err();
        assert!(missing.to_string().contains("no-such-file"), "{missing}");
    }
}
