//! The narrow door to a database: positional parameters, plain values, rows read in place.
//!
//! Every statement of this crate goes through [`Connection`], with text that SQLite and PostgreSQL both
//! understand, so a second database is a second implementation of this trait and nothing else. Calls
//! block: a database connection belongs to a thread of its own (see [`crate::workers`]), and a driver that
//! could do more at once than it has connections would only queue elsewhere.

use crate::error::{Result, StoreError};
use greenroom_model::Timestamp;
use std::ops::ControlFlow;
use std::path::Path;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// SQL `NULL`.
    Null,
    /// Numbers, booleans (0 and 1) and times (milliseconds since the epoch).
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row of an answer, valid until the next one is asked for.
pub(crate) trait Row {
    /// The number in column `at`.
    fn integer(&self, at: usize) -> Result<i64>;
    /// The number in column `at`, or `None` for `NULL`.
    fn maybe_integer(&self, at: usize) -> Result<Option<i64>>;
    /// The text in column `at`.
    fn text(&self, at: usize) -> Result<&str>;
    /// The text in column `at`, or `None` for `NULL`.
    fn maybe_text(&self, at: usize) -> Result<Option<&str>>;
    /// The bytes in column `at`, or `None` for `NULL`.
    fn maybe_bytes(&self, at: usize) -> Result<Option<&[u8]>>;
}

/// What a visitor of rows answers: go on, or enough.
pub(crate) type Visit = Result<ControlFlow<()>>;

/// One connection, within a transaction that somebody else opens and closes.
pub(crate) trait Connection {
    /// Runs a statement, answers how many rows it changed.
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<usize>;
    /// Runs a query and shows each row to `each` until that has enough.
    fn query(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut dyn FnMut(&dyn Row) -> Visit,
    ) -> Result<()>;
    /// Runs a script of several statements without parameters.
    fn script(&mut self, sql: &str) -> Result<()>;
    /// The time by the database's own clock, which all its servers share.
    fn now(&mut self) -> Result<Timestamp>;
    /// Writes all that the transaction sees to a new database in a file.
    fn copy_to(&mut self, path: &Path) -> Result<()>;
}

/// The power over a connection's transactions, which its thread and the migrations have and the functions
/// that say what happens within a transaction do not.
pub(crate) trait Transactions: Connection {
    /// Begins a transaction that may write; no other one may meanwhile.
    fn begin(&mut self) -> Result<()>;
    /// Begins a transaction that only reads, and sees one moment of the database.
    fn begin_reading(&mut self) -> Result<()>;
    /// Commits; when that fails, nothing of the transaction remains.
    fn commit(&mut self) -> Result<()>;
    /// Takes the transaction back.
    fn roll_back(&mut self);
    /// Whether what was begun is still open: some errors (a full disk, a lost connection) end it.
    fn in_transaction(&self) -> bool;
}

/// Every row, as `read` sees it.
pub(crate) fn all<T>(
    c: &mut dyn Connection,
    sql: &str,
    parameters: &[Value],
    mut read: impl FnMut(&dyn Row) -> Result<T>,
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    c.query(sql, parameters, &mut |row| {
        rows.push(read(row)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// The first row, as `read` sees it.
pub(crate) fn first<T>(
    c: &mut dyn Connection,
    sql: &str,
    parameters: &[Value],
    mut read: impl FnMut(&dyn Row) -> Result<T>,
) -> Result<Option<T>> {
    let mut found = None;
    c.query(sql, parameters, &mut |row| {
        found = Some(read(row)?);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// The time that the query answers, in milliseconds since the epoch.
pub(crate) fn read_clock(c: &mut dyn Connection, sql: &str) -> Result<Timestamp> {
    let now = first(c, sql, &[], |row| row.integer(0))?;
    now.map(Timestamp)
        .ok_or_else(|| StoreError::Corrupt("the database has no clock".to_owned()))
}

/// `$from,$from+1,…`: `count` placeholders for an `IN (…)`.
pub(crate) fn placeholders(from: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 4);
    for number in from..from + count {
        if number > from {
            text.push(',');
        }
        text.push('$');
        text.push_str(&number.to_string());
    }
    text
}

/// Reads a word of the database; one that this build does not know is damage.
pub(crate) fn word<T, E>(text: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<T> {
    parse(text).map_err(|_| StoreError::Corrupt(format!("{text:?} is no word of its column")))
}

/// A number of the database as the narrower type it was written from.
pub(crate) fn narrow<T: TryFrom<i64>>(number: i64) -> Result<T> {
    T::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} is out of range")))
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}
impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Integer(i64::from(yes))
    }
}
impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(at.0)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A list of parameters, each anything that is a [`Value`].
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::connection::Value::from($value)),*] };
}
pub(crate) use values;

macro_rules! id_values {
    ($($id:ident)*) => {$(
        impl From<&greenroom_model::$id> for Value {
            fn from(id: &greenroom_model::$id) -> Self {
                Self::Text(id.as_str().to_owned())
            }
        }
    )*};
}
id_values! { AccountId AppId AppInstanceGroupId AppInstanceId BindingId EndUserId ImageId NodeId NodePoolId PersistentId PolicyId ServerId SpecId }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_on() {
        assert_eq!(placeholders(2, 3), "$2,$3,$4");
        assert_eq!(placeholders(1, 0), "");
    }
}
