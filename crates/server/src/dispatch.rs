//! The one way into every operation: a request as it came over HTTP goes in, the vendor's answer comes out.
//!
//! The order of the checks: the protocol's form, the operation's name, the access key, the signature, the
//! time, the replay, the caller's rate, then the parameters, the rules between them, the access. Nothing is
//! remembered of a request that is not signed rightly, and nothing is looked up for one.

use crate::access::policy::Facts;
use crate::access::token::{self, Temporary};
use crate::access::{Authority, Principal, RoleSession, User};
use crate::audit::{self, Refusals};
use crate::catalogue::{Catalogue, own};
use crate::config::Throttling;
use crate::error::{ApiError, Refused, chain};
use crate::metrics::{self, Calls};
use crate::ops::{self, CallContext, Entry};
use crate::runtime::Here;
use greenroom_model::random::uuid_upper;
use greenroom_model::{Clock, Entropy, Timestamp};
use greenroom_rpc::replay::REMEMBER_MS;
use greenroom_rpc::{
    Credential, Fault, Format, Rate, RawRequest, ReplayCache, Reply, Request, Signed, Throttle,
    envelope,
};
use greenroom_store::{Nonce, Recording, Store};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nonces remembered at most, within the half hour that each is: about 550 calls a second throughout.
const NONCES: usize = 1_000_000;

/// The API, without its transport.
pub struct Api {
    store: Store,
    catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    here: Here,
    replay: Mutex<ReplayCache>,
    throttle: Mutex<Throttle>,
    calls: Calls,
    refusals: Arc<Refusals>,
}

/// A call that got as far as naming an operation and a caller.
struct Admitted {
    store: Store,
    request: Request,
    entry: &'static Entry,
    principal: Principal,
    access_key_id: String,
    authority: Authority,
    nonce: Nonce,
    now: Timestamp,
}

/// Where a call came from, as far as the transport knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// The other end of the connection.
    pub address: Option<IpAddr>,
    /// Nobody on the way could read it.
    pub secure: bool,
}

impl Api {
    /// An API over these, which limits no caller's rate.
    #[must_use]
    pub fn new(
        store: Store,
        catalogue: Arc<Catalogue>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        here: Here,
    ) -> Self {
        Self {
            store,
            catalogue,
            clock,
            entropy,
            here,
            replay: Mutex::new(ReplayCache::new(NONCES)),
            throttle: Mutex::new(Throttle::new(None, None)),
            calls: Calls::of(ops::OPERATIONS.iter().map(|entry| entry.action)),
            refusals: Arc::default(),
        }
    }

    /// The same API, with these limits on how often a caller may call.
    #[must_use]
    pub fn throttled(self, limits: &Throttling) -> Self {
        let rate = |per_second, burst| (per_second > 0).then_some(Rate { per_second, burst });
        let throttle = Throttle::new(
            rate(limits.account_per_second, limits.account_burst),
            rate(limits.operation_per_second, limits.operation_burst),
        );
        Self {
            throttle: Mutex::new(throttle),
            ..self
        }
    }

    /// How the calls so far went.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Those who were turned away before they had shown who they are, for somebody to write down.
    #[must_use]
    pub fn refusals(&self) -> Arc<Refusals> {
        Arc::clone(&self.refusals)
    }

    /// Answers one request. Never fails: what goes wrong is a fault in the form that the caller reads.
    pub async fn call(&self, raw: &RawRequest<'_>, origin: Origin) -> Reply {
        let began = Instant::now();
        let request_id = uuid_upper(&*self.entropy);
        let (format, action, result) = self.answer(raw, origin, &request_id).await;
        match result {
            Ok(reply) => {
                self.note(&request_id, action, None, began.elapsed());
                reply
            }
            Err(refused) => {
                self.refuse(raw, format, &request_id, action, &refused, began.elapsed())
            }
        }
    }

    /// Answers a request whose body is too large to be read.
    #[must_use]
    pub fn too_large(&self, raw: &RawRequest<'_>, origin: Origin) -> Reply {
        let request_id = uuid_upper(&*self.entropy);
        let limit = greenroom_rpc::encoding::MAX_BODY_BYTES;
        let fault = Fault::malformed(&format!("the body is longer than {limit} bytes"));
        let (format, refused) = (Format::of(raw), self.turn_away(origin, fault));
        self.refuse(raw, format, &request_id, UNKNOWN, &refused, Duration::ZERO)
    }

