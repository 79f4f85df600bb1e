//! A policy and who has it, as the operations that attach policies and detach them name the two.

use super::fields::{GroupName, PolicyName, PolicyType, RoleName, UserName};
use super::view::Done;
use super::{arn, policy};
use crate::error::ApiError;
use crate::ops::CallContext;
use crate::ops::fields::Text;
use greenroom_store::Holder;
use serde::Deserialize;

/// Declares what a request names, and all that attaching and detaching do with it: they differ in nothing but
/// the field that names the holder.
macro_rules! attachments {
    ($($(#[$doc:meta])* $name:ident { $holder:ident: $type:ty } $kind:ident $arn:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            policy_type: PolicyType,
            policy_name: PolicyName,
            $holder: $type,
            resource_group_id: Option<Text<64>>,
        }

        impl $name {
            /// The rules of its fields.
            ///
            /// # Errors
            /// It names a resource group.
            pub fn check(&self, cx: &CallContext<'_>) -> Result<(), ApiError> {
                policy::in_whole_account(cx, self.resource_group_id.as_ref())
            }

            /// The policy and its holder, as policies name them.
            #[must_use]
            pub fn resources(&self, cx: &CallContext<'_>) -> Vec<String> {
                vec![
                    arn::policy(cx.account(), self.policy_type, &self.policy_name),
                    arn::$arn(cx.account(), self.$holder.as_str()),
                ]
            }

            /// Lets the holder have the policy.
            ///
            /// # Errors
            /// One of them is not there, the holder has it already, or the database failed.
            pub async fn attach(self, cx: &CallContext<'_>) -> Result<Done, ApiError> {
                let policy = policy::named(self.policy_type, &self.policy_name)?;
                let holder = Holder::$kind(self.$holder.into());
                cx.store
                    .attach_ram_policy(cx.account(), policy, holder, cx.spend_nonce(), cx.now)
                    .await?;
                Ok(Done {})
            }

            /// Takes the policy from the holder.
            ///
            /// # Errors
            /// One of them is not there, the holder does not have it, or the database failed.
            pub async fn detach(self, cx: &CallContext<'_>) -> Result<Done, ApiError> {
                let policy = policy::named(self.policy_type, &self.policy_name)?;
                let holder = Holder::$kind(self.$holder.into());
                cx.store
                    .detach_ram_policy(cx.account(), policy, holder, cx.spend_nonce())
                    .await?;
                Ok(Done {})
            }
        }
    )*};
}

attachments! {
    /// A policy of a user.
    OfUser { user_name: UserName } User user
    /// A policy of a group.
    OfGroup { group_name: GroupName } Group group
    /// A policy of a role.
    OfRole { role_name: RoleName } Role role
}
