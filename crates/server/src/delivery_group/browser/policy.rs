//! `Policy` and `Timers` of a browser group: what its users may do, and how long what they hold stays theirs.

use super::super::SessionTimeout;
use crate::error::ApiError;
use crate::ops::fields::{INT32_MAX, List, Text, Whole};
use greenroom_model::PolicyId;
use serde::{Deserialize, Serialize};

/// `Policy`, as it is given and as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BrowserPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    app_content_protection: Option<OnOff>,
    #[serde(default, skip_serializing_if = "is_empty")]
    authorize_access_policy_rules: List<AccessRule, 100>,
    #[serde(default, skip_serializing_if = "is_empty")]
    client_types: List<Client, 16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard_policy: Option<ClipboardPolicy>,
    /// With the next: other words for the session timeout, and answered from it.
    #[serde(default, skip_serializing)]
    disconnect_keep_session: Option<KeepSession>,
    #[serde(default, skip_serializing)]
    disconnect_keep_session_time: Option<SessionTimeout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_manager: Option<OnOff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html5_file_transfer: Option<FileTransfer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_operation_disconnect: Option<OnOff>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_operation_disconnect_time: Option<Whole<0, INT32_MAX>>,
    /// Of a change: the policy that the group follows.
    #[serde(default, skip_serializing)]
    policy_id: Option<Text<64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_version: Option<PolicyVersion>,
    /// `ModifyBrowserInstanceGroup` alone has it.
    #[serde(default, skip_serializing)]
    revoke_access_policy_rules: List<AccessRule, 100>,
    #[serde(skip_serializing_if = "Option::is_none")]
    video_policy: Option<VideoPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark_policy: Option<WatermarkPolicy>,
}

