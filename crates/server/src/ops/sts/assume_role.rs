//! `AssumeRole`: keys for a while, which may do what a role may.
//!
//! Two have to agree: the caller's policies, which the dispatcher asks, and the role's trust policy, which is
//! asked here.

use crate::access::policy::{Document, Malformed, Trust};
use crate::access::token::Temporary;
use crate::access::{Principal, unreadable};
use crate::identity::fields::{ExternalId, RoleSessionName};
use crate::identity::ids::Shown;
use crate::identity::role_arn::RoleArn;
use crate::identity::view::time;
use crate::ops::prelude::*;
use greenroom_store::{IdentityError, StoreError, Thing};
use std::time::Duration;

/// `AssumeRole`
pub struct AssumeRole;

/// The most characters of a session policy.
const MAX_POLICY: usize = 2_048;

/// The shortest and longest that any role can be assumed for, in seconds; a role may have a smaller most.
type Seconds = Whole<900, 43_200>;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_arn: RoleArn,
    role_session_name: RoleSessionName,
    #[serde(default = "an_hour")]
    duration_seconds: Seconds,
    /// Any text, so that an empty one is no policy, and not a policy left out: whoever sends it meant to
    /// narrow the role.
    policy: Option<String>,
    external_id: Option<ExternalId>,
    /// Nothing records who is behind a session, so nobody may rely on it.
    source_identity: Option<Text<64>>,
}

const fn an_hour() -> Seconds {
    Seconds::of(3_600)
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    assumed_role_user: AssumedRoleUser,
    credentials: Credentials,
}

/// Who the caller is with these credentials.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    access_key_secret: Shown,
    security_token: Shown,
    expiration: String,
}

impl Operation for AssumeRole {
    const ACTION: &'static str = "AssumeRole";
    type Request = Request;
    type Response = Response;

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.source_identity.is_some() {
            return Err(ApiError::Invalid("SourceIdentity"));
        }
        match &req.policy {
            Some(policy) if policy.chars().count() > MAX_POLICY => Err(ApiError::PolicySize),
            Some(policy) => match Document::read(policy) {
                Ok(_) => Ok(()),
                Err(Malformed::TooLong) => Err(ApiError::PolicySize),
                Err(Malformed::Grammar(_)) => Err(ApiError::PolicyGrammar),
            },
            None => Ok(()),
        }
    }

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(_: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![req.role_arn.to_string()]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        if let Principal::Account(_) = cx.principal {
            return Err(ApiError::RootMayNotAssume);
        }
        let (owner, name) = (&req.role_arn.account, req.role_arn.name.as_str());
        let found = cx.store.ram_role_to_assume(owner, name).await?;
        let missing = || StoreError::from(IdentityError::Missing(Thing::Role)).into();
        let found = found.filter(|found| found.account_active);
        let role = found.ok_or_else(missing)?.role.made;
        let trust = Trust::read(&role.trust_policy).map_err(unreadable)?;
        let external_id = req.external_id.map(String::from);
        if let Err(denial) = cx.authority.decide_trust(cx.principal, &trust, external_id) {
            // Which roles another account has is known to those only who may assume them.
            let is_own = owner == cx.account();
            return Err(if is_own { denial.into() } else { missing() });
        }
        if req.duration_seconds.as_u32() > role.max_session_seconds {
            return Err(ApiError::Invalid("DurationSeconds"));
        }
        let session = String::from(req.role_session_name);
        let lasts = Duration::from_secs(req.duration_seconds.as_u32().into());
        let assumed_role_user = AssumedRoleUser {
            arn: format!("{}/{session}", req.role_arn),
            assumed_role_id: format!("{}:{session}", role.id),
        };
        let given = Temporary::new(
            owner.clone(),
            role.id,
            session,
            req.policy,
            cx.now.after(lasts),
            cx.entropy,
        );
        cx.store.tells("AccessKeyId", &given.access_key_id);
        cx.store.spend_nonce(cx.nonce.clone()).await?;
        Ok(Response {
            assumed_role_user,
            credentials: Credentials {
                access_key_id: given.access_key_id.clone(),
                access_key_secret: Shown::new(given.secret().to_owned()),
                security_token: Shown::new(given.seal(cx.store)?),
                expiration: time(given.expires),
            },
        })
    }
}

#[cfg(test)]
mod tests;
