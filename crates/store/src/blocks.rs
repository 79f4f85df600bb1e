//! Positions among a group's sessions: the n-th of a million without counting to n.
//!
//! Each session keeps the ordinal it was given; purged ones leave gaps. The sessions alive are counted for
//! runs of 64, 4,096 and 262,144 ordinals, in the transaction that adds or purges them. A position is found
//! by walking the coarsest counts of the group, then at most 64 finer ones, twice, then at most 64 sessions.

use crate::connection::{Connection, values};
use crate::error::Result;
use greenroom_model::AppInstanceGroupId;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Ordinals of a block as a power of two, coarse to fine.
const LEVELS: [u32; 3] = [18, 12, 6];

/// Where a position lies.
pub(crate) struct Place {
    /// The first ordinal of its finest block.
    pub(crate) ordinal: i64,
    /// Sessions of that block before it.
    pub(crate) skip: i64,
}

/// Finds the session with `before` sessions before it; `None` past the end.
pub(crate) fn place(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    before: i64,
) -> Result<Option<Place>> {
    let (mut from, mut to, mut skip) = (0, i64::MAX, before);
    for level in LEVELS {
        let mut found = None;
        c.query(
            "SELECT block, sessions FROM session_blocks
             WHERE group_id = $1 AND level = $2 AND block >= $3 AND block < $4 ORDER BY block",
            values![group, level, from >> level, to >> level],
            &mut |row| {
                let (block, sessions) = (row.integer(0)?, row.integer(1)?);
                if skip < sessions {
                    found = Some(block);
                    return Ok(ControlFlow::Break(()));
                }
                skip -= sessions;
                Ok(ControlFlow::Continue(()))
            },
        )?;
        let Some(block) = found else {
            return Ok(None);
        };
        (from, to) = (block << level, (block + 1) << level);
    }
    Ok(Some(Place {
        ordinal: from,
        skip,
    }))
}

/// Counts sessions of these ordinals in, or out with `by` = -1.
pub(crate) fn count(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    ordinals: impl Iterator<Item = i64>,
    by: i64,
) -> Result<()> {
    let mut changes = BTreeMap::<(u32, i64), i64>::new();
    for ordinal in ordinals {
        for level in LEVELS {
            *changes.entry((level, ordinal >> level)).or_default() += by;
        }
    }
    for ((level, block), change) in changes {
        c.execute(
            "INSERT INTO session_blocks (group_id, level, block, sessions) VALUES ($1, $2, $3, $4)
             ON CONFLICT (group_id, level, block)
             DO UPDATE SET sessions = session_blocks.sessions + excluded.sessions",
            values![group, level, block, change],
        )?;
        if by < 0 {
            c.execute(
                "DELETE FROM session_blocks
                 WHERE group_id = $1 AND level = $2 AND block = $3 AND sessions = 0",
                values![group, level, block],
            )?;
        }
    }
    Ok(())
}
