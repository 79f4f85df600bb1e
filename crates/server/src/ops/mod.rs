//! The operations, one file each, and the one list from which routing, the support matrix, the table of
//! accesses and the tests over all operations come.

pub mod fields;
mod imaging;
mod listed_groups;
mod operation;
mod paging;
mod product;
mod published;
mod tagging;

pub use operation::{CallContext, Entry, Operation, Ran};
pub use product::ApiProduct;
pub use tagging::ShownTag;

/// What every operation's file uses.
mod prelude {
    pub(super) use super::fields::*;
    pub(super) use super::operation::{CallContext, Operation};
    pub(super) use super::paging::page_of;
    pub(super) use crate::access::{Access, Denied};
    pub(super) use crate::error::ApiError;
    pub(super) use greenroom_model::*;
    pub(super) use serde::{Deserialize, Serialize};
}

/// Declares each operation's module and puts it on the list. Those of the first product stand alone, in this
/// folder; those of another follow its name, and lie in a folder of their own.
macro_rules! operations {
    (
        $($module:ident :: $operation:ident,)*
        $(
            [$product:ident in $folder:ident]
            $($its_module:ident :: $its_operation:ident,)*
        )*
    ) => {
        $(pub mod $module;)*
        $(
            #[doc = concat!("The operations of [`ApiProduct::", stringify!($product), "`].")]
            pub mod $folder {
                $(pub mod $its_module;)*
            }
        )*

        /// Every operation that is built: product by product, each in alphabetical order.
        pub const OPERATIONS: &[Entry] = &[
            $(Entry::of::<$module::$operation>(&ApiProduct::APP_STREAM_CENTER),)*
            $($(Entry::of::<$folder::$its_module::$its_operation>(&ApiProduct::$product),)*)*
        ];
    };
}

