//! What a session's group and image say about how it runs.

use crate::catalogue::{Catalogue, own};
use crate::delivery_group::{BrowserSettings, Settings};
use crate::runtime::{FolderImage, Plan};
use greenroom_model::{AccountId, AppId, ProductType};
use greenroom_session_api::files::File;
use greenroom_session_api::spec;
use greenroom_store::{SessionRecord, Store, StoreError};
use std::sync::Arc;

/// The catalogue, asked about sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    catalogue: Arc<Catalogue>,
}

impl Blueprint {
    /// Blueprints after `catalogue`.
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue }
    }

    /// Blueprints for a session of this account, which may have images of its own.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn of_account(&self, store: &Store, account: &AccountId) -> Result<Self, StoreError> {
        let catalogue = own::offered(&self.catalogue, store, account).await?;
        Ok(Self { catalogue })
    }

    /// The app that is open when nothing else is asked for; `None` when the image has none.
    pub fn default_app(&self, session: &SessionRecord) -> Option<AppId> {
        session.pre_open_app.clone().or_else(|| {
            let image = self.catalogue.image(session.image.as_str())?;
            Some(image.apps.first()?.id.clone())
        })
    }

    /// How an app of the session's image is run; `None` when the image does not have it.
    pub fn app(&self, session: &SessionRecord, app: &AppId) -> Option<spec::App> {
        let found = self.catalogue.image(session.image.as_str())?.app(app)?;
        let settings = settings(session);
        let browser = settings.browser.as_ref();
        let homepage = browser.and_then(BrowserSettings::homepage);
        let mut argv = found.argv.clone();
        // What follows the last `--` is only ever something to open.
        let end = argv.iter().rposition(|word| word == "--");
        let switches = browser.into_iter().flat_map(BrowserSettings::switches);
        let switches: Vec<String> = switches.map(str::to_owned).collect();
        if let Some(end) = end {
            argv.splice(end..end, switches);
        }
        argv.extend(homepage.map(str::to_owned));
        Some(spec::App {
            app_id: found.id.as_str().to_owned(),
            argv,
            env: Vec::new(),
        })
    }

    /// What a new holder of the session is to run.
    pub fn plan(&self, session: &SessionRecord) -> Plan {
        let (width, height) = settings(session).resolution();
        let open = session.opened_apps.iter();
        Plan {
            persistent_id: session.id.clone(),
            apps: open.filter_map(|app| self.app(session, app)).collect(),
            width,
            height,
            share: self
                .catalogue
                .share(&session.node_type, session.node_capacity),
            files: self.files(session),
            image: self.folder_image(session),
        }
    }

    fn folder_image(&self, session: &SessionRecord) -> Option<FolderImage> {
        let image = self.catalogue.image(session.image.as_str())?;
        (!image.layers.is_empty()).then(|| FolderImage {
            id: image.id.clone(),
            layers: image.layers.clone(),
        })
    }

    /// What the session's apps are shown beside their image.
    pub fn files(&self, session: &SessionRecord) -> Vec<File> {
        let image = self.catalogue.image(session.image.as_str());
        if image.is_none_or(|image| image.product != ProductType::CloudBrowser) {
            return Vec::new();
        }
        let browser = settings(session).browser.unwrap_or_default();
        vec![browser.policies()]
    }
}

/// Settings that do not read are those of a group some other version made: the usual ones will do.
fn settings(session: &SessionRecord) -> Settings {
    Settings::from_json(&session.settings).unwrap_or_default()
}
