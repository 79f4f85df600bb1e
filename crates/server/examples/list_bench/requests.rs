//! Requests, signed before the clock starts.

use crate::{GROUP, PAGE, Result};
use greenroom_model::Clock;
use greenroom_rpc::date;
use greenroom_rpc::sign::{Algorithm, Call, sign_v3};
use greenroom_server::system::SystemClock;
use serde_json::Value;
use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;

/// Makes requests of the root account, as the official clients put them on the wire.
pub struct Requests {
    host: String,
    access_key_id: String,
    secret: String,
    made: Cell<u64>,
}

impl Requests {
    /// Requests to the server at `address`, with the credentials of its data folder.
    pub fn new(folder: &Path, address: SocketAddr) -> Result<Self> {
        let text = std::fs::read_to_string(folder.join("root-credentials.json"))?;
        let credentials: Value = serde_json::from_str(&text)?;
        let field = |name: &str| {
            let found = credentials[name].as_str().map(str::to_owned);
            found.ok_or_else(|| format!("the credentials have no {name}"))
        };
        Ok(Self {
            host: address.to_string(),
            access_key_id: field("AccessKeyId")?,
            secret: field("AccessKeySecret")?,
            made: Cell::new(0),
        })
    }

    /// A request for one page, with a nonce of its own.
    pub fn page(&self, number: u32) -> Vec<u8> {
        self.made.set(self.made.get() + 1);
        let nonce = format!("{:08x}-bench-{:016x}", std::process::id(), self.made.get());
        let (number, size) = (number.to_string(), PAGE.to_string());
        let signed = sign_v3(
            &Call {
                method: "POST",
                host: &self.host,
                action: "ListPersistentAppInstances",
                version: "2021-09-01",
                query: &[
                    ("AppInstanceGroupId", GROUP),
                    ("PageNumber", &number),
                    ("PageSize", &size),
                    ("ProductType", "CloudApp"),
                ],
                form: &[],
                access_key_id: &self.access_key_id,
                secret: &self.secret,
                security_token: None,
                date: &date::format(SystemClock.now().0),
                nonce: &nonce,
            },
            Algorithm::Sha256,
        );
        let mut text = format!("POST /?{} HTTP/1.1\r\n", signed.query);
        for (name, value) in &signed.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text +=
            "user-agent: AlibabaCloud (linux; x86_64) bench TeaDSL/2\r\ncontent-length: 0\r\n\r\n";
        text.into_bytes()
    }

    /// Many of them, for these pages.
    pub fn pages(&self, count: usize, mut number: impl FnMut() -> u32) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.page(number())).collect()
    }
}
