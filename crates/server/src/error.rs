//! From what went wrong to the fault that the caller sees: the only file that knows an operation's codes.
//!
//! The codes are the recorded ones; where nothing is recorded they follow the gateway's patterns. A caller
//! who may not know that a thing exists gets the same fault as if it did not.

use crate::access::policy::Malformed;
use crate::access::{Denial, Denied};
use greenroom_model::ServerId;
use greenroom_rpc::{Fault, ParamError};
use greenroom_store::{IdentityError, ImageRefusal, StoreError, Thing};
use std::error::Error;

/// The most characters that are told of what is wrong with a document.
const MAX_DETAIL: usize = 300;

/// Why an operation did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The gateway refuses the call before any operation sees it.
    #[error("refused by the gateway: {0}")]
    Gateway(Fault),
    /// A parameter does not fit its type.
    #[error("a parameter does not fit")]
    Param(#[from] ParamError),
    /// A parameter is missing that the others make mandatory.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A parameter does not fit the others, or names what does not exist.
    #[error("{0} is invalid")]
    Invalid(&'static str),
    /// No such delivery group, or not this account's, or of another product type.
    #[error("no such delivery group")]
    GroupNotFound,
    /// The same, in the words that `DeleteAppInstanceGroup` records.
    #[error("no such delivery group to delete")]
    GroupItemNotFound,
    /// The same for a browser group, in the words that `DeleteAppInstanceGroup` records.
    #[error("no such browser group")]
    BrowserGroupNotFound,
    /// A group and a set of groups are named, or neither.
    #[error("not one of a group and a set of groups")]
    GroupXorSet,
    /// A product type that nobody has, in the words that `ListAuthorizedUsers` records.
    #[error("not a product type")]
    NoSuchProduct,
    /// No such set of delivery groups: there are none.
    #[error("no such set of delivery groups")]
    GroupSetNotFound,
    /// No such persistent session, or not this account's.
    #[error("no such session")]
    SessionNotFound,
    /// A session that is being deleted takes no other wish.
    #[error("the session is being deleted")]
    SessionEnding,
    /// Nothing of the session runs.
    #[error("the session does not run")]
    SessionNotRunning,
    /// The session lives on the server of this id, which alone can ask it.
    #[error("the session lives on server {0}")]
    SessionElsewhere(ServerId),
    /// What holds the session is of a version that cannot do this yet.
    #[error("the session's holder is too old")]
    HolderTooOld,
    /// What holds the session does not answer, or cannot.
    #[error("the session's holder gives no answer: {0}")]
    HolderUnable(String),
    /// No such window of the session, or none that has the focus.
    #[error("no such window")]
    WindowNotFound,
    /// No such server, or it is forgotten already.
    #[error("no such server")]
    ServerNotFound,
    /// A server that is not taken for lost.
    #[error("the server is not lost")]
    ServerActive,
    /// Only an app instance that is free can be deleted.
    #[error("the app instance is in use")]
    InstanceInUse,
    /// An app instance whose persistent session is somebody's stays.
    #[error("the session of the app instance is granted to somebody")]
    InstanceGranted,
    /// An app instance stays because another one of the same call does.
    #[error("another app instance of the call cannot be deleted")]
    InstanceHeldBack,
    /// No such app in the group's image.
    #[error("no such app")]
    AppNotFound,
    /// No such user, as far as the account ever named one.
    #[error("no such user")]
    UserNotFound,
    /// Another type of resource than the one that has tags.
    #[error("not a type of resource with tags")]
    ResourceTypeInvalid,
    /// Neither resources nor conditions on their tags are given.
    #[error("neither resources nor tags")]
    NeitherResourceNorTag,
    /// Two tags of one key.
    #[error("a tag is there twice")]
    TagTwice,
    /// A resource would have more tags than it may.
    #[error("too many tags")]
    TooManyTags,
    /// No such tag of the service's own to be set.
    #[error("no such system tag")]
    SystemTagUnknown,
    /// No such tag of the service's own to be taken away.
    #[error("no such system tag to take away")]
    SystemTagForbidden,
    /// A key that no tag may have.
    #[error("a tag key is invalid")]
    TagKeyInvalid,
    /// A value that no tag may have.
    #[error("a tag value is invalid")]
    TagValueInvalid,
    /// A PrePaid group whose period is not over.
    #[error("the group is paid for until a later time")]
    NotExpired,
    /// Only a group that is paid for a period can have that, and this one is paid by use.
    #[error("the group is paid by use")]
    NotPrePaid,
    /// Only a group that is published can have that.
    #[error("the group is not published")]
    NotPublished,
    /// A number of nodes that must grow and would not.
    #[error("not more nodes than there are")]
    NotMoreNodes,
    /// No runtime for it, or no room.
    #[error("nothing in stock")]
    NoStock,
    /// What the rules of images forbid.
    #[error(transparent)]
    Image(#[from] ImageRefusal),
    /// A session whose image has no files of its own, or lies upon too many others.
    #[error("no image can be made of sessions of that image")]
    ImageUnsupported,
    /// An image of the installation's.
    #[error("the image is not the account's own")]
    ImageNotOwn,
    /// A group that is not in debug mode.
    #[error("the group is not in debug mode")]
    NotDebugged,
    /// A group that has another number of sessions than one.
    #[error("the group does not have one session")]
    NotOneSession,
    /// What should be a policy is none.
    #[error("a policy document is malformed")]
    MalformedPolicy(#[from] Malformed),
    /// The caller, or the user the call is about, may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The caller's policies do not let it.
    #[error(transparent)]
    NoPermission(#[from] Box<Denial>),
    /// An account's own key is no user's, and roles are for users.
    #[error("an account itself assumes no roles")]
    RootMayNotAssume,
    /// The policy of a session is longer than any may be.
    #[error("the session policy is too long")]
    PolicySize,
    /// The policy of a session is none.
    #[error("the session policy cannot be read")]
    PolicyGrammar,
    /// The database failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Something that must not happen.
    #[error("{step}")]
    Internal {
        /// What was being done.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ApiError {
    /// Of work on a group that was the caller's a moment ago: if it is gone meanwhile, it looks as if it had never been.
    #[must_use]
    pub fn of_group(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::GroupNotFound,
            other => other.into(),
        }
    }
}

/// A call that is refused: why, and the fault that its caller sees.
#[derive(Debug)]
pub struct Refused {
    /// Why, for the log.
    pub error: ApiError,
    /// What is answered.
    pub fault: Fault,
}

impl<E: Into<ApiError>> From<E> for Refused {
    fn from(error: E) -> Self {
        let error = error.into();
        let fault = Fault::from(&error);
        Self { error, fault }
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self::Gateway(fault)
    }
}

impl From<Denial> for ApiError {
    fn from(denial: Denial) -> Self {
        Self::NoPermission(Box::new(denial))
    }
}

impl From<&ApiError> for Fault {
    fn from(error: &ApiError) -> Self {
        // No wildcard: a new variant must choose.
        match error {
            ApiError::Gateway(fault) => fault.clone(),
            ApiError::Param(error) => error.into(),
            ApiError::Missing(name) => Self::missing(name),
            ApiError::Invalid(name) => Self::invalid_parameter(name),
            ApiError::GroupNotFound => Self::new(
                400,
                "InvalidAppInstanceGroup.NotFound",
                "The app instance group is not found.",
            ),
            ApiError::GroupItemNotFound => Self::new(
                400,
                "InvalidAppInstanceGroupSpecItem.NotFound",
                "The app instance group spec item is not found.",
            ),
            ApiError::BrowserGroupNotFound => Self::new(
                400,
                "InvalidBrowserInstanceGroup.NotFound",
                "The browser instance group is not found.",
            ),
            ApiError::GroupXorSet => Self::new(
                400,
                "InvalidParameter.AppInstanceGroupId/AppInstanceGroupSetId",
                "Specify either AppInstanceGroupId or AppInstanceGroupSetId.",
            ),
            ApiError::NoSuchProduct => Self::new(
                400,
                "ProductTypeInvalid",
                "The specified product type is invalid.",
            ),
            ApiError::GroupSetNotFound => Self::new(
                400,
                "InvalidAppInstanceGroupSet.NotFound",
                "The app instance group set is not found.",
            ),
            ApiError::SessionNotFound => Self::new(
                400,
                "InvalidAppInstancePersistentId.NotFound",
                "The persistent session is not found.",
            ),
            ApiError::SessionEnding => Self::new(
                400,
                "OperationDenied.Deleting",
                "The persistent session is deleted or is being deleted.",
            ),
            ApiError::SessionNotRunning => Self::new(
                400,
                "OperationDenied.Status",
                "The persistent session is not running.",
            ),
            ApiError::SessionElsewhere(server) => Self::new(
                400,
                "OperationDenied.OtherServer",
                format!("The persistent session lives on server {server}. Ask that server."),
            ),
            ApiError::HolderTooOld => Self::new(
                400,
                "OperationDenied.Version",
                "The persistent session was started by an earlier version, which cannot do this. Restart the session.",
            ),
            ApiError::HolderUnable(_) => Self::unavailable(),
            ApiError::WindowNotFound => Self::new(
                400,
                "InvalidWindowId.NotFound",
                "The window is not found, or none has the focus.",
            ),
            ApiError::ServerNotFound => {
                Self::new(400, "InvalidServerId.NotFound", "The server is not found.")
            }
            ApiError::ServerActive => Self::new(
                400,
                "OperationDenied.ServerActive",
                "The server was seen a moment ago. Only one that is lost can be forgotten.",
            ),
            ApiError::InstanceInUse => Self::new(
                400,
                "OperationDenied.Status",
                "The app instance is in use, or not in the INIT or IDLE state.",
            ),
            ApiError::InstanceGranted => Self::new(
                400,
                "OperationDenied.Authorized",
                "The persistent session of the app instance is authorized to users.",
            ),
            ApiError::InstanceHeldBack => Self::new(
                400,
                "OperationDenied.Incomplete",
                "Another app instance of the request cannot be deleted, so that none was.",
            ),
            ApiError::AppNotFound => {
                Self::new(400, "InvalidAppId.NotFound", "The app is not found.")
            }
            ApiError::UserNotFound => Self::new(400, "User.NotFound", "The user is not found."),
            ApiError::ResourceTypeInvalid => Self::new(
                400,
                "InvalidResourceType.Invalid",
                "The specified resource type is invalid.",
            ),
            ApiError::NeitherResourceNorTag => Self::new(
                400,
                "MissingParameter.ResourceIdsOrTags",
                "Specify ResourceId or Tag.",
            ),
            ApiError::TagTwice => {
                Self::new(400, "InvalidTag.Duplicated", "Duplicate tag keys exist.")
            }
            ApiError::TooManyTags => Self::new(
                400,
                "ResourceTag.CustomTagCountExceed",
                "A resource has at most 20 custom tags.",
            ),
            ApiError::SystemTagUnknown => Self::new(
                400,
                "InvalidTag.SystemTagKeyInvalid",
                "The system tag key is invalid.",
            ),
            ApiError::SystemTagForbidden => Self::new(
                400,
                "InvalidTag.SystemKeyNotAllow",
                "The system tag key is not allowed.",
            ),
            ApiError::TagKeyInvalid => Self::new(
                400,
                "InvalidTagPolicy.KeyInvalid",
                "The tag key is invalid.",
            ),
            ApiError::TagValueInvalid => Self::new(
                400,
                "InvalidTagPolicy.ValueInvalid",
                "The tag value is invalid.",
            ),
            ApiError::NotExpired => Self::new(
                400,
                "OperationDenied.NotExpired",
                "The app instance group is paid for a period that has not ended.",
            ),
            ApiError::NotPrePaid => Self::new(
                400,
                "OperationDenied.ChargeType",
                "The app instance group is not paid for a period (PrePaid).",
            ),
            ApiError::NotPublished => Self::new(
                400,
                "OperationDenied.Status",
                "The app instance group is not in the PUBLISHED state.",
            ),
            ApiError::NotMoreNodes => Self::new(
                400,
                "InvalidAmount.UnIncrease",
                "The number of nodes must exceed the current one.",
            ),
            ApiError::NoStock => Self::new(
                400,
                "StockError.NoStock",
                "The selected specification is out of stock. Please try again later or select other specifications.",
            ),
            ApiError::Image(refusal) => image_fault(*refusal),
            ApiError::ImageUnsupported => Self::new(
                400,
                "Instance.ImageUnsupported",
                "A non-centralized image does not support this type of operation.",
            ),
            ApiError::ImageNotOwn => Self::new(
                400,
                "ImageDeleteFailed.NotAllow",
                "The image is not allowed to be deleted: it is the system's.",
            ),
            ApiError::NotDebugged => Self::new(
                400,
                "OperationDenied.DebugMode",
                "The RuntimePolicy.DebugMode of the app instance group is not ON.",
            ),
            ApiError::NotOneSession => Self::new(
                400,
                "OperationDenied.SessionCount",
                "The app instance group must have exactly one session, to make an image of.",
            ),
            ApiError::MalformedPolicy(why) => Self::new(
                400,
                "MalformedPolicyDocument",
                // It may quote the document at length.
                why.to_string().chars().take(MAX_DETAIL).collect::<String>(),
            ),
            ApiError::Denied(_) => Self::no_permission(),
            ApiError::NoPermission(denial) => {
                Self::no_permission().access_denied_detail(denial.detail())
            }
            ApiError::RootMayNotAssume => Self::new(
                403,
                "NoPermission",
                "Roles may not be assumed by root accounts.",
            ),
            ApiError::PolicySize => Self::new(
                400,
                "InvalidParameter.PolicySize",
                "The parameter Policy is longer than 2048 characters.",
            ),
            ApiError::PolicyGrammar => Self::new(
                400,
                "InvalidParameter.PolicyGrammar",
                "The parameter Policy has not passed grammar check.",
            ),
            ApiError::Store(error) => store_fault(error),
            ApiError::Internal { .. } => Self::internal(),
        }
    }
}

fn store_fault(error: &StoreError) -> Fault {
    match error {
        StoreError::NonceReplayed => Fault::nonce_used(),
        StoreError::NoRoom => Fault::from(&ApiError::NoStock),
        StoreError::Identity(error) => identity_fault(*error),
        StoreError::Image(refusal) => image_fault(*refusal),
        StoreError::NotAFile => Fault::new(
            400,
            "OperationDenied.DatabaseType",
            "The database is PostgreSQL: back it up with pg_dump.",
        ),
        StoreError::Busy | StoreError::Unavailable { .. } | StoreError::Conflict(_) => {
            Fault::unavailable()
        }
        // An operation that lets these through did not look before it wrote.
        StoreError::NotFound(_)
        | StoreError::SchemaTooNew { .. }
        | StoreError::WrongSealingKey
        | StoreError::Fenced
        | StoreError::ServerForgotten
        | StoreError::Corrupt(_)
        | StoreError::Refused { .. } => Fault::internal(),
    }
}

/// The recorded codes of images.
fn image_fault(refusal: ImageRefusal) -> Fault {
    let (code, text) = match refusal {
        ImageRefusal::NotFound => ("Image.NotExist", "The image does not exist."),
        ImageRefusal::NotAvailable => {
            return Fault::invalid_parameter("AppCenterImageId");
        }
        ImageRefusal::Creating => (
            "InvalidImageOperation.ImageIsCreating",
            "Failed to operation the image, it is creating.",
        ),
        ImageRefusal::InUse => (
            "ImageDeleteFailed.NotAllow",
            "The image is not allowed to be deleted: a delivery group or another image uses it.",
        ),
        ImageRefusal::NoSession => ("Instance.NotFound", "The instance is not found."),
        ImageRefusal::NotBegun => (
            "Instance.PhysicalNodeNotExist",
            "The instance physical node does not exist: the session has not been started with its image.",
        ),
        ImageRefusal::TaskExists => (
            "ImageCreateByInstance.TaskExist",
            "The image task of instance creation already exists.",
        ),
        ImageRefusal::TooMany => (
            "ExceedBuilderQuota",
            "The maximum number of images is reached.",
        ),
    };
    Fault::new(400, code, text)
}

/// The codes of RAM: what is wrong, then with what.
fn identity_fault(error: IdentityError) -> Fault {
    let (status, what, thing, text) = match error {
        IdentityError::Missing(thing) => (404, "EntityNotExist", thing, "does not exist."),
        IdentityError::Exists(thing) => (409, "EntityAlreadyExists", thing, "already exists."),
        IdentityError::Held(thing) => (409, "DeleteConflict", thing, "must be removed first."),
        IdentityError::Full(thing) => (409, "LimitExceeded", thing, "has reached its limit."),
    };
    let thing = match thing {
        Thing::User => "User",
        Thing::UserAccessKey => "User.AccessKey",
        Thing::UserGroup => "User.Group",
        Thing::UserPolicy => "User.Policy",
        Thing::Group => "Group",
        Thing::GroupUser => "Group.User",
        Thing::GroupPolicy => "Group.Policy",
        Thing::Role => "Role",
        Thing::RolePolicy => "Role.Policy",
        Thing::Policy => "Policy",
        Thing::PolicyUser => "Policy.User",
        Thing::PolicyGroup => "Policy.Group",
        Thing::PolicyRole => "Policy.Role",
        Thing::PolicyVersion => "Policy.Version",
        Thing::PolicyVersionDefault => "Policy.Version.Default",
    };
    Fault::new(
        status,
        format!("{what}.{thing}"),
        format!("The {thing} {text}"),
    )
}

/// The error and its causes in one line, for the log.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_the_recorded_code() {
        let busy = || StoreError::Unavailable {
            step: "testing",
            source: "disk full".into(),
        };
        for (error, status, code) in [
            (ApiError::Missing("ProductType"), 400, "MissingProductType"),
            (
                ApiError::Invalid("PageSize"),
                400,
                "InvalidParameter.PageSize",
            ),
            (
                ApiError::GroupNotFound,
                400,
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                ApiError::GroupItemNotFound,
                400,
                "InvalidAppInstanceGroupSpecItem.NotFound",
            ),
            (
                ApiError::BrowserGroupNotFound,
                400,
                "InvalidBrowserInstanceGroup.NotFound",
            ),
            (
                ApiError::GroupXorSet,
                400,
                "InvalidParameter.AppInstanceGroupId/AppInstanceGroupSetId",
            ),
            (ApiError::NoSuchProduct, 400, "ProductTypeInvalid"),
            (
                ApiError::GroupSetNotFound,
                400,
                "InvalidAppInstanceGroupSet.NotFound",
            ),
            (
                ApiError::SessionNotFound,
                400,
                "InvalidAppInstancePersistentId.NotFound",
            ),
            (ApiError::SessionEnding, 400, "OperationDenied.Deleting"),
            (ApiError::SessionNotRunning, 400, "OperationDenied.Status"),
            (
                ApiError::SessionElsewhere(ServerId::parse("srv-other").unwrap()),
                400,
                "OperationDenied.OtherServer",
            ),
            (ApiError::HolderTooOld, 400, "OperationDenied.Version"),
            (
                ApiError::HolderUnable("no memory".into()),
                503,
                "ServiceUnavailable",
            ),
            (ApiError::WindowNotFound, 400, "InvalidWindowId.NotFound"),
            (ApiError::InstanceInUse, 400, "OperationDenied.Status"),
            (ApiError::InstanceGranted, 400, "OperationDenied.Authorized"),
            (
                ApiError::InstanceHeldBack,
                400,
                "OperationDenied.Incomplete",
            ),
            (ApiError::AppNotFound, 400, "InvalidAppId.NotFound"),
            (ApiError::UserNotFound, 400, "User.NotFound"),
            (
                ApiError::ResourceTypeInvalid,
                400,
                "InvalidResourceType.Invalid",
            ),
            (
                ApiError::NeitherResourceNorTag,
                400,
                "MissingParameter.ResourceIdsOrTags",
            ),
            (ApiError::TagTwice, 400, "InvalidTag.Duplicated"),
            (
                ApiError::TooManyTags,
                400,
                "ResourceTag.CustomTagCountExceed",
            ),
            (
                ApiError::SystemTagUnknown,
                400,
                "InvalidTag.SystemTagKeyInvalid",
            ),
            (
                ApiError::SystemTagForbidden,
                400,
                "InvalidTag.SystemKeyNotAllow",
            ),
            (ApiError::TagKeyInvalid, 400, "InvalidTagPolicy.KeyInvalid"),
            (
                ApiError::TagValueInvalid,
                400,
                "InvalidTagPolicy.ValueInvalid",
            ),
            (ApiError::NotExpired, 400, "OperationDenied.NotExpired"),
            (ApiError::NotPrePaid, 400, "OperationDenied.ChargeType"),
            (ApiError::NotPublished, 400, "OperationDenied.Status"),
            (ApiError::NotMoreNodes, 400, "InvalidAmount.UnIncrease"),
            (ApiError::NoStock, 400, "StockError.NoStock"),
            (
                ApiError::Image(ImageRefusal::NoSession),
                400,
                "Instance.NotFound",
            ),
            (ApiError::ImageUnsupported, 400, "Instance.ImageUnsupported"),
            (ApiError::ImageNotOwn, 400, "ImageDeleteFailed.NotAllow"),
            (ApiError::NotDebugged, 400, "OperationDenied.DebugMode"),
            (ApiError::NotOneSession, 400, "OperationDenied.SessionCount"),
            (
                ApiError::from(Malformed::TooLong),
                400,
                "MalformedPolicyDocument",
            ),
            (ApiError::Denied(Denied), 403, "NoPermission"),
            (ApiError::RootMayNotAssume, 403, "NoPermission"),
            (ApiError::PolicySize, 400, "InvalidParameter.PolicySize"),
            (
                ApiError::PolicyGrammar,
                400,
                "InvalidParameter.PolicyGrammar",
            ),
            (StoreError::NoRoom.into(), 400, "StockError.NoStock"),
            (
                StoreError::NotAFile.into(),
                400,
                "OperationDenied.DatabaseType",
            ),
            (StoreError::NonceReplayed.into(), 400, "SignatureNonceUsed"),
            (
                StoreError::from(ImageRefusal::NotFound).into(),
                400,
                "Image.NotExist",
            ),
            (
                StoreError::from(ImageRefusal::NotAvailable).into(),
                400,
                "InvalidParameter.AppCenterImageId",
            ),
            (
                StoreError::from(ImageRefusal::InUse).into(),
                400,
                "ImageDeleteFailed.NotAllow",
            ),
            (
                StoreError::from(ImageRefusal::TooMany).into(),
                400,
                "ExceedBuilderQuota",
            ),
            (StoreError::Busy.into(), 503, "ServiceUnavailable"),
            (busy().into(), 503, "ServiceUnavailable"),
            (StoreError::Corrupt("x".into()).into(), 500, "InternalError"),
            (
                StoreError::from(IdentityError::Held(Thing::UserAccessKey)).into(),
                409,
                "DeleteConflict.User.AccessKey",
            ),
            (
                StoreError::from(IdentityError::Missing(Thing::PolicyVersion)).into(),
                404,
                "EntityNotExist.Policy.Version",
            ),
        ] {
            let fault = Fault::from(&error);
            assert_eq!(
                (fault.status, fault.code.as_str()),
                (status, code),
                "{error}"
            );
            assert_eq!(fault.retry_after_ms, None, "only throttling says when");
        }
    }

    #[test]
    fn what_went_wrong_inside_is_for_the_log_only() {
        let error = ApiError::from(StoreError::Unavailable {
            step: "writing",
            source: "/var/lib/secret is full".into(),
        });
        assert!(!Fault::from(&error).message.contains("/var/lib"));
        assert!(chain(&error).contains("/var/lib/secret is full"));
    }
}