fn is_empty<T, const MAX: usize>(list: &List<T, MAX>) -> bool {
    list.items().is_empty()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnOff {
    On,
    Off,
}

/// From which addresses viewers may come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessRule {
    cidr_ip: Text<64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<256>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Client {
    client_type: ClientType,
    status: OnOff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClientType {
    Windows,
    Macos,
    Html5,
    Linux,
    Android,
    Ios,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ClipboardPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard: Option<Ways>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard_read_limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard_scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard_size_unit: Option<Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard_write_limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_clipboard: Option<Ways>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_text_clipboard: Option<Ways>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_text_clipboard_limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_text_clipboard_read_limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_text_clipboard_read_size_unit: Option<Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_text_clipboard_size_unit: Option<Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_text_clipboard_write_limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_text_clipboard_write_size_unit: Option<Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_clipboard: Option<Ways>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_clipboard_read_limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_clipboard_read_size_unit: Option<Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_clipboard_write_limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_clipboard_write_size_unit: Option<Unit>,
}

type Limit = Whole<0, INT32_MAX>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ways {
    Off,
    Read,
    Write,
    ReadWrite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    Global,
    Grained,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Unit {
    B,
    #[serde(rename = "KB")]
    Kb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeepSession {
    /// For `DisconnectKeepSessionTime` minutes.
    CustomTime,
    /// For ever.
    Persistent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileTransfer {
    Off,
    Upload,
    Download,
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum PolicyVersion {
    Default,
    /// `Center` in the record of the change.
    #[serde(alias = "Center")]
    Center,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VideoPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_rate: Option<Whole<1, 60>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WatermarkPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark_switch: Option<WatermarkSwitch>,
    #[serde(default, skip_serializing_if = "is_empty")]
    watermark_types: List<WatermarkType, 3>,
}

/// In upper case in one record and in lower case in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum WatermarkSwitch {
    #[serde(alias = "on")]
    On,
    #[serde(alias = "off")]
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum WatermarkType {
    EndUserId,
    /// `InstanceGroup` in the record of the change.
    #[serde(alias = "InstanceGroup")]
    InstanceGroupId,
    ClientTime,
}

/// An element of `Timers`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Timer {
    interval: SessionTimeout,
    timer_type: TimerType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TimerType {
    SessionTimeout,
}

/// How long a hold is to outlast its viewer, as far as `Policy` and `Timers` say.
///
/// # Errors
/// They say different things, or the policy says half of one.
pub fn lasting(
    policy: Option<&BrowserPolicy>,
    timers: &List<Timer, 1>,
) -> Result<Option<SessionTimeout>, ApiError> {
    let timer = timers.items().first().map(|timer| match timer.timer_type {
        TimerType::SessionTimeout => timer.interval,
    });
    let kept = match policy {
        None => None,
        Some(policy) => policy.keeps_for()?,
    };
    match (kept, timer) {
        (Some(kept), Some(timer)) if kept != timer => Err(ApiError::Invalid("Timers")),
        (kept, timer) => Ok(kept.or(timer)),
    }
}

impl BrowserPolicy {
    fn keeps_for(&self) -> Result<Option<SessionTimeout>, ApiError> {
        match (
            self.disconnect_keep_session,
            self.disconnect_keep_session_time,
        ) {
            (Some(KeepSession::Persistent), None) => Ok(Some(SessionTimeout::NEVER)),
            (Some(KeepSession::CustomTime), time) => Ok(time),
            (None, None) => Ok(None),
            (Some(KeepSession::Persistent) | None, Some(_)) => {
                Err(ApiError::Invalid("Policy.DisconnectKeepSessionTime"))
            }
        }
    }

    /// Whether files may come from pages into the session's home.
    pub(super) fn takes_downloads(&self) -> bool {
        use FileTransfer as T;
        !matches!(self.html5_file_transfer, Some(T::Off | T::Upload))
    }

    /// Whether files of the session's home may go to pages.
    pub(super) fn takes_uploads(&self) -> bool {
        use FileTransfer as T;
        !matches!(self.html5_file_transfer, Some(T::Off | T::Download))
    }

    /// Whether there is a clipboard in any direction.
    pub(super) fn has_clipboard(&self) -> bool {
        let policy = self.clipboard_policy.as_ref();
        policy.and_then(|policy| policy.clipboard) != Some(Ways::Off)
    }

    /// The rules between its fields.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let seconds = self.no_operation_disconnect_time.map(Whole::get);
        if self.no_operation_disconnect == Some(OnOff::On) && seconds == Some(0) {
            return Err(ApiError::Invalid("Policy.NoOperationDisconnectTime"));
        }
        let is_cidr = |rule: &AccessRule| super::super::policies::is_cidr(rule.cidr_ip.as_str());
        for (rules, name) in [
            (
                &self.authorize_access_policy_rules,
                "Policy.AuthorizeAccessPolicyRules.CidrIp",
            ),
            (
                &self.revoke_access_policy_rules,
                "Policy.RevokeAccessPolicyRules.CidrIp",
            ),
        ] {
            if !rules.items().iter().all(is_cidr) {
                return Err(ApiError::Invalid(name));
            }
        }
        Ok(())
    }

    pub(super) fn check_id(&self, own: Option<&PolicyId>) -> Result<(), ApiError> {
        let own = own.map(PolicyId::as_str);
        match &self.policy_id {
            Some(asked) if Some(asked.as_str()) != own => Err(ApiError::Invalid("Policy.PolicyId")),
            _ => Ok(()),
        }
    }

    /// The policy with the access rules that a change adds and without those that it revokes.
    pub(super) fn with_rules_of(&self, given: &Self) -> Result<Self, ApiError> {
        let (added, revoked) = (
            given.authorize_access_policy_rules.items(),
            given.revoke_access_policy_rules.items(),
        );
        let named_in = |rules: &[AccessRule], rule: &AccessRule| {
            rules.iter().any(|other| other.cidr_ip == rule.cidr_ip)
        };
        let mut rules = self.authorize_access_policy_rules.items().to_vec();
        rules.retain(|rule| !named_in(revoked, rule) && !named_in(added, rule));
        rules.extend_from_slice(added);
        let too_many = ApiError::Invalid("Policy.AuthorizeAccessPolicyRules");
        Ok(Self {
            authorize_access_policy_rules: List::of(rules).ok_or(too_many)?,
            ..self.clone()
        })
    }

    /// The policy but for its access rules.
    pub(super) fn without_rules(&self) -> Self {
        Self {
            authorize_access_policy_rules: List::default(),
            ..self.clone()
        }
    }

    /// What a listing shows of it.
    pub(super) fn in_short(&self) -> Self {
        let clipboard = self.clipboard_policy.as_ref();
        Self {
            app_content_protection: self.app_content_protection,
            authorize_access_policy_rules: self.authorize_access_policy_rules.clone(),
            client_types: self.client_types.clone(),
            clipboard_policy: clipboard.map(|policy| ClipboardPolicy {
                clipboard: policy.clipboard,
                ..ClipboardPolicy::default()
            }),
            video_policy: self.video_policy.clone(),
            watermark_policy: self.watermark_policy.clone(),
            ..Self::default()
        }
    }
}