operations![
    authorize_instance_group::AuthorizeInstanceGroup,
    authorize_users_for_app::AuthorizeUsersForApp,
    create_app_instance_group::CreateAppInstanceGroup,
    create_browser_instance_group::CreateBrowserInstanceGroup,
    create_image_by_instance::CreateImageByInstance,
    create_image_from_app_instance_group::CreateImageFromAppInstanceGroup,
    delete_app_instance_group::DeleteAppInstanceGroup,
    delete_app_instances::DeleteAppInstances,
    delete_image::DeleteImage,
    get_app_instance_group::GetAppInstanceGroup,
    get_browser_instance_group::GetBrowserInstanceGroup,
    get_connection_ticket::GetConnectionTicket,
    get_resource_price::GetResourcePrice,
    get_resource_renew_price::GetResourceRenewPrice,
    list_app_instance_group::ListAppInstanceGroup,
    list_app_instances::ListAppInstances,
    list_apps_by_app_instance_group_id::ListAppsByAppInstanceGroupId,
    list_authorized_app_instance_group_by_user::ListAuthorizedAppInstanceGroupByUser,
    list_authorized_apps_by_user::ListAuthorizedAppsByUser,
    list_authorized_user_groups::ListAuthorizedUserGroups,
    list_authorized_users::ListAuthorizedUsers,
    list_bind_info::ListBindInfo,
    list_browser_instance_group::ListBrowserInstanceGroup,
    list_image::ListImage,
    list_node_instance_type::ListNodeInstanceType,
    list_nodes::ListNodes,
    list_persistent_app_instances::ListPersistentAppInstances,
    list_published_app_instance_group::ListPublishedAppInstanceGroup,
    list_published_apps::ListPublishedApps,
    list_regions::ListRegions,
    list_tag_cloud_resources::ListTagCloudResources,
    list_tag_resources::ListTagResources,
    list_tenant_config::ListTenantConfig,
    list_zones::ListZones,
    log_off_all_sessions_in_app_instance_group::LogOffAllSessionsInAppInstanceGroup,
    modify_app_instance_group_attribute::ModifyAppInstanceGroupAttribute,
    modify_app_policy::ModifyAppPolicy,
    modify_browser_instance_group::ModifyBrowserInstanceGroup,
    modify_node_pool_amount::ModifyNodePoolAmount,
    modify_node_pool_attribute::ModifyNodePoolAttribute,
    modify_tenant_config::ModifyTenantConfig,
    page_list_app_instance_group_user::PageListAppInstanceGroupUser,
    renew_app_instance_group::RenewAppInstanceGroup,
    tag_cloud_resources::TagCloudResources,
    tag_resources::TagResources,
    unbind::Unbind,
    untag_cloud_resources::UntagCloudResources,
    untag_resources::UntagResources,
    update_app_instance_group_image::UpdateAppInstanceGroupImage,
    [GREENROOM in greenroom]
    create_backup::CreateBackup,
    forget_server::ForgetServer,
    get_audit_head::GetAuditHead,
    get_session::GetSession,
    list_audit_chain::ListAuditChain,
    list_audit_events::ListAuditEvents,
    list_servers::ListServers,
    list_session_events::ListSessionEvents,
    list_sessions::ListSessions,
    look_at_session::LookAtSession,
    raise_session_window::RaiseSessionWindow,
    read_session_log::ReadSessionLog,
    read_session_windows::ReadSessionWindows,
    reset_sessions::ResetSessions,
    restart_sessions::RestartSessions,
    start_sessions::StartSessions,
    stop_sessions::StopSessions,
    type_into_session::TypeIntoSession,
    [RAM in ram]
    add_user_to_group::AddUserToGroup,
    attach_policy_to_group::AttachPolicyToGroup,
    attach_policy_to_role::AttachPolicyToRole,
    attach_policy_to_user::AttachPolicyToUser,
    create_access_key::CreateAccessKey,
    create_group::CreateGroup,
    create_policy::CreatePolicy,
    create_policy_version::CreatePolicyVersion,
    create_role::CreateRole,
    create_user::CreateUser,
    delete_access_key::DeleteAccessKey,
    delete_group::DeleteGroup,
    delete_policy::DeletePolicy,
    delete_policy_version::DeletePolicyVersion,
    delete_role::DeleteRole,
    delete_user::DeleteUser,
    detach_policy_from_group::DetachPolicyFromGroup,
    detach_policy_from_role::DetachPolicyFromRole,
    detach_policy_from_user::DetachPolicyFromUser,
    get_group::GetGroup,
    get_policy::GetPolicy,
    get_policy_version::GetPolicyVersion,
    get_role::GetRole,
    get_user::GetUser,
    list_access_keys::ListAccessKeys,
    list_entities_for_policy::ListEntitiesForPolicy,
    list_groups::ListGroups,
    list_groups_for_user::ListGroupsForUser,
    list_policies::ListPolicies,
    list_policies_for_group::ListPoliciesForGroup,
    list_policies_for_role::ListPoliciesForRole,
    list_policies_for_user::ListPoliciesForUser,
    list_policy_versions::ListPolicyVersions,
    list_roles::ListRoles,
    list_users::ListUsers,
    list_users_for_group::ListUsersForGroup,
    remove_user_from_group::RemoveUserFromGroup,
    set_default_policy_version::SetDefaultPolicyVersion,
    update_access_key::UpdateAccessKey,
    update_group::UpdateGroup,
    update_role::UpdateRole,
    update_user::UpdateUser,
    [STS in sts]
    assume_role::AssumeRole,
    get_caller_identity::GetCallerIdentity,
];

/// The operation of this name and version. All products are at one address, where the version tells them
/// apart.
#[must_use]
pub fn find(version: &str, action: &str) -> Option<&'static Entry> {
    OPERATIONS
        .iter()
        .find(|entry| entry.product.version == version && entry.action == action)
}

/// Whether any operation has this version.
#[must_use]
pub fn has_version(version: &str) -> bool {
    OPERATIONS
        .iter()
        .any(|entry| entry.product.version == version)
}

#[cfg(test)]
mod tests;
