//! What the policies of a caller let it do.

use super::policy::{Document, Facts, Malformed, Question, Trust, Verdict};
use super::{Access, Principal, system_policy};
use crate::error::ApiError;
use greenroom_rpc::Fault;
use greenroom_store::{Permissions, PolicyKind, Store};
use serde_json::{Value, json};

/// What decides about one call of a caller.
#[derive(Debug, Clone)]
pub struct Authority {
    identity: Vec<Document>,
    session: Option<Document>,
    facts: Facts,
}

/// The caller's policies do not let it do this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} is not allowed by {policy}")]
pub struct Denial {
    action: String,
    kind: &'static str,
    owner: String,
    name: String,
    verdict: Verdict,
    policy: &'static str,
}

/// Policies of users, groups and roles; there are no resource groups here.
const IDENTITY: &str = "AccountLevelIdentityBasedPolicy";
const SESSION: &str = "SessionPolicy";
/// The policy of a role that says who may assume it.
const TRUST: &str = "AssumeRolePolicy";

impl Authority {
    /// The authority of a caller, by what the database says now; `session` is what narrows an assumed role.
    ///
    /// # Errors
    /// The user or role is gone, a policy cannot be read, or the database failed.
    pub async fn of(
        store: &Store,
        principal: &Principal,
        session: Option<&str>,
        facts: Facts,
    ) -> Result<Self, ApiError> {
        let found = match principal {
            Principal::Account(_) => None,
            Principal::User(user) => {
                let found = store.ram_user_permissions(&user.account, &user.id).await?;
                Some(found.ok_or_else(|| ApiError::Gateway(Fault::access_key_not_found()))?)
            }
            Principal::Role(it) => {
                let found = store.ram_role_permissions(&it.account, &it.role_id).await?;
                Some(found.ok_or_else(|| ApiError::Gateway(Fault::security_token_expired()))?)
            }
        };
        Ok(Self {
            identity: found
                .map_or(Ok(Vec::new()), |found| documents(&found))
                .map_err(unreadable)?,
            session: session
                .map(Document::read)
                .transpose()
                .map_err(unreadable)?,
            facts,
        })
    }

    /// Whether `principal`, whose authority this is, may do `action` to `resource`.
    ///
    /// # Errors
    /// It may not.
    pub fn decide(
        &self,
        principal: &Principal,
        access: Access,
        action: &str,
        resource: &str,
    ) -> Result<(), Denial> {
        // No wildcard: a new kind of principal or access has to be decided about.
        match (principal, access) {
            (_, Access::Anyone) => return Ok(()),
            (Principal::Account(_), Access::Read | Access::Write) => return Ok(()),
            (Principal::User(_) | Principal::Role(_), Access::Read | Access::Write) => {}
        }
        let question = Question {
            action,
            resource,
            facts: &self.facts,
        };
        let layers = [
            self.session
                .as_ref()
                .map(|session| (SESSION, Verdict::of([session], &question))),
            Some((IDENTITY, Verdict::of(&self.identity, &question))),
        ];
        for (policy, verdict) in layers.into_iter().flatten() {
            Denial::unless_allowed(verdict, principal, action, policy)?;
        }
        Ok(())
    }

    /// Whether a role with this trust policy can be assumed by `principal`, whose authority this is. What its
    /// own policies say of that is another question.
    ///
    /// # Errors
    /// The role does not trust it.
    pub fn decide_trust(
        &self,
        principal: &Principal,
        trust: &Trust,
        external_id: Option<String>,
    ) -> Result<(), Denial> {
        let facts = match external_id {
            Some(id) => self.facts.clone().with("sts:ExternalId", id),
            None => self.facts.clone(),
        };
        let verdict = trust.verdict(&principal.trusted_as(), &facts);
        Denial::unless_allowed(verdict, principal, "sts:AssumeRole", TRUST)
    }
}

fn documents(found: &Permissions) -> Result<Vec<Document>, Malformed> {
    let text = |(name, custom): &'_ (greenroom_store::PolicyName, Option<String>)| match name.kind {
        PolicyKind::Custom => custom.clone(),
        // One that only a later build knows lets nobody do anything here.
        PolicyKind::System => system_policy(&name.name).map(|policy| policy.document.to_owned()),
    };
    let texts = found.policies.iter().filter_map(text);
    texts.map(|text| Document::read(&text)).collect()
}

/// Policies are read before they are kept. One that cannot be read is no reason to go on without what it denies.
pub fn unreadable(source: Malformed) -> ApiError {
    ApiError::Internal {
        step: "a policy in the database cannot be read",
        source: source.into(),
    }
}

impl Denial {
    fn unless_allowed(
        verdict: Verdict,
        principal: &Principal,
        action: &str,
        policy: &'static str,
    ) -> Result<(), Self> {
        if verdict == Verdict::Allowed {
            return Ok(());
        }
        Err(Self {
            action: action.to_owned(),
            kind: principal.kind(),
            owner: principal.account().to_string(),
            name: principal.denied_name(),
            verdict,
            policy,
        })
    }

