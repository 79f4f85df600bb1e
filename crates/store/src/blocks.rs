//! Positions among what a group has many of, sessions and app instances: the n-th of a million without counting
//! to n.
//!
//! Each of them keeps the ordinal it was given; those that are gone leave gaps. Those that are listed are counted
//! for runs of 64, 4,096 and 262,144 ordinals, in the transaction that adds them or takes them away. A position is
//! found by walking the coarsest counts of the group, then at most 64 finer ones, twice, then at most 64 rows.
//! Counts that were read are kept for as long as no row of their kind and group comes or goes.

use crate::connection::{Connection, all, first, values};
use crate::error::Result;
use greenroom_model::AppInstanceGroupId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ordinals of a block as a power of two, coarse to fine.
const LEVELS: [u32; 3] = [18, 12, 6];

/// Lists of counts that are kept at most, over all groups. Each has up to 64 counts, but for the coarsest of a
/// group, which grow by one for every 262,144 rows.
const MOST_LISTS: usize = 4_096;

/// The counts of one kind of row.
pub(crate) struct Blocks {
    table: &'static str,
    column: &'static str,
}

/// Of sessions, until they are purged.
pub(crate) const SESSIONS: Blocks = Blocks {
    table: "session_blocks",
    column: "sessions",
};

/// Of app instances, until they are `DELETED`.
pub(crate) const INSTANCES: Blocks = Blocks {
    table: "instance_blocks",
    column: "instances",
};

/// Where a position lies.
pub(crate) struct Place {
    /// An ordinal that it does not lie before.
    pub(crate) ordinal: i64,
    /// Rows from that ordinal on that come before it.
    pub(crate) skip: i64,
}

/// A state of a group's counts. Adding a row raises the next ordinal, taking one away lowers the count, and neither
/// is ever undone: as long as both are the same, so are all counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// How many rows there are.
    pub(crate) rows: i64,
    /// The ordinal that the next one gets.
    pub(crate) next: i64,
}

/// Counts that were read before: `(block, rows)`, those of one list in order.
pub(crate) struct Positions {
    of: Blocks,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    groups: HashMap<AppInstanceGroupId, (Layout, Lists)>,
    lists: usize,
}

/// By level and by the first ordinal that is counted.
type Lists = HashMap<(u32, i64), Arc<[(i64, i64)]>>;

impl Positions {
    /// None is known yet.
    pub(crate) fn of(of: Blocks) -> Self {
        Self {
            of,
            known: Mutex::default(),
        }
    }

    /// Finds the row with `before` rows before it; `None` past the end. `layout` is that of the moment which
    /// the connection sees.
    pub(crate) fn place(
        &self,
        c: &mut dyn Connection,
        group: &AppInstanceGroupId,
        layout: Layout,
        before: i64,
    ) -> Result<Option<Place>> {
        let (mut from, mut to, mut skip) = (0, i64::MAX, before);
        let mut is_full = false;
        for level in LEVELS {
            let list = match self.known(group, layout, (level, from)) {
                Some(list) => list,
                None => {
                    let list = self.of.read(c, group, level, from, to)?;
                    self.keep(group, layout, (level, from), Arc::clone(&list));
                    list
                }
            };
            let mut found = None;
            for (block, rows) in list.iter() {
                if skip < *rows {
                    found = Some(*block);
                    is_full = *rows == 1 << level;
                    break;
                }
                skip -= rows;
            }
            let Some(block) = found else {
                return Ok(None);
            };
            (from, to) = (block << level, (block + 1) << level);
        }
        // Of a block without gaps, the ordinal itself is known.
        Ok(Some(match is_full {
            true => Place {
                ordinal: from + skip,
                skip: 0,
            },
            false => Place {
                ordinal: from,
                skip,
            },
        }))
    }

    fn known(
        &self,
        group: &AppInstanceGroupId,
        layout: Layout,
        list: (u32, i64),
    ) -> Option<Arc<[(i64, i64)]>> {
        let known = self.lock();
        let (its, lists) = known.groups.get(group)?;
        (*its == layout).then(|| lists.get(&list).cloned())?
    }

