//! Migrations: numbered SQL files, applied in order, each in a transaction of its own.
//!
//! Two builds may share a database while replicas are upgraded one by one, so every migration says which
//! schema a build must know at least to work on the migrated database: its first line is
//! `-- oldest reader: N`. As long as migrations only add, N stays behind and an older build runs on.

use crate::connection::{Connection, all, first, values};
use crate::error::{Result, StoreError};

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "skeleton",
    sql: include_str!("../migrations/0001_skeleton.sql"),
}];

/// Brings the database to this build's schema, or refuses one it must not touch.
pub(crate) fn run(c: &mut dyn Connection) -> Result<()> {
    apply(c, MIGRATIONS)
}

fn apply(c: &mut dyn Connection, known: &[Migration]) -> Result<()> {
    c.script(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
             number BIGINT NOT NULL PRIMARY KEY,
             name TEXT NOT NULL,
             checksum BIGINT NOT NULL,
             oldest_reader BIGINT NOT NULL
         )",
    )?;
    check(c, known)?;
    for migration in known {
        c.script("BEGIN IMMEDIATE")?;
        let applied = within_transaction(c, migration);
        c.script(if applied.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        })?;
        applied?;
    }
    Ok(())
}

fn within_transaction(c: &mut dyn Connection, migration: &Migration) -> Result<()> {
    // Asked again inside the transaction: another replica may have been faster.
    let done = first(
        c,
        "SELECT 1 FROM schema_migrations WHERE number = $1",
        values![migration.number],
        |row| row.integer(0),
    )?;
    if done.is_some() {
        return Ok(());
    }
    let oldest_reader = oldest_reader(migration.sql).ok_or_else(|| {
        StoreError::Corrupt(format!(
            "migration {} names no oldest reader",
            migration.name
        ))
    })?;
    c.script(migration.sql)?;
    c.execute(
        "INSERT INTO schema_migrations (number, name, checksum, oldest_reader) VALUES ($1, $2, $3, $4)",
        values![migration.number, migration.name, checksum(migration.sql), oldest_reader],
    )?;
    Ok(())
}

fn check(c: &mut dyn Connection, known: &[Migration]) -> Result<()> {
    let applied = all(
        c,
        "SELECT number, checksum, oldest_reader FROM schema_migrations ORDER BY number",
        &[],
        |row| Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?)),
    )?;
    let newest_known = known.last().map_or(0, |migration| migration.number);
    let found = applied.last().map_or(0, |(number, ..)| *number);
    let needed = applied
        .iter()
        .map(|(.., oldest)| *oldest)
        .max()
        .unwrap_or(0);
    if needed > newest_known {
        return Err(StoreError::SchemaTooNew {
            found,
            known: newest_known,
            needed,
        });
    }
    for (number, recorded, _) in applied {
        let mine = known.iter().find(|migration| migration.number == number);
        if mine.is_some_and(|migration| checksum(migration.sql) != recorded) {
            return Err(StoreError::Corrupt(format!(
                "migration {number} was applied with another text than this build has"
            )));
        }
    }
    Ok(())
}

fn oldest_reader(sql: &str) -> Option<i64> {
    let line = sql.lines().next()?;
    line.strip_prefix("-- oldest reader: ")?.trim().parse().ok()
}

/// FNV-1a: tells an edited file from the one that was applied; nobody is kept out by it.
fn checksum(text: &str) -> i64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.cast_signed()
}
