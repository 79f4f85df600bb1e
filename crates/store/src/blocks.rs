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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Transactions;
    use crate::migrate;
    use crate::sqlite::Sqlite;
    use std::collections::BTreeSet;

    fn counted() -> (Sqlite, AppInstanceGroupId) {
        let mut c = Sqlite::in_memory().unwrap();
        migrate::run(&mut c).unwrap();
        // Only the counts are looked at here, so their group need not exist.
        c.script("PRAGMA foreign_keys = OFF").unwrap();
        c.begin().unwrap();
        (c, AppInstanceGroupId::parse("aig-1").unwrap())
    }

    /// The ordinal at a position: the place's block holds the sessions that `alive` has in it.
    fn ordinal(
        c: &mut Sqlite,
        group: &AppInstanceGroupId,
        alive: &BTreeSet<i64>,
        before: i64,
    ) -> Option<i64> {
        let place = place(c, group, before).unwrap()?;
        alive
            .range(place.ordinal..)
            .nth(usize::try_from(place.skip).unwrap())
            .copied()
    }

    #[test]
    fn every_position_is_found_through_seeded_insertions_and_removals() {
        let (mut c, group) = counted();
        let mut alive = BTreeSet::new();
        let mut next = 1_i64;
        let mut seed = 42_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % below
        };
        for _ in 0..60 {
            // Leaps in the ordinals reach blocks of every level.
            next += [0, 0, 70, 5_000, 300_000][random(5)];
            let added: Vec<i64> = (next..).take(random(200)).collect();
            next += i64::try_from(added.len()).unwrap();
            count(&mut c, &group, added.iter().copied(), 1).unwrap();
            alive.extend(added);

            let removed: Vec<i64> = alive.iter().copied().filter(|_| random(4) == 0).collect();
            count(&mut c, &group, removed.iter().copied(), -1).unwrap();
            alive.retain(|ordinal| !removed.contains(ordinal));

            let listed: Vec<i64> = alive.iter().copied().collect();
            for before in (0..listed.len())
                .step_by(7)
                .chain(listed.len().checked_sub(1))
            {
                let found = ordinal(&mut c, &group, &alive, i64::try_from(before).unwrap());
                assert_eq!(
                    found,
                    Some(listed[before]),
                    "position {before} of {}",
                    listed.len()
                );
            }
            let end = i64::try_from(listed.len()).unwrap();
            assert!(place(&mut c, &group, end).unwrap().is_none());
        }
    }

    #[test]
    fn a_group_whose_sessions_are_gone_keeps_no_counts() {
        let (mut c, group) = counted();
        count(&mut c, &group, 1..=1_000, 1).unwrap();
        count(&mut c, &group, 1..=1_000, -1).unwrap();
        let left = c.execute("DELETE FROM session_blocks", &[]).unwrap();
        assert_eq!(left, 0);
    }
}
