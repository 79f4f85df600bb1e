//! The operations, one file each, and the one list from which routing, the support matrix, the table of
//! accesses and the tests over all operations come.

pub mod fields;
mod operation;
mod paging;

pub use operation::{CallContext, Entry, Operation};

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

/// Declares each operation's module and puts it on the list.
macro_rules! operations {
    ($($module:ident :: $operation:ident,)*) => {
        $(pub mod $module;)*

        /// Every operation that is built, in alphabetical order.
        pub const OPERATIONS: &[Entry] = &[$(Entry::of::<$module::$operation>()),*];
    };
}

operations![
    authorize_instance_group::AuthorizeInstanceGroup,
    create_app_instance_group::CreateAppInstanceGroup,
    delete_app_instance_group::DeleteAppInstanceGroup,
    get_app_instance_group::GetAppInstanceGroup,
    get_connection_ticket::GetConnectionTicket,
    list_app_instance_group::ListAppInstanceGroup,
    list_image::ListImage,
    list_node_instance_type::ListNodeInstanceType,
    list_persistent_app_instances::ListPersistentAppInstances,
    list_regions::ListRegions,
];

/// The operation of this name and version.
#[must_use]
pub fn find(version: &str, action: &str) -> Option<&'static Entry> {
    OPERATIONS
        .iter()
        .find(|entry| entry.version == version && entry.action == action)
}

/// Whether any operation has this version.
#[must_use]
pub fn has_version(version: &str) -> bool {
    OPERATIONS.iter().any(|entry| entry.version == version)
}

#[cfg(test)]
mod tests;