    /// The vendor's `AccessDeniedDetail`. Without `EncodedDiagnosticMessage`: there is no operation to decode it.
    #[must_use]
    pub fn detail(&self) -> Value {
        let explicit = self.verdict == Verdict::Denied;
        json!({
            "AuthAction": self.action,
            "AuthPrincipalType": self.kind,
            "AuthPrincipalOwnerId": self.owner,
            "AuthPrincipalDisplayName": self.name,
            "NoPermissionType": if explicit { "ExplicitDeny" } else { "ImplicitDeny" },
            "PolicyType": self.policy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RoleSession, User};
    use super::*;
    use greenroom_model::{AccountId, Timestamp};

    const ALL: &str =
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    const NO_RAM: &str =
        r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"ram:*","Resource":"*"}]}"#;
    const LIST: &str =
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:List*","Resource":"*"}]}"#;

    fn authority(identity: &[&str], session: Option<&str>) -> Authority {
        Authority {
            identity: identity
                .iter()
                .map(|text| Document::read(text).unwrap())
                .collect(),
            session: session.map(|text| Document::read(text).unwrap()),
            facts: Facts::of_call(Timestamp(0), None, false),
        }
    }

    fn account() -> AccountId {
        AccountId::parse("1234567890123456").unwrap()
    }

    fn user() -> Principal {
        Principal::User(User {
            account: account(),
            id: "2001".into(),
            name: "alice".into(),
        })
    }

    fn role() -> Principal {
        let (role, session) = ("admin".into(), "at-noon".into());
        Principal::Role(RoleSession {
            account: account(),
            role_id: "3001".into(),
            role,
            session,
        })
    }

    #[test]
    fn a_denial_says_who_may_not_what_and_why() {
        let ask = |authority: Authority, principal: &Principal, action: &str| {
            let decided = authority.decide(principal, Access::Read, action, "*");
            decided.map_err(|denial| {
                let detail = denial.detail();
                let word = |name: &str| detail[name].as_str().unwrap().to_owned();
                (word("NoPermissionType"), word("PolicyType"))
            })
        };
        let no = |kind: &str, policy: &str| Err((kind.to_owned(), policy.to_owned()));
        let account = Principal::Account(account());
        for (authority, principal, action, expected) in [
            (authority(&[], None), &account, "ram:GetUser", Ok(())),
            (
                authority(&[], None),
                &user(),
                "ram:GetUser",
                no("ImplicitDeny", IDENTITY),
            ),
            (authority(&[LIST], None), &user(), "ram:ListUsers", Ok(())),
            (
                authority(&[ALL, NO_RAM], None),
                &user(),
                "ram:GetUser",
                no("ExplicitDeny", IDENTITY),
            ),
            (
                authority(&[ALL], Some(LIST)),
                &role(),
                "ram:ListUsers",
                Ok(()),
            ),
            (
                authority(&[ALL], Some(LIST)),
                &role(),
                "ram:GetUser",
                no("ImplicitDeny", SESSION),
            ),
            (
                authority(&[ALL], Some(NO_RAM)),
                &role(),
                "ram:GetUser",
                no("ExplicitDeny", SESSION),
            ),
            // A session policy only narrows.
            (
                authority(&[], Some(ALL)),
                &role(),
                "ram:GetUser",
                no("ImplicitDeny", IDENTITY),
            ),
            (
                authority(&[NO_RAM], Some(ALL)),
                &role(),
                "ram:GetUser",
                no("ExplicitDeny", IDENTITY),
            ),
        ] {
            assert_eq!(
                ask(authority, principal, action),
                expected,
                "{principal:?} {action}"
            );
        }
        let denial = authority(&[], None).decide(&role(), Access::Write, "ram:CreateUser", "*");
        assert_eq!(
            denial.unwrap_err().detail(),
            json!({
                "AuthAction": "ram:CreateUser",
                "AuthPrincipalType": "AssumedRoleUser",
                "AuthPrincipalOwnerId": "1234567890123456",
                "AuthPrincipalDisplayName": "admin:at-noon",
                "NoPermissionType": "ImplicitDeny",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
            })
        );
    }

    #[test]
    fn what_anyone_may_needs_no_policy() {
        assert!(
            authority(&[NO_RAM], None)
                .decide(&user(), Access::Anyone, "ram:x", "*")
                .is_ok()
        );
    }

    #[test]
    fn a_caller_is_trusted_as_itself_and_as_its_account() {
        assert_eq!(
            user().trusted_as(),
            [
                "acs:ram::1234567890123456:root",
                "acs:ram::1234567890123456:user/alice"
            ]
        );
        assert_eq!(
            role().trusted_as()[1],
            "acs:ram::1234567890123456:role/admin"
        );
        assert_eq!(
            role().arn(),
            "acs:ram::1234567890123456:assumed-role/admin/at-noon"
        );
    }
}
