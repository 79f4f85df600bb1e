//! The root account's key: made at the first start, kept in a file for the operator, changed only on purpose.

use crate::data_dir::DataDir;
use greenroom_model::random::base36;
use greenroom_model::{AccountId, Entropy, Timestamp};
use greenroom_store::{Secret, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The file in the data folder.
pub const FILE: &str = "root-credentials.json";

/// The variables that name the first key.
pub const ID_VARIABLE: &str = "GREENROOM_ROOT_ACCESS_KEY_ID";
/// The variables that name the first key.
pub const SECRET_VARIABLE: &str = "GREENROOM_ROOT_ACCESS_KEY_SECRET";

/// An access key, as the environment or the file gives it; the secret does not show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct RootKey {
    /// The public half.
    pub id: String,
    secret: String,
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    account_id: AccountId,
    access_key_id: String,
    access_key_secret: String,
}

/// Why there is no root key to work with.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// One of the two variables is missing.
    #[error("{ID_VARIABLE} and {SECRET_VARIABLE} go together: set both or neither")]
    Half,
    /// They cannot be a key.
    #[error(
        "{ID_VARIABLE} must be 1 to 128 letters, digits, dots, hyphens or underscores, {SECRET_VARIABLE} 8 to 256 visible ASCII characters"
    )]
    Malformed,
    /// The key of an earlier start is another one.
    #[error(
        "{ID_VARIABLE} and {SECRET_VARIABLE} are not the root key that this data folder was started with; to change the key, stop the server and run `greenroom root rotate-key`"
    )]
    Differs,
    /// There is no root key to rotate.
    #[error("the data folder has no root account yet; `greenroom serve` makes one")]
    None,
    /// The file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database failed.
    #[error("cannot keep the root account")]
    Store(#[from] StoreError),
}

impl RootKey {
    /// The key that the environment names, if it names one.
    ///
    /// # Errors
    /// It names half of one, or what cannot be one.
    pub fn from_env(find: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, RootError> {
        let found = |name| find(name).filter(|value| !value.is_empty());
        match (found(ID_VARIABLE), found(SECRET_VARIABLE)) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let key = Self { id, secret };
                if key.is_well_formed() {
                    Ok(Some(key))
                } else {
                    Err(RootError::Malformed)
                }
            }
            _ => Err(RootError::Half),
        }
    }

    fn random(entropy: &dyn Entropy) -> Self {
        // The vendor's keys begin with LTAI, and some tools look for that.
        Self {
            id: format!("LTAI{}", base36(entropy, 20)),
            secret: base36(entropy, 40),
        }
    }

    fn is_well_formed(&self) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        (1..=128).contains(&self.id.len())
            && self.id.bytes().all(plain)
            && (8..=256).contains(&self.secret.len())
            && self.secret.bytes().all(|b| b.is_ascii_graphic())
    }

    fn to_store(&self) -> Secret {
        Secret::new(self.secret.as_bytes())
    }
}

/// Makes sure that there is a root account, and that `wanted` is its key when one is wanted. Answers where
/// its credentials are.
///
/// # Errors
/// Another key is wanted than the one there is, or something cannot be written.
pub async fn establish(
    store: &Store,
    data: &DataDir,
    wanted: Option<RootKey>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<PathBuf, RootError> {
    if let Some(kept) = store.root().await? {
        let same = |wanted: &RootKey| wanted.id == kept.id && wanted.to_store() == kept.secret;
        return match wanted {
            Some(wanted) if !same(&wanted) => Err(RootError::Differs),
            _ => Ok(data.path().join(FILE)),
        };
    }
    // A start that was killed between the file and the database, or a database that was lost: what the
    // operator was given stays good.
    let left = read(data)?;
    let account = left
        .as_ref()
        .map_or_else(|| AccountId::new(entropy), |left| left.account_id.clone());
    let key = wanted
        .or_else(|| {
            left.map(|left| RootKey {
                id: left.access_key_id,
                secret: left.access_key_secret,
            })
        })
        .unwrap_or_else(|| RootKey::random(entropy));
    let path = write(data, &account, &key)?;
    store
        .first_start(account, key.id.clone(), key.to_store(), now)
        .await?;
    Ok(path)
}

/// Puts another key in the place of the root account's: `wanted`, or a random one. Answers where it is.
///
/// # Errors
/// There is no root account, or something cannot be written.
pub async fn rotate(
    store: &Store,
    data: &DataDir,
    wanted: Option<RootKey>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<PathBuf, RootError> {
    let kept = store.root().await?.ok_or(RootError::None)?;
    let key = wanted.unwrap_or_else(|| RootKey::random(entropy));
    // The file first: a key that is in force and written nowhere would lock the operator out.
    let path = write(data, &kept.account, &key)?;
    store.tells("AccessKeyId", &key.id);
    store
        .rotate_root_key(key.id.clone(), key.to_store(), now)
        .await?;
    Ok(path)
}

fn read(data: &DataDir) -> Result<Option<Credentials>, RootError> {
    let path = data.path().join(FILE);
    let failed = |source| RootError::File {
        path: path.clone(),
        source,
    };
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| failed(error.into())),
    }
}