    fn refuse(
        &self,
        raw: &RawRequest<'_>,
        format: Format,
        request_id: &str,
        action: &'static str,
        refused: &Refused,
        took: Duration,
    ) -> Reply {
        let host = raw.header("host").unwrap_or_default();
        let reply = envelope::failure(format, request_id, host, &refused.fault);
        self.note(request_id, action, Some(refused), took);
        reply
    }

    async fn answer(
        &self,
        raw: &RawRequest<'_>,
        origin: Origin,
        request_id: &str,
    ) -> (Format, &'static str, Result<Reply, Refused>) {
        let request = match Request::parse(raw) {
            Ok(request) => request,
            Err(fault) => {
                let refused = self.turn_away(origin, fault);
                return (Format::of(raw), UNKNOWN, Err(refused));
            }
        };
        let format = request.format;
        let entry = match find(&request) {
            Ok(entry) => entry,
            Err(fault) => return (format, UNKNOWN, Err(self.turn_away(origin, fault))),
        };
        let result = match self
            .admit(self.store.for_call(), request, entry, origin)
            .await
        {
            Ok(call) => self.run(&call, origin, request_id).await,
            Err(error) => Err(self.turn_away(origin, error)),
        };
        (format, entry.action, result)
    }

    /// Counts a caller who is not admitted.
    fn turn_away(&self, origin: Origin, error: impl Into<ApiError>) -> Refused {
        let refused = Refused::from(error);
        // The server's own trouble is none of the caller's doing.
        if refused.fault.status < 500 {
            self.refusals.count(origin.address, &refused.fault.code);
        }
        refused
    }

    async fn admit(
        &self,
        store: Store,
        request: Request,
        entry: &'static Entry,
        origin: Origin,
    ) -> Result<Admitted, ApiError> {
        let now = self.clock.now();
        let signed = match &request.credential {
            Credential::Signed(signed) => signed,
            // Nobody here gives out bearer tokens, so that no key can be found by one.
            Credential::Bearer(_) => {
                return Err(ApiError::Gateway(Fault::access_key_not_found()));
            }
            Credential::Anonymous => {
                return Err(ApiError::Gateway(Fault::missing("AccessKeyId")));
            }
        };
        let (principal, narrowed) = Self::authenticate(&store, signed, now).await?;
        signed.check_time(now.0).map_err(ApiError::Gateway)?;
        self.replay
            .lock()
            // A cache is whole at every moment, so a panic elsewhere does not spoil it.
            .unwrap_or_else(PoisonError::into_inner)
            .admit(&signed.access_key_id, &signed.nonce, now.0)
            .map_err(ApiError::Gateway)?;
        // After the replay, so that nobody who overheard a request can use up its sender's calls with it.
        self.throttle
            .lock()
            // Its buckets are whole at every moment, too.
            .unwrap_or_else(PoisonError::into_inner)
            .admit(principal.account().as_str(), entry.action, now.0)
            .map_err(ApiError::Gateway)?;
        let (nonce, access_key_id) = (nonce(signed, now), signed.access_key_id.clone());
        let facts = Facts::of_call(now, origin.address, origin.secure);
        let authority = Authority::of(&store, &principal, narrowed.as_deref(), facts).await?;
        Ok(Admitted {
            store,
            request,
            entry,
            principal,
            access_key_id,
            authority,
            nonce,
            now,
        })
    }

    /// Who signed, and the policy that narrows an assumed role.
    async fn authenticate(
        store: &Store,
        signed: &Signed,
        now: Timestamp,
    ) -> Result<(Principal, Option<String>), ApiError> {
        if signed.access_key_id.starts_with(token::PREFIX) {
            return Self::authenticate_temporary(store, signed, now).await;
        }
        let key = store.access_key(&signed.access_key_id).await?;
        let key = key.ok_or_else(|| ApiError::Gateway(Fault::access_key_not_found()))?;
        // A token that claims to go with a permanent key belongs to something else.
        if signed.security_token.is_some() {
            return Err(ApiError::Gateway(Fault::security_token_mismatch()));
        }
        let secret =
            std::str::from_utf8(key.secret.expose()).map_err(|source| ApiError::Internal {
                step: "a secret in the database is not text",
                source: source.into(),
            })?;
        signed.verify(secret).map_err(ApiError::Gateway)?;
        if !key.active {
            return Err(ApiError::Gateway(Fault::access_key_inactive()));
        }
        let account = key.account;
        let principal = match key.user {
            None => Principal::Account(account),
            Some(user) => Principal::User(User {
                account,
                id: user.id,
                name: user.name,
            }),
        };
        Ok((principal, None))
    }

