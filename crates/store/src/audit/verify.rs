//! Verification of a chain: rows go in one after the other, and the first that does not fit is named.
//!
//! What a chain proves by itself is that nothing in it was changed, removed or put in between without
//! hashing everything after it again. That this was not done either, and that nothing was cut off its end,
//! only a head shows that was kept elsewhere.

use super::checkpoint::{CHECKPOINT, Checkpoint, CheckpointVerifier};
use super::entry::{AuditHead, AuditRow, RowHash};

/// A row that does not fit, or that a chain lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {sequence} of the chain of {writer} {what}")]
pub struct AuditFlaw {
    /// Whose chain.
    pub writer: String,
    /// Its place there.
    pub sequence: u64,
    /// What is wrong with it.
    pub what: Flaw,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its fields have another hash.
    #[error("was changed: its fields do not have its hash")]
    Changed,
    /// Another row comes in its place.
    #[error("is missing, or the rows are in another order")]
    Missing,
    /// The row before it has another hash than the one that it follows.
    #[error("does not follow the row before it, which was replaced")]
    Unchained,
    /// It says that rows were removed, and the key of checkpoints did not sign that.
    #[error("is a forged checkpoint")]
    Forged,
    /// It is the first that is there, and no checkpoint says that the rows before it were removed.
    #[error("is the first, and no checkpoint says that those before it were removed")]
    Beheaded,
    /// It has another hash than the head that was kept.
    #[error("is not the one that was kept: the chain was rewritten")]
    Rewritten,
    /// The chain ends before the head that was kept.
    #[error("was kept and is gone: the end of the chain was cut off")]
    Cut,
    /// The head that was kept is of a row that was rightly removed since.
    #[error("was kept and has been removed with other old rows: it proves nothing any more")]
    Outlived,
}

/// A chain under verification.
#[derive(Debug)]
pub struct AuditVerification {
    writer: String,
    key: CheckpointVerifier,
    kept: Option<AuditHead>,
    /// What the first row that is there follows; `None` until that one came.
    begin: Option<Checkpoint>,
    /// Whether what came before it never was, or was rightly removed.
    begins_rightly: bool,
    last: Checkpoint,
}

impl AuditVerification {
    /// Verification of the chain of `writer`, whose checkpoints `key` signs, and in which the row `kept` must
    /// be if one is given.
    #[must_use]
    pub fn new(writer: &str, key: CheckpointVerifier, kept: Option<AuditHead>) -> Self {
        Self {
            writer: writer.to_owned(),
            key,
            kept,
            begin: None,
            begins_rightly: true,
            last: Checkpoint {
                through: 0,
                hash: RowHash::NONE,
            },
        }
    }

    /// The place of the last row that fitted.
    #[must_use]
    pub fn reached(&self) -> u64 {
        self.last.through
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// It does not fit.
    pub fn take(&mut self, row: &AuditRow) -> Result<(), AuditFlaw> {
        if row.writer != self.writer || row.computed_hash() != row.hash {
            return Err(self.flaw(row.sequence, Flaw::Changed));
        }
        let begin = match self.begin {
            Some(begin) => begin,
            None => self.begin_with(row)?,
        };
        let expected = self.last.through.saturating_add(1);
        if row.sequence != expected {
            return Err(self.flaw(expected, Flaw::Missing));
        }
        if row.previous != self.last.hash {
            return Err(self.flaw(row.sequence, Flaw::Unchained));
        }
        if row.entry.action == CHECKPOINT {
            let stated = self.key.read(row);
            let stated = stated.ok_or_else(|| self.flaw(row.sequence, Flaw::Forged))?;
            self.begins_rightly |= stated == begin;
        }
        self.reach(row.sequence, row.hash)
    }

    /// Ends with the chain's head, once every row of it has come.
    ///
    /// # Errors
    /// The chain as a whole does not fit.
    pub fn finish(self) -> Result<AuditHead, AuditFlaw> {
        let before = self.begin.map_or(0, |begin| begin.through);
        if !self.begins_rightly {
            return Err(self.flaw(before.saturating_add(1), Flaw::Beheaded));
        }
        if let Some(kept) = &self.kept {
            if kept.sequence > self.last.through {
                return Err(self.flaw(kept.sequence, Flaw::Cut));
            }
            if kept.sequence < before {
                return Err(self.flaw(kept.sequence, Flaw::Outlived));
            }
        }
        Ok(AuditHead {
            writer: self.writer,
            sequence: self.last.through,
            hash: self.last.hash,
        })
    }

    /// Takes what the first row says that it follows for what was reached; a checkpoint has to confirm it.
    fn begin_with(&mut self, row: &AuditRow) -> Result<Checkpoint, AuditFlaw> {
        let begin = Checkpoint {
            through: row.sequence.saturating_sub(1),
            hash: row.previous,
        };
        self.begin = Some(begin);
        self.begins_rightly = begin == self.last;
        self.reach(begin.through, begin.hash)?;
        Ok(begin)
    }

    fn reach(&mut self, through: u64, hash: RowHash) -> Result<(), AuditFlaw> {
        self.last = Checkpoint { through, hash };
        match &self.kept {
            Some(kept) if kept.sequence == through && kept.hash != hash => {
                Err(self.flaw(through, Flaw::Rewritten))
            }
            _ => Ok(()),
        }
    }

    fn flaw(&self, sequence: u64, what: Flaw) -> AuditFlaw {
        AuditFlaw {
            writer: self.writer.clone(),
            sequence,
            what,
        }
    }
}

#[cfg(test)]
mod tests;
