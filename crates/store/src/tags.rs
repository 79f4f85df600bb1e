//! Tags: keys with values that an account puts on what it has.

use crate::Store;
use crate::connection::{Connection, Value, all, first, placeholders, values};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use greenroom_model::AccountId;
use std::collections::{BTreeMap, BTreeSet};

/// What a tag is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged {
    /// A delivery group.
    Group,
    /// An app.
    App,
    /// An image.
    Image,
    /// The account itself.
    Account,
}

impl Tagged {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Group => "AppInstanceGroupId",
            Self::App => "AppId",
            Self::Image => "CenterImageId",
            Self::Account => "AliUid",
        }
    }
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Its key; a thing has one tag of a key.
    pub key: String,
    /// Its value; may be empty.
    pub value: String,
}

/// What all keys begin with that have a meaning of the service's own.
pub const SYSTEM_KEYS: &str = "System/";

/// Tags of the account's own that a thing has at most.
pub const CUSTOM_TAGS: usize = 20;

/// A condition on the tags of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCondition {
    /// It has a tag of this key; of whichever, without one.
    pub key: Option<String>,
    /// That tag has this value; whichever, without one.
    pub value: Option<String>,
}

/// Why a thing is not tagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagRefusal {
    /// The account has no such thing.
    NotFound,
    /// It would have more than [`CUSTOM_TAGS`].
    TooMany,
}

impl Store {
    /// Puts tags on each of the things, in place of those of the same keys; answers those that could not be
    /// tagged. With `whole`, either all are tagged or none. Only groups are looked for; that other things
    /// are there is the caller's to know.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::NoRoom`] for a refusal of a `whole` call,
    /// [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn tag(
        &self,
        account: &AccountId,
        kind: Tagged,
        ids: Vec<String>,
        tags: Vec<Tag>,
        whole: bool,
        nonce: Option<Nonce>,
    ) -> Result<Vec<(String, TagRefusal)>> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let mut refused = Vec::new();
            for id in ids {
                let refusal = if exists(c, &account, kind, &id)? {
                    tag_one(c, &account, kind, &id, &tags)?
                } else {
                    Some(TagRefusal::NotFound)
                };
                match refusal {
                    None => {}
                    Some(TagRefusal::NotFound) if whole => {
                        return Err(StoreError::NotFound("group"));
                    }
                    Some(TagRefusal::TooMany) if whole => return Err(StoreError::NoRoom),
                    Some(refusal) => refused.push((id, refusal)),
                }
            }
            Ok(refused)
        })
        .await
    }

    /// Takes the tags of these keys, or all of them, from each of the things; answers those that the
    /// account does not have. With `whole`, one of those is an error and nothing changes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] in a `whole` call, [`StoreError::NonceReplayed`], or the database could not
    /// be written.
    pub async fn untag(
        &self,
        account: &AccountId,
        kind: Tagged,
        ids: Vec<String>,
        keys: Option<Vec<String>>,
        whole: bool,
        nonce: Option<Nonce>,
    ) -> Result<Vec<String>> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let mut unknown = Vec::new();
            for id in ids {
                if !exists(c, &account, kind, &id)? {
                    if whole {
                        return Err(StoreError::NotFound("group"));
                    }
                    unknown.push(id);
                    continue;
                }
                let mut sql = "DELETE FROM resource_tags
                     WHERE account_id = $1 AND resource_type = $2 AND resource_id = $3"
                    .to_owned();
                let mut parameters = values![&account, kind.as_str(), &id].to_vec();
                if let Some(keys) = &keys {
                    let places = placeholders(4, keys.len());
                    sql += &format!(" AND tag_key IN ({places})");
                    parameters.extend(keys.iter().map(Value::from));
                }
                c.execute(&sql, &parameters)?;
            }
            Ok(unknown)
        })
        .await
    }

    /// The tags of the account's things of a kind, by their ids: of those named, or of all; only of things
    /// that meet every condition; none of things that are no longer there.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn tags(
        &self,
        account: &AccountId,
        kind: Tagged,
        ids: Option<Vec<String>>,
        conditions: Vec<TagCondition>,
    ) -> Result<BTreeMap<String, Vec<Tag>>> {
        let account = account.clone();
        self.read(move |c| {
            let mut sql = "SELECT r.resource_id, r.tag_key, r.tag_value FROM resource_tags r
                 WHERE r.account_id = $1 AND r.resource_type = $2"
                .to_owned();
            let mut parameters = values![&account, kind.as_str()].to_vec();
            if let Some(ids) = &ids {
                if ids.is_empty() {
                    return Ok(BTreeMap::new());
                }
                let places = placeholders(parameters.len() + 1, ids.len());
                sql += &format!(" AND r.resource_id IN ({places})");
                parameters.extend(ids.iter().map(Value::from));
            }
            if kind == Tagged::Group {
                sql += " AND EXISTS (SELECT 1 FROM app_groups g WHERE g.group_id = r.resource_id
                     AND g.account_id = r.account_id AND g.status <> 'DELETING')";
            }
            for condition in &conditions {
                sql += &meets(
                    condition,
                    "r.account_id",
                    kind,
                    "r.resource_id",
                    &mut parameters,
                );
            }
            let mut tags = BTreeMap::<String, Vec<Tag>>::new();
            for (id, tag) in all(c, &sql, &parameters, |row| {
                let tag = Tag {
                    key: row.text(1)?.to_owned(),
                    value: row.text(2)?.to_owned(),
                };
                Ok((row.text(0)?.to_owned(), tag))
            })? {
                tags.entry(id).or_default().push(tag);
            }
            for tags in tags.values_mut() {
                tags.sort_unstable();
            }
            Ok(tags)
        })
        .await
    }
}

