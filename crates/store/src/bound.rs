//! Who holds what: the open bindings of an account, listed page by page.

use crate::Store;
use crate::connection::{Row, Value, all, first, narrow, placeholders, values, word};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceId, EndUserId, ProductType,
};

/// Which bindings are listed. `None` does not filter; a list of nothing finds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoundFilter {
    /// Of sessions of one of these groups.
    pub groups: Option<Vec<AppInstanceGroupId>>,
    /// Of sessions that one of these instances carries.
    pub instances: Option<Vec<AppInstanceId>>,
    /// Of one of these users.
    pub users: Option<Vec<EndUserId>>,
    /// Whose user last asked for one of these apps.
    pub apps: Option<Vec<AppId>>,
}

/// An open binding as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundRow {
    /// Who holds.
    pub user: EndUserId,
    /// The app that the user last asked for; `None` when that was forgotten.
    pub app: Option<AppId>,
    /// The instance that carries the session.
    pub instance: AppInstanceId,
    /// The session's group.
    pub group: AppInstanceGroupId,
    /// What the group delivers.
    pub product_type: ProductType,
    /// Where the group is.
    pub region: String,
}

/// The app last asked for: tasks say so until they are purged, resume tokens for as long as the binding is
/// open.
const APP: &str = "COALESCE(
        (SELECT t.app_id FROM ticket_tasks t WHERE t.binding_id = b.binding_id
            ORDER BY t.created_at DESC, t.task_id DESC LIMIT 1),
        (SELECT r.app_id FROM resume_tokens r WHERE r.binding_id = b.binding_id
            ORDER BY r.created_at DESC, r.token_hash DESC LIMIT 1))";

/// The account's open bindings, without those of groups being deleted. Those groups are few and soon gone, so that
/// their sessions are looked up once and not asked about for each binding.
const OPEN: &str = "FROM bindings b WHERE b.account_id = $1 AND b.ended_at IS NULL
    AND b.session_id NOT IN (SELECT s.session_id FROM app_groups g JOIN sessions s ON s.group_id = g.group_id
        WHERE g.account_id = $1 AND g.status = 'DELETING' AND g.deleted_at IS NULL)";

impl Store {
    /// One page of the account's open bindings, oldest first, without those of groups being deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_bindings(
        &self,
        account: &AccountId,
        filter: BoundFilter,
        page: PageRequest,
    ) -> Result<Page<BoundRow>> {
        let account = account.clone();
        self.read(move |c| {
            let mut parameters = values![&account].to_vec();
            let Some(narrowed) = condition(&filter, &mut parameters) else {
                return Ok(Page {
                    items: Vec::new(),
                    total: 0,
                });
            };
            let open = format!("{OPEN}{narrowed}");
            let count = format!("SELECT COUNT(*) {open}");
            let total = first(c, &count, &parameters, |row| narrow(row.integer(0)?))?.unwrap_or(0);
            let (limit, offset) = (parameters.len() + 1, parameters.len() + 2);
            // What lies before the page is passed over in the index, and the rest is read of the page's rows only.
            let sql = format!(
                "SELECT b.end_user_id, {APP}, s.instance_id, s.group_id, g.product_type, g.region
                 FROM bindings b JOIN sessions s ON s.session_id = b.session_id
                     JOIN app_groups g ON g.group_id = s.group_id
                 WHERE b.binding_id IN (SELECT b.binding_id {open}
                     ORDER BY b.created_at, b.binding_id LIMIT ${limit} OFFSET ${offset})
                 ORDER BY b.created_at, b.binding_id"
            );
            parameters.extend([page.size.into(), page.skipped().into()]);
            Ok(Page {
                items: all(c, &sql, &parameters, bound)?,
                total,
            })
        })
        .await
    }
}

/// What the filter adds to a condition; `None` when it finds nothing.
fn condition(filter: &BoundFilter, parameters: &mut Vec<Value>) -> Option<String> {
    fn of<T>(list: Option<&Vec<T>>) -> Option<Vec<Value>>
    where
        for<'a> Value: From<&'a T>,
    {
        list.map(|list| list.iter().map(Value::from).collect())
    }
    let mut text = String::new();
    let session_of =
        |column| format!("b.session_id IN (SELECT session_id FROM sessions WHERE {column}");
    for (column, list, end) in [
        (session_of("group_id"), of(filter.groups.as_ref()), ")"),
        (
            session_of("instance_id"),
            of(filter.instances.as_ref()),
            ")",
        ),
        ("b.end_user_id".to_owned(), of(filter.users.as_ref()), ""),
        (APP.to_owned(), of(filter.apps.as_ref()), ""),
    ] {
        let Some(list) = list else { continue };
        if list.is_empty() {
            return None;
        }
        let places = placeholders(parameters.len() + 1, list.len());
        text += &format!(" AND {column} IN ({places}){end}");
        parameters.extend(list);
    }
    Some(text)
}

fn bound(row: &dyn Row) -> Result<BoundRow> {
    Ok(BoundRow {
        user: word(row.text(0)?, EndUserId::parse)?,
        app: row
            .maybe_text(1)?
            .map(|id| word(id, AppId::parse))
            .transpose()?,
        instance: word(row.text(2)?, AppInstanceId::parse)?,
        group: word(row.text(3)?, AppInstanceGroupId::parse)?,
        product_type: word(row.text(4)?, ProductType::parse)?,
        region: row.text(5)?.to_owned(),
    })
}
