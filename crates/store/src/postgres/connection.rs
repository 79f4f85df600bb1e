//! One PostgreSQL connection as a [`Connection`]: made when it is needed, and made anew when it was lost.

use super::tls::Tls;
use crate::DatabaseUrl;
use crate::connection::{Connection, Row, Transactions, Value, Visit, read_clock};
use crate::error::{Result, StoreError};
use greenroom_model::Timestamp;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, ToSql, Type};
use postgres::{Client, Statement};
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long making a connection may take.
const CONNECTING: Duration = Duration::from_secs(3);

/// How long the network may be silent before a connection is given up.
const SILENCE: Duration = Duration::from_secs(10);

/// After a connection could not be made, how long everybody else is told so without another attempt.
const DOWN: Duration = Duration::from_millis(250);

/// Distinct statements kept prepared by each connection; there are about two hundred in all, and more only
/// by the lengths of lists.
const PREPARED: usize = 512;

/// Held by whoever writes. The number means nothing; advisory locks belong to one database.
const WRITER: &str = "SELECT pg_advisory_xact_lock(4702111234474983745)";

/// The limits that the database itself keeps: a server that hangs in the middle of a write must not keep
/// the others from writing, and none waits longer than its callers do.
const LIMITS: &str = "SET idle_in_transaction_session_timeout = '10s';
    SET lock_timeout = '10s';
    SET statement_timeout = '30s';";

/// A migration may take its time, and so may the wait for another server's.
const NO_LIMITS: &str = "SET lock_timeout = 0; SET statement_timeout = 0;";

/// An answer counts on a commit that is on disk, however the database is set up.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off';";

/// The connection; it belongs to one thread.
pub(crate) struct Postgres {
    config: postgres::Config,
    tls: Tls,
    settings: String,
    open: Option<Open>,
    down: Option<(Instant, String)>,
    in_transaction: bool,
}

struct Open {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Postgres {
    /// Connects when the first transaction begins; reads the certificates to be trusted now.
    pub(super) fn new(url: &DatabaseUrl) -> Result<Self> {
        Self::with_settings(url, format!("{LIMITS} {DURABLE}"))
    }

    /// A connection whose statements may take long.
    pub(crate) fn patient(url: &DatabaseUrl) -> Result<Self> {
        Self::with_settings(url, format!("{NO_LIMITS} {DURABLE}"))
    }

    fn with_settings(url: &DatabaseUrl, settings: String) -> Result<Self> {
        let mut config = url.config().clone();
        if config.get_application_name().is_none() {
            config.application_name("greenroom");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECTING);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
            config.keepalives_idle(SILENCE / 2);
            config.keepalives_interval(SILENCE / 4);
            config.keepalives_retries(2);
        }
        Ok(Self {
            config,
            tls: Tls::new(url.encryption())?,
            settings,
            open: None,
            down: None,
            in_transaction: false,
        })
    }

    /// Begins with `sql`. A connection that turns out to have been lost meanwhile is made anew: nothing was
    /// done on it yet.
    fn begin_with(&mut self, sql: &str) -> Result<()> {
        let was_open = self.open.is_some();
        let mut begun = self.connected().and_then(|open| run(open, sql));
        if begun.is_err() && was_open && self.lost() {
            begun = self.connected().and_then(|open| run(open, sql));
        }
        self.in_transaction = begun.is_ok();
        if begun.is_err() {
            // A wait for the lock that was too long leaves a transaction that is good for nothing.
            self.end("ROLLBACK").ok();
        }
        begun
    }

    fn connected(&mut self) -> Result<&mut Open> {
        if self.lost() {
            self.open = None;
        }
        if self.open.is_none() {
            if let Some((since, cause)) = &self.down
                && since.elapsed() < DOWN
            {
                return Err(StoreError::Unavailable {
                    step: "connecting",
                    source: cause.clone().into(),
                });
            }
            match self.connect() {
                Ok(open) => {
                    self.down = None;
                    self.open = Some(open);
                }
                Err(error) => {
                    self.down = Some((Instant::now(), words(&error)));
                    return Err(translate("connecting", error));
                }
            }
        }
        self.open.as_mut().ok_or_else(gone)
    }

    fn connect(&self) -> std::result::Result<Open, postgres::Error> {
        let mut client = self.config.connect(self.tls.clone())?;
        client.batch_execute(&self.settings)?;
        Ok(Open {
            client,
            statements: HashMap::new(),
        })
    }

    fn lost(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.client.is_closed())
    }

    /// The connection of the transaction that was begun: a new one would know nothing of it.
    fn within(&mut self) -> Result<&mut Open> {
        match &mut self.open {
            Some(open) if self.in_transaction => Ok(open),
            _ => Err(gone()),
        }
    }

    fn end(&mut self, sql: &str) -> Result<()> {
        self.in_transaction = false;
        let ended = match &mut self.open {
            Some(open) => run(open, sql),
            None => Err(gone()),
        };
        if ended.is_err() {
            // What state it is in is not known: the next transaction begins on a new one.
            self.open = None;
        }
        ended
    }
}

fn run(open: &mut Open, sql: &str) -> Result<()> {
    open.client
        .batch_execute(sql)
        .map_err(|error| translate("running a script", error))
}