fn write(data: &DataDir, account: &AccountId, key: &RootKey) -> Result<PathBuf, RootError> {
    let failed = |source| RootError::File {
        path: data.path().join(FILE),
        source,
    };
    let credentials = Credentials {
        account_id: account.clone(),
        access_key_id: key.id.clone(),
        access_key_secret: key.secret.clone(),
    };
    let text = serde_json::to_string_pretty(&credentials).map_err(|error| failed(error.into()))?;
    data.write_secret(FILE, &format!("{text}\n"))
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_testkit::SeededEntropy;

    const NOW: Timestamp = Timestamp(0);

    struct World {
        _home: tempfile::TempDir,
        data: DataDir,
        store: Store,
        entropy: SeededEntropy,
    }

    impl World {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            Self {
                data: DataDir::open(&home.path().join("data")).unwrap(),
                _home: home,
                store: Store::in_memory().unwrap(),
                entropy: SeededEntropy::new(1),
            }
        }

        async fn start(&self, wanted: Option<RootKey>) -> Result<PathBuf, RootError> {
            establish(&self.store, &self.data, wanted, &self.entropy, NOW).await
        }

        fn file(&self) -> Credentials {
            read(&self.data).unwrap().unwrap()
        }
    }

    fn key(id: &str, secret: &str) -> RootKey {
        RootKey {
            id: id.to_owned(),
            secret: secret.to_owned(),
        }
    }

    #[tokio::test]
    async fn the_first_start_makes_a_random_key_that_later_starts_keep() {
        let world = World::new();
        let path = world.start(None).await.unwrap();
        let first = world.file();
        assert!(path.ends_with(FILE) && first.access_key_id.starts_with("LTAI"));
        world.start(None).await.unwrap();
        assert_eq!(world.file().access_key_secret, first.access_key_secret);
        let kept = world.store.root().await.unwrap().unwrap();
        assert_eq!(kept.secret.expose(), first.access_key_secret.as_bytes());
        assert_eq!(kept.account, first.account_id);
    }

    #[tokio::test]
    async fn a_later_start_with_another_key_is_refused_and_says_what_to_do() {
        let world = World::new();
        world
            .start(Some(key(
                "admin",
                "correct horse".replace(' ', "-").as_str(),
            )))
            .await
            .unwrap();
        world
            .start(Some(key("admin", "correct-horse")))
            .await
            .unwrap();
        for other in [
            key("admin", "battery-staple"),
            key("other", "correct-horse"),
        ] {
            let error = world.start(Some(other)).await.unwrap_err();
            assert!(
                error.to_string().contains("greenroom root rotate-key"),
                "{error}"
            );
        }
        assert_eq!(world.file().access_key_secret, "correct-horse");
    }

    #[tokio::test]
    async fn a_rotated_key_is_in_the_file_and_the_old_one_is_gone() {
        let world = World::new();
        let nothing = rotate(&world.store, &world.data, None, &world.entropy, NOW).await;
        assert!(matches!(nothing, Err(RootError::None)));
        world
            .start(Some(key("admin", "correct-horse")))
            .await
            .unwrap();
        let account = world.file().account_id;
        rotate(&world.store, &world.data, None, &world.entropy, NOW)
            .await
            .unwrap();
        let file = world.file();
        assert_eq!(file.account_id, account);
        assert!(world.store.access_key("admin").await.unwrap().is_none());
        assert!(
            world
                .store
                .access_key(&file.access_key_id)
                .await
                .unwrap()
                .is_some()
        );
        world.start(None).await.unwrap();
    }

    #[tokio::test]
    async fn credentials_that_were_given_out_survive_a_lost_database() {
        let mut world = World::new();
        world.start(None).await.unwrap();
        let first = world.file();
        world.store = Store::in_memory().unwrap();
        world.start(None).await.unwrap();
        assert_eq!(world.file().access_key_secret, first.access_key_secret);
        assert_eq!(
            world.store.root().await.unwrap().unwrap().account,
            first.account_id
        );
    }

    #[test]
    fn half_a_key_and_what_cannot_be_one_are_refused() {
        let from = |id: &str, secret: &str| {
            RootKey::from_env(|name| Some(if name == ID_VARIABLE { id } else { secret }.to_owned()))
        };
        assert!(matches!(from("", ""), Ok(None)));
        assert!(matches!(from("admin", ""), Err(RootError::Half)));
        assert!(matches!(from("", "correct-horse"), Err(RootError::Half)));
        assert!(matches!(
            from("ad min", "correct-horse"),
            Err(RootError::Malformed)
        ));
        assert!(matches!(from("admin", "short"), Err(RootError::Malformed)));
        let read = from("admin", "correct-horse").unwrap().unwrap();
        assert!(!format!("{read:?}").contains("correct"), "{read:?}");
    }
}
