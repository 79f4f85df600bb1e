//! The nodes of a group, as far as slots lie on them: a node has no row of its own.

use crate::Store;
use crate::connection::{all, first, narrow, values, word};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use greenroom_model::{AccountId, AppInstanceGroupId, NodeId};

/// A node of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Scaling has added it.
    pub elastic: bool,
}

/// The group's nodes on which a slot lies that is not deleted.
const NODES: &str = "FROM app_instances i JOIN app_groups g ON g.group_id = i.group_id
    WHERE i.group_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING' AND i.status <> 'DELETED'";

impl Store {
    /// One page of a group's nodes, in the order in which they came to it.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_nodes(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        page: PageRequest,
    ) -> Result<Page<Node>> {
        let (account, group) = (account.clone(), group.clone());
        self.read(move |c| {
            let count = format!("SELECT COUNT(DISTINCT i.node_id) {NODES}");
            let total = first(c, &count, values![&group, &account], |row| {
                narrow(row.integer(0)?)
            })?
            .unwrap_or(0);
            let sql = format!(
                "SELECT i.node_id, MAX(i.elastic) {NODES} GROUP BY i.node_id ORDER BY MIN(i.ordinal) LIMIT $3 OFFSET $4"
            );
            let parameters = values![&group, &account, page.size, page.skipped()];
            let items = all(c, &sql, parameters, |row| {
                Ok(Node {
                    id: word(row.text(0)?, NodeId::parse)?,
                    elastic: row.integer(1)? != 0,
                })
            })?;
            Ok(Page { items, total })
        })
        .await
    }
}
