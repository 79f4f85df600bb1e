//! The published groups and their apps: what `ListPublishedApps` and `ListPublishedAppInstanceGroup` are
//! both asked for.

use super::prelude::*;
use crate::catalogue::{APP_VERSION, Catalogue};
use greenroom_store::{AppUse, Group, GroupFilter, PageRequest};
use std::collections::HashMap;

/// What both take. What is absent does not narrow the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_id: Option<Text<64>>,
    app_instance_group_id: Option<Ref<AppInstanceGroupId>>,
    /// A part of the name, as for `ListAppInstanceGroup`.
    app_instance_group_name: Option<Text<256>>,
    /// A part of the name.
    app_name: Option<Text<256>>,
    /// Leaves out what is granted to this user app by app; grants of whole groups do not count.
    exclude_user_id: Option<EndUserId>,
    /// Which page.
    pub page_number: PageNumber,
    /// Of what size.
    pub page_size: PageSize,
    product_type: AnyProduct,
}

/// An app of a group, as every listing shows it. Icons are not kept, so `AppIcon` is absent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct App {
    app_id: AppId,
    app_name: String,
    app_version: &'static str,
    app_version_name: &'static str,
}

/// An app that a group delivers, and how it was granted by itself.
pub struct Delivered {
    /// The app.
    pub app: App,
    /// How it was granted.
    pub granted: AppUse,
}

/// The apps that a group delivers: those of its image.
pub fn apps(
    catalogue: &Catalogue,
    group: &Group,
    uses: &HashMap<(AppInstanceGroupId, AppId), AppUse>,
) -> Vec<Delivered> {
    let image = catalogue.image(group.made.image.as_str());
    let apps = image.map(|image| image.apps.as_slice()).unwrap_or_default();
    let granted = |app: &AppId| uses.get(&(group.made.id.clone(), app.clone()));
    let shown = apps.iter().map(|app| Delivered {
        granted: granted(&app.id).copied().unwrap_or_default(),
        app: App {
            app_id: app.id.clone(),
            app_name: app.name.clone(),
            app_version: APP_VERSION,
            app_version_name: "Installed",
        },
    });
    shown.collect()
}

impl Request {
    /// The account's published groups that deliver something, with all their apps; newest first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn groups(
        &self,
        cx: &CallContext<'_>,
    ) -> Result<Vec<(Group, Vec<Delivered>)>, ApiError> {
        let id = match &self.app_instance_group_id {
            None => None,
            // What can be no id is nobody's.
            Some(asked) if asked.id().is_none() => return Ok(Vec::new()),
            Some(asked) => asked.id().cloned(),
        };
        let Some(product) = self.product_type.0 else {
            return Ok(Vec::new());
        };
        let filter = GroupFilter {
            product_type: Some(product),
            id,
            name_contains: self.app_instance_group_name.clone().map(Into::into),
            statuses: vec![GroupStatus::Published],
            ..GroupFilter::default()
        };
        // An account has few groups; their apps are known to the catalogue and not to the database.
        let all = PageRequest {
            number: 1,
            size: u32::MAX,
        };
        let found = cx.store.list_groups(cx.account(), filter, all).await?;
        let user = self.exclude_user_id.as_ref();
        let uses = cx.store.app_uses(cx.account(), None, user).await?;
        let with_apps = found.items.into_iter().rev().map(|group| {
            let apps = apps(cx.catalogue, &group, &uses);
            (group, apps)
        });
        Ok(with_apps
            .filter(|(_, apps)| apps.iter().any(|app| self.wants(&app.app)))
            // A user who was granted each app by itself has no use for the group.
            .filter(|(_, apps)| !apps.iter().all(|app| app.granted.granted))
            .collect())
    }

    /// Whether it asks for this app, as far as apps are concerned.
    pub fn wants(&self, app: &App) -> bool {
        let named = self.app_id.as_ref();
        let part = self.app_name.as_ref();
        named.is_none_or(|id| id.as_str() == app.app_id.as_str())
            && part.is_none_or(|part| app.app_name.contains(part.as_str()))
    }
}
