//! Further accounts: tenants beside the root account, each with things of its own and a key of its own.

use greenroom_model::random::base36;
use greenroom_model::{AccountId, Entropy, Timestamp};
use greenroom_store::{Secret, Store, StoreError};
use std::fmt;

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name cannot be one.
    #[error("an account's name has 1 to 64 letters, digits, dots, hyphens or underscores")]
    Name,
    /// There is one of that name.
    #[error("there is an account of that name already")]
    Taken,
    /// There is none of that name or id, or it is the root account.
    #[error("there is no such account besides the root account")]
    None,
    /// The database failed.
    #[error("cannot keep the account")]
    Store(#[from] StoreError),
}

/// An account that was made, and its key, whose secret is nowhere else to be seen; nor in `Debug`.
pub struct NewAccount {
    /// Its id.
    pub id: AccountId,
    /// The public half of its key.
    pub access_key_id: String,
    /// The secret half.
    pub access_key_secret: String,
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("id", &self.id)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Makes an account with a key.
///
/// # Errors
/// The name is none or taken, or the database could not be written.
pub async fn create(
    store: &Store,
    name: &str,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<NewAccount, AccountError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        return Err(AccountError::Name);
    }
    if store.accounts().await?.iter().any(|kept| kept.name == name) {
        return Err(AccountError::Taken);
    }
    let made = NewAccount {
        id: AccountId::new(entropy),
        access_key_id: format!("LTAI{}", base36(entropy, 20)),
        access_key_secret: base36(entropy, 40),
    };
    let secret = Secret::new(made.access_key_secret.as_bytes());
    let (id, key) = (made.id.clone(), made.access_key_id.clone());
    store.tells("AccountId", id.as_str());
    store.tells("AccessKeyId", &key);
    store
        .add_account(id, name.to_owned(), key, secret, now)
        .await?;
    Ok(made)
}

/// Lets no key of the account of that name or id work any more. What it has stays as it is, and runs on.
///
/// # Errors
/// There is no such account, or the database could not be written.
pub async fn disable(store: &Store, which: &str, now: Timestamp) -> Result<(), AccountError> {
    let accounts = store.accounts().await?;
    let found = accounts
        .into_iter()
        .find(|kept| !kept.root && (kept.name == which || kept.id.as_str() == which))
        .ok_or(AccountError::None)?;
    store.tells("AccountId", found.id.as_str());
    Ok(store.disable_account(&found.id, now).await?)
}

/// The accounts as a table for people.
///
/// # Errors
/// The database could not be read.
pub async fn table(store: &Store) -> Result<String, AccountError> {
    let mut text = String::from("ID                NAME                  STATUS    CREATED");
    for kept in store.accounts().await? {
        let status = match (kept.root, kept.disabled) {
            (true, _) => "root",
            (false, true) => "disabled",
            (false, false) => "active",
        };
        let (id, name, made) = (kept.id, kept.name, kept.created.to_wire());
        text.push_str(&format!("\n{id:17} {name:21} {status:9} {made}"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::TestServer;
    use greenroom_testkit::SeededEntropy;
    use serde_json::json;

    #[tokio::test]
    async fn a_new_account_works_until_it_is_disabled() {
        let mut server = TestServer::start().await;
        let entropy = SeededEntropy::new(8);
        let made = create(&server.store, "initech", &entropy, Timestamp(0)).await;
        let made = made.unwrap();
        assert!(!format!("{made:?}").contains(&made.access_key_secret));
        server.know(
            "initech",
            &made.id,
            &made.access_key_id,
            &made.access_key_secret,
            None,
        );
        let (status, _) = server.call_as("initech", "ListRegions", json!({})).await;
        assert_eq!(status, 200);

        let again = create(&server.store, "initech", &entropy, Timestamp(0)).await;
        assert!(matches!(again, Err(AccountError::Taken)));
        for odd in ["", "a b", "ä", &"x".repeat(65)] {
            let odd = create(&server.store, odd, &entropy, Timestamp(0)).await;
            assert!(matches!(odd, Err(AccountError::Name)));
        }

        disable(&server.store, "initech", Timestamp(1))
            .await
            .unwrap();
        disable(&server.store, made.id.as_str(), Timestamp(2))
            .await
            .unwrap();
        let (status, answer) = server.call_as("initech", "ListRegions", json!({})).await;
        assert_eq!(
            (status, &answer["Code"]),
            (400, &json!("InvalidAccessKeyId.Inactive"))
        );
        for none in ["nobody", "root", server.account_id("acme").as_str()] {
            let none = disable(&server.store, none, Timestamp(1)).await;
            assert!(matches!(none, Err(AccountError::None)));
        }
        let table = table(&server.store).await.unwrap();
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[1].contains("root") && lines.len() == 4, "{table}");
        assert!(table.contains("initech               disabled"), "{table}");
    }
}
