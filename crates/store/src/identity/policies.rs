//! Policies that an account makes, in versions of which one is in force.

use super::{
    Entities, IdentityError, POLICIES, PolicyName, Thing, VERSIONS, attachments, count, room,
};
use crate::Store;
use crate::connection::{Connection, Row, all, first, narrow, values};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use greenroom_model::{AccountId, Timestamp};

/// A policy to be made; its document becomes version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicy {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it allows and denies: opaque here.
    pub document: String,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamPolicy {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The version in force.
    pub in_force: PolicyVersion,
    /// How many users, groups and roles have it.
    pub attachments: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its number.
    pub version: u32,
    /// Its document: opaque here.
    pub document: String,
    /// It is the one in force.
    pub default: bool,
    /// When it was made.
    pub created: Timestamp,
}

const POLICY: &str = "SELECT p.name, p.description, p.default_version, v.document, v.created_at,
         (SELECT COUNT(*) FROM ram_attachments a WHERE a.account_id = p.account_id
             AND a.policy_kind = 'Custom' AND a.policy_name = p.name),
         p.created_at, p.updated_at
     FROM ram_policies p JOIN ram_policy_versions v ON v.account_id = p.account_id
         AND v.policy_name = p.name AND v.version = p.default_version";

fn policy(row: &dyn Row) -> Result<RamPolicy> {
    Ok(RamPolicy {
        name: row.text(0)?.to_owned(),
        description: row.text(1)?.to_owned(),
        in_force: PolicyVersion {
            version: narrow(row.integer(2)?)?,
            document: row.text(3)?.to_owned(),
            default: true,
            created: Timestamp(row.integer(4)?),
        },
        attachments: narrow(row.integer(5)?)?,
        created: Timestamp(row.integer(6)?),
        updated: Timestamp(row.integer(7)?),
    })
}

