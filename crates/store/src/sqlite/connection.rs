//! One SQLite connection as a [`Connection`].

use crate::connection::{Connection, Row, Transactions, Value, Visit, read_clock};
use crate::error::{Result, StoreError};
use greenroom_model::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, Statement};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another process that holds the file, for instance a backup.
const PATIENCE: Duration = Duration::from_secs(5);

/// Distinct statements kept prepared by each connection; there are about a hundred in all.
const PREPARED: usize = 128;

/// The connection; it belongs to one thread.
pub(crate) struct Sqlite {
    inner: rusqlite::Connection,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let it = Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        it.inner
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 PRAGMA journal_size_limit = 67108864;
                 PRAGMA cache_size = -16384;",
            )
            .map_err(|error| translate("opening", error))?;
        Ok(it)
    }

    /// To be read and never changed, not even to another journal mode.
    pub(crate) fn open_as_it_is(path: &Path) -> Result<Self> {
        Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn open_with(path: &Path, flags: OpenFlags) -> Result<Self> {
        // No URI: a path is a path. No mutex: the connection has one thread.
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let inner = rusqlite::Connection::open_with_flags(path, flags)
            .map_err(|error| translate("opening", error))?;
        Self { inner }.prepared()
    }

    pub(crate) fn in_memory() -> Result<Self> {
        let inner =
            rusqlite::Connection::open_in_memory().map_err(|error| translate("opening", error))?;
        Self { inner }.prepared()
    }

    fn prepared(self) -> Result<Self> {
        self.inner.set_prepared_statement_cache_capacity(PREPARED);
        self.inner
            .busy_timeout(PATIENCE)
            // Else a statement with a parameter as its LIMIT is planned anew for every value of it.
            .and_then(|()| {
                self.inner
                    .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            })
            .and_then(|_| {
                self.inner
                    .execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;")
            })
            .map_err(|error| translate("opening", error))?;
        Ok(self)
    }

    pub(super) fn reading_only(mut self) -> Result<Self> {
        self.script("PRAGMA query_only = ON")?;
        Ok(self)
    }

    /// Its statements fail where they would wait for another process.
    pub(super) fn impatient(self) -> Result<Self> {
        self.inner
            .busy_timeout(Duration::ZERO)
            .map_err(|error| translate("opening", error))?;
        Ok(self)
    }

    /// Runs a statement that every transaction has: prepared once, unlike a script.
    fn run(&mut self, sql: &str) -> Result<()> {
        self.execute(sql, &[]).map(drop)
    }
}

impl Transactions for Sqlite {
    fn begin(&mut self) -> Result<()> {
        self.run("BEGIN IMMEDIATE")
    }

    fn begin_reading(&mut self) -> Result<()> {
        self.run("BEGIN")
    }

    fn commit(&mut self) -> Result<()> {
        let committed = self.run("COMMIT");
        self.roll_back();
        committed
    }

    fn roll_back(&mut self) {
        // An error like a full disk has ended the transaction already.
        if self.in_transaction() {
            drop(self.run("ROLLBACK"));
        }
    }

    fn in_transaction(&self) -> bool {
        !self.inner.is_autocommit()
    }
}

impl Connection for Sqlite {
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<usize> {
        let run = || {
            let mut statement = self.inner.prepare_cached(sql)?;
            bind(&mut statement, parameters)?;
            statement.raw_execute()
        };
        run().map_err(|error| translate("writing", error))
    }