impl Transactions for Postgres {
    fn begin(&mut self) -> Result<()> {
        // Each statement sees what was committed before it, so all of them see what the last writer left.
        self.begin_with(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; {WRITER}"))
    }

    fn begin_reading(&mut self) -> Result<()> {
        self.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    fn commit(&mut self) -> Result<()> {
        self.end("COMMIT")
    }

    fn roll_back(&mut self) {
        if self.in_transaction() {
            drop(self.end("ROLLBACK"));
        }
        self.in_transaction = false;
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction && !self.lost()
    }
}

impl Connection for Postgres {
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<usize> {
        let writing = |error| translate("writing", error);
        let open = self.within()?;
        let statement = open.prepare(sql).map_err(writing)?;
        let bound = bind(&statement, parameters)?;
        let changed = open.client.execute(&statement, &bound).map_err(writing)?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut dyn FnMut(&dyn Row) -> Visit,
    ) -> Result<()> {
        let reading = |error| translate("reading", error);
        let open = self.within()?;
        if parameters.iter().any(unholdable) {
            // The database would refuse the statement; what it cannot hold is in no row.
            return Ok(());
        }
        let statement = open.prepare(sql).map_err(reading)?;
        let bound = bind(&statement, parameters)?;
        let mut rows = open.client.query_raw(&statement, bound).map_err(reading)?;
        while let Some(row) = rows.next().map_err(reading)? {
            if each(&PostgresRow(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn script(&mut self, sql: &str) -> Result<()> {
        run(self.within()?, sql)
    }

    fn now(&mut self) -> Result<Timestamp> {
        // Not the time at which the transaction began: it may have waited for its turn.
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        read_clock(self, sql)
    }

    fn copy_to(&mut self, _path: &Path) -> Result<()> {
        Err(StoreError::NotAFile)
    }
}

impl Open {
    fn prepare(&mut self, sql: &str) -> std::result::Result<Statement, postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= PREPARED {
            self.statements.clear();
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// The parameters as the driver takes them; a null is one of the type that the statement wants.
fn bind<'a>(statement: &Statement, parameters: &'a [Value]) -> Result<Vec<&'a (dyn ToSql + Sync)>> {
    let wanted = statement.params();
    if wanted.len() > parameters.len() {
        return Err(StoreError::Refused {
            step: "binding",
            source: format!("{} of {} parameters", parameters.len(), wanted.len()).into(),
        });
    }
    // More than the statement asks for may be given, as SQLite has it.
    let pairs = parameters.iter().zip(wanted);
    Ok(pairs
        .map(|(value, wanted)| match value {
            Value::Null => null(wanted),
            Value::Integer(number) => number as &(dyn ToSql + Sync),
            Value::Text(text) => text,
            Value::Bytes(bytes) => bytes,
        })
        .collect())
}

/// Text with a NUL, which PostgreSQL has no room for.
fn unholdable(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.contains('\0'))
}

fn null(wanted: &Type) -> &'static (dyn ToSql + Sync) {
    match *wanted {
        Type::TEXT => &None::<&str>,
        Type::BYTEA => &None::<&[u8]>,
        _ => &None::<i64>,
    }
}

struct PostgresRow(postgres::Row);

impl PostgresRow {
    fn value<'a, T: FromSql<'a>>(&'a self, at: usize) -> Result<Option<T>> {
        self.0.try_get(at).map_err(|_| mistyped(at))
    }
}

fn mistyped(at: usize) -> StoreError {
    StoreError::Corrupt(format!("column {at} of an answer has an unexpected type"))
}

impl Row for PostgresRow {
    fn integer(&self, at: usize) -> Result<i64> {
        self.maybe_integer(at)?.ok_or_else(|| mistyped(at))
    }

    fn maybe_integer(&self, at: usize) -> Result<Option<i64>> {
        // A number that stands in a statement is a narrower one.
        match self.0.columns().get(at).map(postgres::Column::type_) {
            Some(&Type::INT4) => Ok(self.value::<i32>(at)?.map(i64::from)),
            _ => self.value(at),
        }
    }

    fn text(&self, at: usize) -> Result<&str> {
        self.maybe_text(at)?.ok_or_else(|| mistyped(at))
    }

    fn maybe_text(&self, at: usize) -> Result<Option<&str>> {
        self.value(at)
    }

    fn maybe_bytes(&self, at: usize) -> Result<Option<&[u8]>> {
        self.value(at)
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable {
        step: "using its connection",
        source: "the connection was lost".into(),
    }
}

/// The error and its causes: the driver's own sentence names the step only.
fn words(error: &postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn translate(step: &'static str, error: postgres::Error) -> StoreError {
    // Without a code it is the connection that failed, or a value that does not fit its parameter.
    let code = error.code().map(|code| code.code().to_owned());
    let unavailable = |error: postgres::Error| StoreError::Unavailable {
        step,
        source: error.into(),
    };
    let Some(code) = code else {
        let ours = error
            .source()
            .is_some_and(|cause| cause.is::<postgres::types::WrongType>());
        return match ours {
            true => StoreError::Refused {
                step,
                source: error.into(),
            },
            false => unavailable(error),
        };
    };
    match (&code[..2], &*code) {
        ("23", _) => StoreError::Conflict("a record"),
        ("XX", "XX001" | "XX002") => StoreError::Corrupt(words(&error)),
        // In order: connection, login, serialization, resources (a full disk), limits, operators'
        // intervention (a shutdown, a statement that took too long), the system; no such database; a lock
        // not to be had; a standby that only reads; a transaction that was idle for too long.
        ("08" | "28" | "40" | "53" | "54" | "57" | "58", _)
        | (_, "3D000" | "55P03" | "25006" | "25P03") => unavailable(error),
        _ => StoreError::Refused {
            step,
            source: error.into(),
        },
    }
}
