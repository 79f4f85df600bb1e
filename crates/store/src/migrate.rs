//! Migrations: numbered SQL files, applied in order, each in a transaction of its own.
//!
//! Two builds may share a database while replicas are upgraded one by one, so every migration says which
//! schema a build must know at least to work on the migrated database: its first line is
//! `-- oldest reader: N`. As long as migrations only add, N stays behind and an older build runs on.

#[cfg(test)]
mod upgrade;

use crate::connection::{Connection, Transactions, all, first, values};
use crate::error::{Result, StoreError};

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "skeleton",
        sql: include_str!("../migrations/0001_skeleton.sql"),
    },
    Migration {
        number: 2,
        name: "identity",
        sql: include_str!("../migrations/0002_identity.sql"),
    },
    Migration {
        number: 3,
        name: "users and tags",
        sql: include_str!("../migrations/0003_users_and_tags.sql"),
    },
    Migration {
        number: 4,
        name: "session history",
        sql: include_str!("../migrations/0004_session_history.sql"),
    },
    Migration {
        number: 5,
        name: "audit",
        sql: include_str!("../migrations/0005_audit.sql"),
    },
    Migration {
        number: 6,
        name: "servers",
        sql: include_str!("../migrations/0006_servers.sql"),
    },
    Migration {
        number: 7,
        name: "node pools change",
        sql: include_str!("../migrations/0007_node_pools_change.sql"),
    },
    Migration {
        number: 8,
        name: "own policies",
        sql: include_str!("../migrations/0008_own_policies.sql"),
    },
    Migration {
        number: 9,
        name: "forgotten servers",
        sql: include_str!("../migrations/0009_forgotten_servers.sql"),
    },
    Migration {
        number: 10,
        name: "long listings",
        sql: include_str!("../migrations/0010_long_listings.sql"),
    },
    Migration {
        number: 11,
        name: "browser groups",
        sql: include_str!("../migrations/0011_browser_groups.sql"),
    },
    Migration {
        number: 12,
        name: "images",
        sql: include_str!("../migrations/0012_images.sql"),
    },
];

/// Brings the database to this build's schema, or refuses one it must not touch.
pub(crate) fn run(c: &mut dyn Transactions) -> Result<()> {
    apply(c, MIGRATIONS)
}

/// Checks that every migration of a database that is only read is one this build knows or may follow, and that
/// there is one.
pub(crate) fn check_known(c: &mut dyn Connection) -> Result<()> {
    check(c, MIGRATIONS)?;
    let first_of_all = first(
        c,
        "SELECT 1 FROM schema_migrations WHERE number = $1",
        values![MIGRATIONS.first().map(|migration| migration.number)],
        |row| row.integer(0),
    )?;
    match first_of_all {
        Some(_) => Ok(()),
        None => Err(StoreError::Corrupt("it was never migrated".to_owned())),
    }
}

fn apply(c: &mut dyn Transactions, known: &[Migration]) -> Result<()> {
    // Two servers may come at once: whatever makes a table does so while no other can.
    alone(c, |c| {
        c.script(
            "CREATE TABLE IF NOT EXISTS schema_migrations (
                 number BIGINT NOT NULL PRIMARY KEY,
                 name TEXT NOT NULL,
                 checksum BIGINT NOT NULL,
                 oldest_reader BIGINT NOT NULL
             )",
        )?;
        check(c, known)
    })?;
    for migration in known {
        alone(c, |c| within_transaction(c, migration))?;
    }
    Ok(())
}

fn alone(
    c: &mut dyn Transactions,
    work: impl FnOnce(&mut dyn Connection) -> Result<()>,
) -> Result<()> {
    c.begin()?;
    match work(c) {
        Ok(()) => c.commit(),
        Err(error) => {
            c.roll_back();
            Err(error)
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::Sqlite;

    const FIRST: Migration = Migration {
        number: 1,
        name: "first",
        sql: "-- oldest reader: 1\nCREATE TABLE one (a BIGINT);",
    };

    fn numbered(number: i64, sql: &'static str) -> Migration {
        Migration {
            number,
            name: "later",
            sql,
        }
    }

    #[test]
    fn migrations_are_applied_once_and_in_order() {
        let mut c = Sqlite::in_memory().unwrap();
        let second = "-- oldest reader: 1\nALTER TABLE one ADD COLUMN b BIGINT;";
        apply(&mut c, &[FIRST]).unwrap();
        apply(&mut c, &[FIRST, numbered(2, second)]).unwrap();
        apply(&mut c, &[FIRST, numbered(2, second)]).unwrap();
        c.script("INSERT INTO one (a, b) VALUES (1, 2)").unwrap();
    }

    #[test]
    fn an_older_build_runs_on_a_schema_that_only_grew() {
        let mut c = Sqlite::in_memory().unwrap();
        let second = "-- oldest reader: 1\nCREATE TABLE two (a BIGINT);";
        apply(&mut c, &[FIRST, numbered(2, second)]).unwrap();
        apply(&mut c, &[FIRST]).unwrap();
    }

    #[test]
    fn an_older_build_refuses_a_schema_it_would_damage() {
        let mut c = Sqlite::in_memory().unwrap();
        let second = "-- oldest reader: 2\nDROP TABLE one;";
        apply(&mut c, &[FIRST, numbered(2, second)]).unwrap();
        let refused = apply(&mut c, &[FIRST]).unwrap_err();
        assert!(matches!(
            refused,
            StoreError::SchemaTooNew {
                found: 2,
                known: 1,
                needed: 2
            }
        ));
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing() {
        let mut c = Sqlite::in_memory().unwrap();
        let broken =
            "-- oldest reader: 1\nCREATE TABLE two (a BIGINT); CREATE TABLE one (a BIGINT);";
        assert!(apply(&mut c, &[FIRST, numbered(2, broken)]).is_err());
        assert!(c.script("SELECT * FROM two").is_err());
        let mended = "-- oldest reader: 1\nCREATE TABLE two (a BIGINT);";
        apply(&mut c, &[FIRST, numbered(2, mended)]).unwrap();
    }

    #[test]
    fn a_migration_edited_after_it_was_applied_is_noticed() {
        let mut c = Sqlite::in_memory().unwrap();
        apply(&mut c, &[FIRST]).unwrap();
        let edited = Migration {
            sql: "-- oldest reader: 1\nCREATE TABLE one (a TEXT);",
            ..FIRST
        };
        assert!(matches!(
            apply(&mut c, &[edited]),
            Err(StoreError::Corrupt(_))
        ));
    }

    #[test]
    fn every_migration_says_which_builds_may_follow_it() {
        // Numbers are given out before the files are written, so they grow and may leave gaps for a while.
        assert!(MIGRATIONS.is_sorted_by(|one, next| one.number < next.number));
        for migration in MIGRATIONS {
            let oldest = oldest_reader(migration.sql).expect(migration.name);
            assert!(
                (1..=migration.number).contains(&oldest),
                "{}",
                migration.name
            );
        }
    }
}
