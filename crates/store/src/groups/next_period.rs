//! Groups that are paid for a period are paid for another one.

use crate::Store;
use crate::connection::values;
use crate::error::Result;
use crate::nonces::{self, Nonce};
use greenroom_model::{AccountId, AppInstanceGroupId, Timestamp};
use std::time::Duration;

/// Another period of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPeriod {
    /// How long it is.
    pub time: Duration,
    /// The same in [`NextPeriod::period_unit`]s.
    pub period: u32,
    /// Of what.
    pub period_unit: String,
    /// Pay without asking.
    pub auto_pay: bool,
    /// The order.
    pub order_id: String,
}

impl Store {
    /// Lets a published group that is paid for a period go on for another one, which begins when the last one
    /// ends, or now if it has ended. Answers `false` when the account has no such group.
    ///
    /// # Errors
    /// [`StoreError::NonceReplayed`](crate::StoreError::NonceReplayed), or the database could not be written.
    pub async fn renew_group(
        &self,
        account: &AccountId,
        id: &AppInstanceGroupId,
        renewal: NextPeriod,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<bool> {
        let (account, id) = (account.clone(), id.clone());
        let time = i64::try_from(renewal.time.as_millis()).unwrap_or(i64::MAX);
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let renewed = c.execute(
                "UPDATE app_groups SET period = $3, period_unit = $4, auto_pay = $5, order_id = $6,
                     expires_at = CASE WHEN expires_at > $7 THEN expires_at ELSE $7 END + $8
                 WHERE group_id = $1 AND account_id = $2 AND charge_type = 'PrePaid'
                     AND status = 'PUBLISHED'",
                values![
                    &id,
                    &account,
                    renewal.period,
                    &renewal.period_unit,
                    renewal.auto_pay,
                    &renewal.order_id,
                    at,
                    time
                ],
            )?;
            Ok(renewed > 0)
        })
        .await
    }
}