    fn query(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut dyn FnMut(&dyn Row) -> Visit,
    ) -> Result<()> {
        let reading = |error| translate("reading", error);
        let mut statement = self.inner.prepare_cached(sql).map_err(reading)?;
        bind(&mut statement, parameters).map_err(reading)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(reading)? {
            if each(&SqliteRow(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn script(&mut self, sql: &str) -> Result<()> {
        self.inner
            .execute_batch(sql)
            .map_err(|error| translate("running a script", error))
    }

    fn now(&mut self) -> Result<Timestamp> {
        let sql = "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";
        read_clock(self, sql)
    }

    fn copy_to(&mut self, path: &Path) -> Result<()> {
        super::make_private(path)?;
        let mut copy = Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // A copy that breaks off is thrown away, so nothing of it has to be safe before all of it is.
        copy.script("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        let copying = |error| translate("copying", error);
        let backup = Backup::new(&self.inner, &mut copy.inner).map_err(copying)?;
        // In one step, which sees one moment. In write-ahead mode no writer waits for it.
        let step = backup.step(-1).map_err(copying)?;
        drop(backup);
        if step != StepResult::Done {
            return Err(StoreError::Busy);
        }
        // The copy is in write-ahead mode like its source, and a file that goes its own way must be all there is.
        copy.script("PRAGMA journal_mode = DELETE")
    }
}

/// SQLite numbers `$n` by first appearance, PostgreSQL by n: bind by name, which is both.
fn bind(statement: &mut Statement<'_>, parameters: &[Value]) -> rusqlite::Result<()> {
    for index in 1..=statement.parameter_count() {
        let number = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|digits| digits.parse::<usize>().ok());
        let parameter = number.and_then(|number| parameters.get(number.checked_sub(1)?));
        match parameter {
            Some(parameter) => statement.raw_bind_parameter(index, parameter)?,
            None => {
                return Err(rusqlite::Error::InvalidParameterCount(
                    index,
                    parameters.len(),
                ));
            }
        }
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

struct SqliteRow<'row>(&'row rusqlite::Row<'row>);

impl SqliteRow<'_> {
    fn value(&self, at: usize) -> Result<ValueRef<'_>> {
        self.0
            .get_ref(at)
            .map_err(|error| translate("reading", error))
    }
}

fn mistyped<T>(at: usize) -> Result<T> {
    Err(StoreError::Corrupt(format!(
        "column {at} of an answer has an unexpected type"
    )))
}

impl Row for SqliteRow<'_> {
    fn integer(&self, at: usize) -> Result<i64> {
        self.maybe_integer(at)?.map_or_else(|| mistyped(at), Ok)
    }

    fn maybe_integer(&self, at: usize) -> Result<Option<i64>> {
        match self.value(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            _ => mistyped(at),
        }
    }

    fn text(&self, at: usize) -> Result<&str> {
        self.maybe_text(at)?.map_or_else(|| mistyped(at), Ok)
    }

    fn maybe_text(&self, at: usize) -> Result<Option<&str>> {
        match self.value(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => mistyped(at),
            },
            _ => mistyped(at),
        }
    }

    fn maybe_bytes(&self, at: usize) -> Result<Option<&[u8]>> {
        match self.value(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => mistyped(at),
        }
    }
}

fn translate(step: &'static str, error: rusqlite::Error) -> StoreError {
    use ErrorCode as C;
    match error.sqlite_error_code() {
        Some(C::ConstraintViolation) => StoreError::Conflict("a record"),
        Some(C::DatabaseCorrupt | C::NotADatabase) => StoreError::Corrupt(error.to_string()),
        Some(
            C::DatabaseBusy
            | C::DatabaseLocked
            | C::DiskFull
            | C::ReadOnly
            | C::CannotOpen
            | C::SystemIoFailure
            | C::PermissionDenied
            | C::OutOfMemory
            | C::OperationInterrupted
            | C::FileLockingProtocolFailed
            | C::NoLargeFileSupport,
        ) => StoreError::Unavailable {
            step,
            source: error.into(),
        },
        _ => StoreError::Refused {
            step,
            source: error.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{all, first, values};

    #[test]
    fn parameters_are_bound_by_their_numbers() {
        let mut c = Sqlite::in_memory().unwrap();
        let pair = |row: &dyn Row| Ok((row.text(0)?.to_owned(), row.integer(1)?));
        let found = first(&mut c, "SELECT $2, $1 + $1", values![21_i64, "b"], pair).unwrap();
        assert_eq!(found, Some(("b".to_owned(), 42)));
        let missing = first(&mut c, "SELECT $1, $3", values!["a", "b"], pair);
        assert!(matches!(missing, Err(StoreError::Refused { .. })));
    }

    #[test]
    fn a_value_of_another_type_is_damage_and_no_panic() {
        let mut c = Sqlite::in_memory().unwrap();
        let read = |row: &dyn Row| row.integer(0);
        for sql in ["SELECT 'text'", "SELECT NULL", "SELECT 1.5", "SELECT x'00'"] {
            let read = all(&mut c, sql, &[], read);
            assert!(matches!(read, Err(StoreError::Corrupt(_))), "{sql}");
        }
    }

    #[test]
    fn a_commit_is_on_disk_when_it_returns() {
        // Losing power cannot be tried here; that SQLite was told to sync each commit can be read back.
        let name = format!("greenroom-pragmas-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::File::create(&path).unwrap();
        let mut c = Sqlite::open(&path).unwrap();
        let full = first(&mut c, "PRAGMA synchronous", &[], |row| row.integer(0));
        let mode = first(&mut c, "PRAGMA journal_mode", &[], |row| {
            Ok(row.text(0)?.to_owned())
        });
        drop(c);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(full.unwrap(), Some(2));
        assert_eq!(mode.unwrap().as_deref(), Some("wal"));
    }
}