/// `AND` what a thing must meet, for the thing whose account and id stand in these columns.
pub(crate) fn meets(
    condition: &TagCondition,
    account: &str,
    kind: Tagged,
    id: &str,
    parameters: &mut Vec<Value>,
) -> String {
    let kind = kind.as_str();
    let mut text = format!(
        " AND EXISTS (SELECT 1 FROM resource_tags t WHERE t.account_id = {account}
             AND t.resource_type = '{kind}' AND t.resource_id = {id}"
    );
    let named = [
        ("t.tag_key", &condition.key),
        ("t.tag_value", &condition.value),
    ];
    for (column, value) in named {
        if let Some(value) = value {
            parameters.push(value.into());
            text += &format!(" AND {column} = ${}", parameters.len());
        }
    }
    text + ")"
}

fn exists(c: &mut dyn Connection, account: &AccountId, kind: Tagged, id: &str) -> Result<bool> {
    if kind != Tagged::Group {
        return Ok(true);
    }
    let sql = "SELECT 1 FROM app_groups
         WHERE group_id = $1 AND account_id = $2 AND status <> 'DELETING'";
    Ok(first(c, sql, values![id, account], |row| row.integer(0))?.is_some())
}

/// Puts tags on a thing that is there, within the caller's transaction; answers why it did not.
pub(crate) fn tag_one(
    c: &mut dyn Connection,
    account: &AccountId,
    kind: Tagged,
    id: &str,
    tags: &[Tag],
) -> Result<Option<TagRefusal>> {
    let sql = "SELECT tag_key FROM resource_tags
         WHERE account_id = $1 AND resource_type = $2 AND resource_id = $3";
    let parameters = values![account, kind.as_str(), id];
    let mut keys: BTreeSet<String> = all(c, sql, parameters, |row| Ok(row.text(0)?.to_owned()))?
        .into_iter()
        .collect();
    keys.extend(tags.iter().map(|tag| tag.key.clone()));
    let custom = keys.iter().filter(|key| !key.starts_with(SYSTEM_KEYS));
    if custom.count() > CUSTOM_TAGS {
        return Ok(Some(TagRefusal::TooMany));
    }
    for tag in tags {
        c.execute(
            "INSERT INTO resource_tags (account_id, resource_type, resource_id, tag_key, tag_value)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account_id, resource_type, resource_id, tag_key)
                 DO UPDATE SET tag_value = $5",
            values![account, kind.as_str(), id, &tag.key, &tag.value],
        )?;
    }
    Ok(None)
}
