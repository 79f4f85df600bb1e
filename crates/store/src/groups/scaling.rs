//! The groups whose number of nodes changes by itself.

use super::record::{GROUP, Group, group};
use crate::Store;
use crate::connection::{all, values};
use crate::error::Result;
use greenroom_model::NodePoolId;

impl Store {
    /// Some of the published groups whose strategy is another than `NODE_FIXED`: those with the pools after
    /// that one, in order.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn scaling_groups(
        &self,
        after: Option<&NodePoolId>,
        limit: u32,
    ) -> Result<Vec<Group>> {
        let after = after.map_or_else(String::new, ToString::to_string);
        self.read(move |c| {
            let sql = format!(
                "{GROUP} WHERE n.strategy_type <> 'NODE_FIXED' AND n.pool_id > $1
                     AND g.status = 'PUBLISHED' ORDER BY n.pool_id LIMIT $2"
            );
            all(c, &sql, values![after, limit], group)
        })
        .await
    }
}