    async fn authenticate_temporary(
        store: &Store,
        signed: &Signed,
        now: Timestamp,
    ) -> Result<(Principal, Option<String>), ApiError> {
        let refuse = |fault| Err(ApiError::Gateway(fault));
        let Some(sealed) = &signed.security_token else {
            return refuse(Fault::missing("SecurityToken"));
        };
        let it =
            Temporary::open(store, sealed, &signed.access_key_id).map_err(ApiError::Gateway)?;
        signed.verify(it.secret()).map_err(ApiError::Gateway)?;
        if it.expires <= now {
            return refuse(Fault::security_token_expired());
        }
        // Clients that are told so ask for other credentials, which is what a role's end calls for.
        let Some(role) = store.assumed_ram_role(&it.account, &it.role_id).await? else {
            return refuse(Fault::security_token_expired());
        };
        if !role.account_active {
            return refuse(Fault::access_key_inactive());
        }
        let principal = Principal::Role(RoleSession {
            account: it.account,
            role_id: it.role_id,
            role: role.role.made.name,
            session: it.session,
        });
        Ok((principal, it.policy))
    }

    async fn run(
        &self,
        call: &Admitted,
        origin: Origin,
        request_id: &str,
    ) -> Result<Reply, Refused> {
        let row = audit::Call {
            at: call.now,
            principal: &call.principal,
            access_key_id: &call.access_key_id,
            origin,
            operation: call.entry,
            params: &call.request.params,
            request_id,
        };
        let recording = Recording::new(row.entry());
        let store = call.store.recording(&recording);
        let catalogue = match call.entry.looks_at_images {
            true => own::offered(&self.catalogue, &call.store, call.principal.account()).await?,
            false => Arc::clone(&self.catalogue),
        };
        let cx = CallContext {
            store: &store,
            catalogue: &catalogue,
            entropy: &*self.entropy,
            now: call.now,
            principal: &call.principal,
            authority: &call.authority,
            here: &self.here,
            nonce: &call.nonce,
        };
        tracing::debug!(request.id = %request_id, account.id = %call.principal.account(), rpc.action = call.entry.action);
        let ran = (call.entry.run)(cx, call.entry.product, &call.request, request_id).await;
        audit::settle(&self.store, &recording, ran).await
    }

    fn note(
        &self,
        request_id: &str,
        action: &'static str,
        refused: Option<&Refused>,
        took: Duration,
    ) {
        let code = refused.map_or(metrics::OK, |it| it.fault.code.as_str());
        let ms = took.as_millis();
        self.calls.note(action, code, took);
        match refused {
            Some(Refused { error, fault }) if fault.status >= 500 => {
                let error = chain(error);
                tracing::error!(request.id = %request_id, rpc.action = action, rpc.code = code, ms, error);
            }
            Some(_) => {
                tracing::info!(request.id = %request_id, rpc.action = action, rpc.code = code, ms)
            }
            // Counted in the metrics; a line for each would cost as much as looking up what is answered.
            None => {
                tracing::debug!(request.id = %request_id, rpc.action = action, rpc.code = code, ms)
            }
        }
    }
}

/// Stands for the action of a call that names none of ours: callers choose that text, and it belongs
/// neither into logs nor into metrics.
const UNKNOWN: &str = "unknown";

fn find(request: &Request) -> Result<&'static Entry, Fault> {
    if !ops::has_version(&request.version) {
        return Err(Fault::no_such_version());
    }
    ops::find(&request.version, &request.action).ok_or_else(Fault::no_such_action)
}

fn nonce(signed: &Signed, now: Timestamp) -> Nonce {
    let mut hash = Sha256::new();
    // With its length first, no key and nonce together read like another pair.
    hash.update((signed.access_key_id.len() as u64).to_le_bytes());
    hash.update(&signed.access_key_id);
    hash.update(&signed.nonce);
    Nonce {
        hash: hash.finalize().into(),
        expires: Timestamp(now.0.saturating_add(REMEMBER_MS)),
    }
}

#[cfg(test)]
mod tests;