fn named(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<Option<RamPolicy>> {
    let sql = format!("{POLICY} WHERE p.account_id = $1 AND p.name = $2");
    first(c, &sql, values![account, name], policy)
}

pub(super) fn existing(
    c: &mut dyn Connection,
    account: &AccountId,
    name: &str,
) -> Result<RamPolicy> {
    Ok(named(c, account, name)?.ok_or(IdentityError::Missing(Thing::Policy))?)
}

fn versions(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<Vec<PolicyVersion>> {
    all(
        c,
        "SELECT v.version, v.document, p.default_version, v.created_at
         FROM ram_policy_versions v
         JOIN ram_policies p ON p.account_id = v.account_id AND p.name = v.policy_name
         WHERE v.account_id = $1 AND v.policy_name = $2 ORDER BY v.version",
        values![account, name],
        |row| {
            Ok(PolicyVersion {
                version: narrow(row.integer(0)?)?,
                document: row.text(1)?.to_owned(),
                default: row.integer(0)? == row.integer(2)?,
                created: Timestamp(row.integer(3)?),
            })
        },
    )
}

fn add_version(
    c: &mut dyn Connection,
    account: &AccountId,
    name: &str,
    version: u32,
    document: &str,
    at: Timestamp,
) -> Result<()> {
    c.execute(
        "INSERT INTO ram_policy_versions (account_id, policy_name, version, document, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        values![account, name, version, document, at],
    )?;
    Ok(())
}

fn remove_version(
    c: &mut dyn Connection,
    account: &AccountId,
    name: &str,
    version: u32,
) -> Result<()> {
    c.execute(
        "DELETE FROM ram_policy_versions
         WHERE account_id = $1 AND policy_name = $2 AND version = $3",
        values![account, name, version],
    )?;
    Ok(())
}

impl Store {
    /// Makes a policy.
    ///
    /// # Errors
    /// The name is taken or there are too many, the nonce was used, or the database could not be written.
    pub async fn create_ram_policy(
        &self,
        account: &AccountId,
        new: NewPolicy,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<RamPolicy> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT COUNT(*) FROM ram_policies WHERE account_id = $1";
            room(c, sql, values![&account], POLICIES, Thing::Policy)?;
            let made = c.execute(
                "INSERT INTO ram_policies (account_id, name, description, default_version, next_version,
                     created_at, updated_at)
                 VALUES ($1, $2, $3, 1, 2, $4, $4) ON CONFLICT DO NOTHING",
                values![&account, &new.name, &new.description, at],
            )?;
            if made == 0 {
                return Err(IdentityError::Exists(Thing::Policy).into());
            }
            add_version(c, &account, &new.name, 1, &new.document, at)?;
            existing(c, &account, &new.name)
        })
        .await
    }

    /// The account's own policy of that name.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_policy(&self, account: &AccountId, name: &str) -> Result<Option<RamPolicy>> {
        let (account, name) = (account.clone(), name.to_owned());
        self.read(move |c| named(c, &account, &name)).await
    }

    /// The account's own policies.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_policies(&self, account: &AccountId) -> Result<Vec<RamPolicy>> {
        let account = account.clone();
        self.read(move |c| {
            let sql = format!("{POLICY} WHERE p.account_id = $1");
            let mut policies = all(c, &sql, values![&account], policy)?;
            policies.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(policies)
        })
        .await
    }

    /// Deletes a policy that nobody has; `with_versions` also one that has other versions than the one in force.
    ///
    /// # Errors
    /// There is no such policy, somebody has it, it has versions that are not to go with it, the nonce was used,
    /// or the database could not be written.
    pub async fn delete_ram_policy(
        &self,
        account: &AccountId,
        name: &str,
        with_versions: bool,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            existing(c, &account, &name)?;
            let Entities {
                users,
                groups,
                roles,
            } = attachments::holders(c, &account, &PolicyName::custom(&name))?;
            for (held, thing) in [
                (!users.is_empty(), Thing::PolicyUser),
                (!groups.is_empty(), Thing::PolicyGroup),
                (!roles.is_empty(), Thing::PolicyRole),
            ] {
                if held {
                    return Err(IdentityError::Held(thing).into());
                }
            }
            let own = values![&account, &name];
            let sql = "SELECT COUNT(*) FROM ram_policy_versions
                       WHERE account_id = $1 AND policy_name = $2";
            if !with_versions && count(c, sql, own)? > 1 {
                return Err(IdentityError::Held(Thing::PolicyVersion).into());
            }
            let sql = "DELETE FROM ram_policy_versions WHERE account_id = $1 AND policy_name = $2";
            c.execute(sql, own)?;
            c.execute(
                "DELETE FROM ram_policies WHERE account_id = $1 AND name = $2",
                own,
            )?;
            Ok(())
        })
        .await
    }

    /// Adds a version. With `replace_oldest`, the oldest one that is not in force gives way when there are as
    /// many as there may be.
    ///
    /// # Errors
    /// There is no such policy, it has too many versions, the nonce was used, or the database could not be
    /// written.
    #[allow(clippy::too_many_arguments, reason = "the vendor's own parameters")]
    pub async fn create_ram_policy_version(
        &self,
        account: &AccountId,
        name: &str,
        document: String,
        set_default: bool,
        replace_oldest: bool,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<PolicyVersion> {
        let (account, name) = (account.clone(), name.to_owned());
        let call = self.call.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            existing(c, &account, &name)?;
            let kept = versions(c, &account, &name)?;
            if kept.len() >= VERSIONS as usize {
                let oldest = kept.iter().find(|version| !version.default);
                match oldest.filter(|_| replace_oldest) {
                    Some(oldest) => remove_version(c, &account, &name, oldest.version)?,
                    None => return Err(IdentityError::Full(Thing::PolicyVersion).into()),
                }
            }
            let sql = "SELECT next_version FROM ram_policies WHERE account_id = $1 AND name = $2";
            let next = first(c, sql, values![&account, &name], |row| {
                narrow(row.integer(0)?)
            })?;
            let version: u32 = next.ok_or(IdentityError::Missing(Thing::Policy))?;
            crate::audit::tells(call.as_ref(), "VersionId", &format!("v{version}"));
            add_version(c, &account, &name, version, &document, at)?;
            let sql = "UPDATE ram_policies SET next_version = next_version + 1, updated_at = $3
                       WHERE account_id = $1 AND name = $2";
            c.execute(sql, values![&account, &name, at])?;
            if set_default {
                let sql = "UPDATE ram_policies SET default_version = $3
                           WHERE account_id = $1 AND name = $2";
                c.execute(sql, values![&account, &name, version])?;
            }
            Ok(PolicyVersion {
                version,
                document,
                default: set_default,
                created: at,
            })
        })
        .await
    }

    /// The versions of a policy, oldest first.
    ///
    /// # Errors
    /// There is no such policy, or the database could not be read.
    pub async fn ram_policy_versions(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Vec<PolicyVersion>> {
        let (account, name) = (account.clone(), name.to_owned());
        self.read(move |c| {
            existing(c, &account, &name)?;
            versions(c, &account, &name)
        })
        .await
    }

    /// Puts a version in force.
    ///
    /// # Errors
    /// There is no such policy or version, the nonce was used, or the database could not be written.
    pub async fn set_default_ram_policy_version(
        &self,
        account: &AccountId,
        name: &str,
        version: u32,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            the_version(c, &account, &name, version)?;
            let sql = "UPDATE ram_policies SET default_version = $3, updated_at = $4
                       WHERE account_id = $1 AND name = $2";
            c.execute(sql, values![&account, &name, version, at])?;
            Ok(())
        })
        .await
    }

    /// Deletes a version that is not in force.
    ///
    /// # Errors
    /// There is no such policy or version, it is in force, the nonce was used, or the database could not be
    /// written.
    pub async fn delete_ram_policy_version(
        &self,
        account: &AccountId,
        name: &str,
        version: u32,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            if the_version(c, &account, &name, version)?.default {
                return Err(IdentityError::Held(Thing::PolicyVersionDefault).into());
            }
            remove_version(c, &account, &name, version)
        })
        .await
    }
}

fn the_version(
    c: &mut dyn Connection,
    account: &AccountId,
    name: &str,
    version: u32,
) -> Result<PolicyVersion> {
    existing(c, account, name)?;
    let found = versions(c, account, name)?
        .into_iter()
        .find(|kept| kept.version == version);
    Ok(found.ok_or(IdentityError::Missing(Thing::PolicyVersion))?)
}
