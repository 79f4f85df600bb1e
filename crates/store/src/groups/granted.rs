//! The groups that were granted to a user as a whole.

use super::record::{GROUP, Group, group};
use crate::Store;
use crate::connection::{Value, all, first, narrow, placeholders, values};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use greenroom_model::{AccountId, EndUserId, ImageId, ProductType};

/// Which of them are listed; what is `None` does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantedFilter {
    /// With this in their id.
    pub id_contains: Option<String>,
    /// With this in their name, case included.
    pub name_contains: Option<String>,
    /// With one of these images; without any, nothing is found.
    pub images: Vec<ImageId>,
}

impl Store {
    /// One page of the account's groups that deliver that and were granted to a user as a whole, those
    /// granted last first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_groups_granted_to(
        &self,
        account: &AccountId,
        product_type: ProductType,
        user: &EndUserId,
        filter: GrantedFilter,
        page: PageRequest,
    ) -> Result<Page<Group>> {
        let (account, user) = (account.clone(), user.clone());
        self.read(move |c| {
            if filter.images.is_empty() {
                return Ok(Page {
                    items: Vec::new(),
                    total: 0,
                });
            }
            let mut parameters = values![&user, &account, product_type.as_str()].to_vec();
            let places = placeholders(parameters.len() + 1, filter.images.len());
            parameters.extend(filter.images.iter().map(Value::from));
            let mut condition = format!(
                "u.end_user_id = $1 AND g.account_id = $2 AND g.product_type = $3
                     AND g.status <> 'DELETING' AND g.image_id IN ({places})"
            );
            for (column, part) in [
                ("g.group_id", filter.id_contains),
                ("g.name", filter.name_contains),
            ] {
                if let Some(part) = part.filter(|part| !part.is_empty()) {
                    parameters.push(part.into());
                    let place = parameters.len();
                    condition += &format!(" AND replace({column}, ${place}, '') <> {column}");
                }
            }
            let joined = "JOIN group_users u ON u.group_id = g.group_id";
            let count = format!("SELECT COUNT(*) FROM app_groups g {joined} WHERE {condition}");
            let total = first(c, &count, &parameters, |row| narrow(row.integer(0)?))?.unwrap_or(0);
            let (limit, offset) = (parameters.len() + 1, parameters.len() + 2);
            let sql = format!(
                "{GROUP} {joined} WHERE {condition}
                 ORDER BY u.created_at DESC, g.group_id LIMIT ${limit} OFFSET ${offset}"
            );
            parameters.extend([page.size.into(), page.skipped().into()]);
            Ok(Page {
                items: all(c, &sql, &parameters, group)?,
                total,
            })
        })
        .await
    }
}
