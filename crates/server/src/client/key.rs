//! The key that calls are signed with, and where it is found.

use super::ClientError;
use crate::root;
use serde::Deserialize;
use std::fmt;
use std::io;
use std::path::Path;

/// An access key; what is secret of it does not show in `Debug`.
#[derive(Clone)]
pub struct Key {
    /// The half that everybody may see.
    pub id: String,
    secret: String,
    security_token: Option<String>,
    from: String,
}

/// The form of a file with a key: what `root-credentials.json` has, and the `Credentials` that `AssumeRole`
/// answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
}

impl Key {
    /// The variable with the key's id, as the official SDKs read it.
    pub const ID_VARIABLE: &'static str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
    /// The variable with its secret.
    pub const SECRET_VARIABLE: &'static str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
    /// The variable with the token of a temporary key.
    pub const TOKEN_VARIABLE: &'static str = "ALIBABA_CLOUD_SECURITY_TOKEN";

    /// Finds a key: in `file` if one is named, else in the environment, else the root account's in the
    /// folder of a server.
    ///
    /// # Errors
    /// There is none, half of one, or a file that cannot be read.
    pub fn find(
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
        data_dir: &Path,
    ) -> Result<Self, ClientError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ClientError::KeyFile { path, source }
        };
        if let Some(file) = file {
            return Self::read(file).map_err(failed(file));
        }
        if let Some(key) = Self::from_env(variable)? {
            return Ok(key);
        }
        let file = data_dir.join(root::FILE);
        match Self::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ClientError::NoKey),
            read => read.map_err(failed(&file)),
        }
    }

    fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ClientError> {
        let found = |name| variable(name).filter(|value| !value.is_empty());
        match (found(Self::ID_VARIABLE), found(Self::SECRET_VARIABLE)) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => Ok(Some(Self {
                id,
                secret,
                security_token: found(Self::TOKEN_VARIABLE),
                from: Self::ID_VARIABLE.to_owned(),
            })),
            _ => Err(ClientError::HalfKey),
        }
    }

    fn read(path: &Path) -> io::Result<Self> {
        let file: File = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        Ok(Self {
            id: file.access_key_id,
            secret: file.access_key_secret,
            security_token: file.security_token,
            from: path.display().to_string(),
        })
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn security_token(&self) -> Option<&str> {
        self.security_token.as_deref()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "access key {} (from {})", self.id, self.from)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = r#"{"AccountId":"1","AccessKeyId":"root","AccessKeySecret":"hidden-root"}"#;
    const ROLE: &str = r#"{"AccessKeyId":"STS.x","AccessKeySecret":"hidden-role","SecurityToken":"hidden-token","Expiration":"2026-12-01T00:00:00Z"}"#;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn variables(name: &str) -> Option<String> {
        let value = match name {
            Key::ID_VARIABLE => "from-env",
            Key::SECRET_VARIABLE => "hidden-env",
            _ => "",
        };
        Some(value.to_owned())
    }

    #[test]
    fn a_named_file_comes_before_the_environment_and_that_before_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let none = Key::find(None, nothing, home.path());
        assert!(matches!(none, Err(ClientError::NoKey)));
        let role = home.path().join("role.json");
        std::fs::write(&role, ROLE).unwrap();
        std::fs::write(home.path().join(root::FILE), ROOT).unwrap();
        let id = |file, variables: fn(&str) -> Option<String>| {
            let key = Key::find(file, variables, home.path()).unwrap();
            assert!(!format!("{key:?} {key}").contains("hidden"), "{key:?}");
            (key.id.clone(), key.security_token().map(str::to_owned))
        };
        let token = Some("hidden-token".to_owned());
        assert_eq!(id(Some(&*role), variables), ("STS.x".to_owned(), token));
        assert_eq!(id(None, variables), ("from-env".to_owned(), None));
        assert_eq!(id(None, nothing), ("root".to_owned(), None));
    }

    #[test]
    fn half_a_key_and_a_file_without_one_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let half = |name: &str| (name == Key::ID_VARIABLE).then(|| "x".to_owned());
        let half = Key::find(None, half, home.path());
        assert!(matches!(half, Err(ClientError::HalfKey)));
        let file = home.path().join("empty.json");
        for text in ["", "{}", r#"{"AccessKeyId":"x"}"#] {
            std::fs::write(&file, text).unwrap();
            let error = Key::find(Some(&file), variables, home.path()).unwrap_err();
            assert!(error.to_string().contains("empty.json"), "{error}");
        }
    }
}
