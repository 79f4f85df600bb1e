//! The recorded requests, loaded from `tests/vectors`.

pub mod random;

use greenroom_rpc::RawRequest;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One recorded request and what is known of it.
#[derive(Clone, Deserialize)]
pub struct Vector {
    pub name: String,
    pub scheme: String,
    pub valid: bool,
    pub access_key_id: Option<String>,
    pub access_key_secret: Option<String>,
    pub security_token: Option<String>,
    pub bearer_token: Option<String>,
    pub timestamp: Option<String>,
    pub nonce: Option<String>,
    pub method: String,
    pub path: String,
    pub query: String,
    raw_headers: Vec<(String, String)>,
    /// The same with names in lower case, made when loaded.
    #[serde(skip)]
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub expect: Expect,
    pub expect_code: Option<String>,
    pub canonical_request: Option<String>,
    pub string_to_sign: Option<String>,
}

/// What the request says.
#[derive(Clone, Deserialize)]
pub struct Expect {
    pub action: String,
    pub version: String,
    pub format: Option<String>,
    pub region_id: Option<String>,
    pub params: BTreeMap<String, String>,
}

impl Vector {
    pub fn raw(&self) -> RawRequest<'_> {
        RawRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: self.body.as_bytes(),
        }
    }
}

/// Every vector, and how many files their folder has.
pub fn load() -> (Vec<Vector>, usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the vectors are there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    let vectors = files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "json"))
        .map(|file| {
            let text = std::fs::read_to_string(file).expect("readable");
            let mut vector: Vector = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            vector.headers = vector
                .raw_headers
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
                .collect();
            vector
        })
        .collect();
    (vectors, files.len())
}
