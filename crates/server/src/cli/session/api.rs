//! The operations of product `greenroom` that the command calls.

use crate::client::{Client, ClientError};
use crate::ops::ApiProduct;
use serde_json::Value;

/// Items in a page, and sessions in one wish: the most that the operations take.
const AT_ONCE: usize = 100;

/// The sessions of the caller's account.
pub(super) struct Sessions<'a> {
    client: &'a Client,
}

impl<'a> Sessions<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Those of a group, or all, oldest first.
    pub(super) fn of(&self, group: Option<&str>) -> Pages<'a> {
        let filter = group.map(|group| ("AppInstanceGroupId", group.to_owned()));
        self.pages("ListSessions", "Sessions", filter)
    }

    /// What happened to a session, the latest first.
    pub(super) fn events(&self, id: &str) -> Pages<'a> {
        let filter = Some(("AppInstancePersistentId", id.to_owned()));
        self.pages("ListSessionEvents", "Events", filter)
    }

    /// All that is known of one.
    pub(super) async fn get(&self, id: &str) -> Result<Value, ClientError> {
        let parameters = [("AppInstancePersistentId", id)];
        let mut answer = self.call("GetSession", &parameters).await?;
        Ok(answer["Session"].take())
    }

    /// The ids of a group's sessions, without those that are being deleted: they take no wish any more.
    pub(super) async fn ids_of(&self, group: &str) -> Result<Vec<String>, ClientError> {
        let mut ids = Vec::new();
        let mut pages = self.of(Some(group));
        while let Some(page) = pages.next().await? {
            let staying = page
                .iter()
                .filter(|session| session["DesiredStatus"] != "DELETED");
            let named = staying.filter_map(|session| session["AppInstancePersistentId"].as_str());
            ids.extend(named.map(str::to_owned));
        }
        Ok(ids)
    }

    /// Asks something of sessions. Of each hundred it is asked of all or, when that cannot be, of none.
    pub(super) async fn ask(&self, action: &str, ids: &[String]) -> Result<(), ClientError> {
        for part in ids.chunks(AT_ONCE) {
            let named = part.iter().enumerate();
            let parameters: Vec<(String, &str)> = named
                .map(|(i, id)| (format!("AppInstancePersistentIds.{}", i + 1), id.as_str()))
                .collect();
            let parameters: Vec<(&str, &str)> = parameters
                .iter()
                .map(|(name, id)| (name.as_str(), *id))
                .collect();
            self.call(action, &parameters).await?;
        }
        Ok(())
    }

    fn pages(
        &self,
        action: &'static str,
        list: &'static str,
        filter: Option<(&'static str, String)>,
    ) -> Pages<'a> {
        Pages {
            sessions: Self::new(self.client),
            action,
            list,
            filter,
            next: Some(1),
        }
    }

    /// Calls an operation of the product.
    pub(super) async fn call(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        let product = ApiProduct::GREENROOM;
        self.client.call(product, action, parameters).await
    }
}

/// A listing, page by page.
pub(super) struct Pages<'a> {
    sessions: Sessions<'a>,
    action: &'static str,
    list: &'static str,
    filter: Option<(&'static str, String)>,
    /// `None` after the last.
    next: Option<u32>,
}

impl Pages<'_> {
    /// The next page, unless there was the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Value>>, ClientError> {
        let Some(number) = self.next else {
            return Ok(None);
        };
        let (number_text, size) = (number.to_string(), AT_ONCE.to_string());
        let mut parameters = vec![("PageNumber", number_text.as_str()), ("PageSize", &size)];
        let filter = self.filter.as_ref();
        parameters.extend(filter.map(|(name, value)| (*name, value.as_str())));
        let mut answer = self.sessions.call(self.action, &parameters).await?;
        let items = match answer[self.list].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        self.next = (items.len() == AT_ONCE).then_some(number + 1);
        Ok(Some(items))
    }
}
