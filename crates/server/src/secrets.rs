//! The key that the secrets in the database are sealed with: made at the first start, kept in a file of the
//! data folder, the same on every server of a database.

use crate::data_dir::DataDir;
use greenroom_model::{Entropy, Timestamp, hex};
use greenroom_store::{SealingKey, Store, StoreError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file in the data folder.
pub const FILE: &str = "secrets.key";

/// Why the secrets in the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The database is sealed and the file is not there.
    #[error(
        "{} is missing, and the secrets in the database are sealed with it; put it there from a backup, or from another server of this database",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file holds no key.
    #[error("{} is no key: it must hold 64 hexadecimal digits", .0.display())]
    Malformed(PathBuf),
    /// The file holds another key.
    #[error(
        "{} is not the key that the secrets in the database are sealed with; put that one there from a backup, or from another server of this database",
        .0.display()
    )]
    Wrong(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database failed.
    #[error("cannot seal the secrets in the database")]
    Store(#[from] StoreError),
}

/// Gives the store the key of the data folder, which is made when neither the folder nor the database knows one.
/// Secrets of an older build, which did not seal them, are sealed.
///
/// # Errors
/// The key is missing or another one, or something cannot be read or written. Nothing was sealed then.
pub async fn unlock(
    store: &Store,
    data: &DataDir,
    entropy: Arc<dyn Entropy>,
    now: Timestamp,
) -> Result<(), SecretsError> {
    let path = data.path().join(FILE);
    let key = match read(data.path(), entropy.clone()) {
        Err(SecretsError::Missing(path)) => {
            if store.is_sealed().await? {
                return Err(SecretsError::Missing(path));
            }
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes);
            // The file first: what is sealed with a key that is written nowhere is lost.
            data.write_secret(FILE, &format!("{}\n", hex::encode(&bytes)))
                .map_err(|source| SecretsError::File { path, source })?;
            SealingKey::new(&bytes, entropy)
        }
        found => found?,
    };
    match store.unlock(key, now).await {
        Err(StoreError::WrongSealingKey) => Err(SecretsError::Wrong(path)),
        done => Ok(done?),
    }
}

/// The key of a data folder.
///
/// # Errors
/// It is missing, or cannot be read.
pub fn read(data_dir: &Path, entropy: Arc<dyn Entropy>) -> Result<SealingKey, SecretsError> {
    let path = data_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => match hex::decode(text.trim()) {
            Some(bytes) => Ok(SealingKey::new(&bytes, entropy)),
            None => Err(SecretsError::Malformed(path)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SecretsError::Missing(path)),
        Err(source) => Err(SecretsError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_model::AccountId;
    use greenroom_store::Secret;
    use greenroom_testkit::SeededEntropy;
    use std::os::unix::fs::PermissionsExt;

    const NOW: Timestamp = Timestamp(0);

    async fn start(home: &Path, folder: &str) -> Result<Store, SecretsError> {
        let data = DataDir::open(&home.join(folder)).unwrap();
        let store = Store::open(&home.join("greenroom.db")).unwrap();
        let seed = folder.bytes().map(u64::from).sum();
        unlock(&store, &data, Arc::new(SeededEntropy::new(seed)), NOW).await?;
        Ok(store)
    }

    async fn add_account(store: &Store) {
        let id = AccountId::parse("1234567890123456").unwrap();
        let secret = Secret::new("correct-horse");
        store
            .add_account(id, "acme".into(), "key".into(), secret, NOW)
            .await
            .unwrap();
    }

    async fn secret(store: &Store) -> Vec<u8> {
        let key = store.access_key("key").await.unwrap().unwrap();
        key.secret.expose().to_vec()
    }

    fn on_disk(home: &Path, text: &str) -> bool {
        let holds = |name: &str| {
            let bytes = std::fs::read(home.join(name)).unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        holds("greenroom.db") || holds("greenroom.db-wal")
    }

    #[tokio::test]
    async fn the_key_is_made_once_for_its_owner_only_and_no_secret_lies_open() {
        let home = tempfile::tempdir().unwrap();
        let store = start(home.path(), "data").await.unwrap();
        add_account(&store).await;
        assert_eq!(secret(&store).await, b"correct-horse");
        drop(store);
        assert!(!on_disk(home.path(), "correct-horse"));
        assert!(on_disk(home.path(), "acme"), "the case would see it");
        let file = home.path().join("data").join(FILE);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let kept = std::fs::read_to_string(&file).unwrap();
        let store = start(home.path(), "data").await.unwrap();
        assert_eq!(secret(&store).await, b"correct-horse");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), kept);
    }

    #[tokio::test]
    async fn secrets_of_an_older_build_are_sealed_at_the_next_start() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&home.path().join("greenroom.db")).unwrap();
        add_account(&store).await;
        drop(store);
        assert!(on_disk(home.path(), "correct-horse"));
        let store = start(home.path(), "data").await.unwrap();
        assert_eq!(secret(&store).await, b"correct-horse");
        drop(store);
        let bare = Store::open(&home.path().join("greenroom.db")).unwrap();
        let refused = bare.access_key("key").await;
        assert!(matches!(refused, Err(StoreError::WrongSealingKey)));
    }

    #[tokio::test]
    async fn a_missing_wrong_or_broken_key_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        add_account(&start(home.path(), "data").await.unwrap()).await;
        let said = |refused: Result<Store, SecretsError>| refused.err().unwrap().to_string();
        let missing = said(start(home.path(), "other").await);
        assert!(
            missing.contains("other/secrets.key is missing"),
            "{missing}"
        );

        let file = home.path().join("data").join(FILE);
        let right = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, "00".repeat(32)).unwrap();
        let wrong = said(start(home.path(), "data").await);
        assert!(wrong.contains("data/secrets.key is not the key"), "{wrong}");
        for broken in ["", "xyz", &"0".repeat(63), &"é".repeat(32)] {
            std::fs::write(&file, broken).unwrap();
            let broken = said(start(home.path(), "data").await);
            assert!(broken.contains("data/secrets.key is no key"), "{broken}");
        }
        std::fs::write(&file, right).unwrap();
        let store = start(home.path(), "data").await.unwrap();
        assert_eq!(secret(&store).await, b"correct-horse");
    }

    #[tokio::test]
    async fn what_was_sealed_for_one_thing_does_not_open_as_another() {
        let home = tempfile::tempdir().unwrap();
        let store = start(home.path(), "data").await.unwrap();
        let sealed = store.seal("one", b"text").unwrap();
        assert_eq!(store.unseal("one", &sealed).as_deref(), Some(&b"text"[..]));
        assert_eq!(store.unseal("other", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(store.unseal("one", &changed), None, "byte {at}");
        }
        assert_eq!(store.unseal("one", &sealed[..10]), None);
    }
}