    fn keep(
        &self,
        group: &AppInstanceGroupId,
        layout: Layout,
        at: (u32, i64),
        list: Arc<[(i64, i64)]>,
    ) {
        let mut known = self.lock();
        if known.lists >= MOST_LISTS {
            *known = Known::default();
        }
        let Known { groups, lists } = &mut *known;
        let (its, kept) = groups
            .entry(group.clone())
            .or_insert_with(|| (layout, Lists::new()));
        if *its != layout {
            *lists -= kept.len();
            (*its, *kept) = (layout, Lists::new());
        }
        if kept.insert(at, list).is_none() {
            *lists += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Whole at every moment, so a panic elsewhere does not spoil it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks {
    /// How many the group has.
    pub(crate) fn total(&self, c: &mut dyn Connection, group: &AppInstanceGroupId) -> Result<i64> {
        let Self { table, column } = self;
        let sql = format!(
            "SELECT CAST(COALESCE(SUM({column}), 0) AS BIGINT) FROM {table}
             WHERE group_id = $1 AND level = $2"
        );
        let total = first(c, &sql, values![group, LEVELS[0]], |row| row.integer(0))?;
        Ok(total.unwrap_or(0))
    }

    fn read(
        &self,
        c: &mut dyn Connection,
        group: &AppInstanceGroupId,
        level: u32,
        from: i64,
        to: i64,
    ) -> Result<Arc<[(i64, i64)]>> {
        let Self { table, column } = self;
        let sql = format!(
            "SELECT block, {column} FROM {table}
             WHERE group_id = $1 AND level = $2 AND block >= $3 AND block < $4 ORDER BY block"
        );
        let counts = all(
            c,
            &sql,
            values![group, level, from >> level, to >> level],
            |row| Ok((row.integer(0)?, row.integer(1)?)),
        )?;
        Ok(counts.into())
    }

    /// Counts rows of these ordinals in, or out with `by` = -1.
    pub(crate) fn count(
        &self,
        c: &mut dyn Connection,
        group: &AppInstanceGroupId,
        ordinals: impl Iterator<Item = i64>,
        by: i64,
    ) -> Result<()> {
        let Self { table, column } = self;
        let add = format!(
            "INSERT INTO {table} (group_id, level, block, {column}) VALUES ($1, $2, $3, $4)
             ON CONFLICT (group_id, level, block)
             DO UPDATE SET {column} = {table}.{column} + excluded.{column}"
        );
        let sweep = format!(
            "DELETE FROM {table} WHERE group_id = $1 AND level = $2 AND block = $3 AND {column} = 0"
        );
        let mut changes = BTreeMap::<(u32, i64), i64>::new();
        for ordinal in ordinals {
            for level in LEVELS {
                *changes.entry((level, ordinal >> level)).or_default() += by;
            }
        }
        for ((level, block), change) in changes {
            c.execute(&add, values![group, level, block, change])?;
            if by < 0 {
                c.execute(&sweep, values![group, level, block])?;
            }
        }
        Ok(())
    }
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
        positions: &Positions,
        c: &mut Sqlite,
        group: &AppInstanceGroupId,
        (alive, layout): (&BTreeSet<i64>, Layout),
        before: i64,
    ) -> Option<i64> {
        let place = positions.place(c, group, layout, before).unwrap()?;
        alive
            .range(place.ordinal..)
            .nth(usize::try_from(place.skip).unwrap())
            .copied()
    }

    #[test]
    fn every_position_is_found_through_seeded_insertions_and_removals() {
        let (mut c, group) = counted();
        let positions = Positions::of(SESSIONS);
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
            SESSIONS
                .count(&mut c, &group, added.iter().copied(), 1)
                .unwrap();
            alive.extend(added);

            let removed: Vec<i64> = alive.iter().copied().filter(|_| random(4) == 0).collect();
            SESSIONS
                .count(&mut c, &group, removed.iter().copied(), -1)
                .unwrap();
            alive.retain(|ordinal| !removed.contains(ordinal));

            let listed: Vec<i64> = alive.iter().copied().collect();
            let rows = i64::try_from(listed.len()).unwrap();
            assert_eq!(SESSIONS.total(&mut c, &group).unwrap(), rows);
            let state = (&alive, Layout { rows, next });
            for before in (0..listed.len())
                .step_by(7)
                .chain(listed.len().checked_sub(1))
            {
                let before_it = i64::try_from(before).unwrap();
                let found = ordinal(&positions, &mut c, &group, state, before_it);
                assert_eq!(
                    found,
                    Some(listed[before]),
                    "position {before} of {}",
                    listed.len()
                );
            }
            let past = ordinal(&positions, &mut c, &group, state, rows);
            assert_eq!(past, None);
        }
    }

    #[test]
    fn counts_are_read_once_and_no_more_are_kept_than_there_is_room_for() {
        let (mut c, group) = counted();
        SESSIONS.count(&mut c, &group, 1..=1_000, 1).unwrap();
        let positions = Positions::of(SESSIONS);
        let (rows, next) = (1_000, 1_001);
        let layout = Layout { rows, next };
        let place = |c: &mut Sqlite, layout| positions.place(c, &group, layout, 999).unwrap();
        assert!(place(&mut c, layout).is_some());
        c.execute("DELETE FROM session_blocks", &[]).unwrap();
        assert!(place(&mut c, layout).is_some(), "not looked for again");
        let rows = 999;
        assert!(place(&mut c, Layout { rows, next }).is_none());
        for number in 0..2 * MOST_LISTS {
            let other = AppInstanceGroupId::parse(&format!("aig-{number}")).unwrap();
            positions.place(&mut c, &other, layout, 0).unwrap();
        }
        assert!(positions.lock().lists <= MOST_LISTS);
    }

    #[test]
    fn a_group_whose_sessions_are_gone_keeps_no_counts() {
        let (mut c, group) = counted();
        SESSIONS.count(&mut c, &group, 1..=1_000, 1).unwrap();
        SESSIONS.count(&mut c, &group, 1..=1_000, -1).unwrap();
        let left = c.execute("DELETE FROM session_blocks", &[]).unwrap();
        assert_eq!(left, 0);
    }
}
