//! A group's change to another size: what is added to it, and whether there is room for that.

use super::Settings;
use crate::catalogue::{self, Budget, Catalogue, Image};
use greenroom_model::{AppId, AuthMode, Desired, Entropy, NodeId, Timestamp};
use greenroom_store::{
    Group, Leave, NewSlots, NodesInUse, Nonce, Resize, Shape, Store, StoreError,
};

/// What the sessions of a group are meant to be to begin with, and the apps that are to be open in them.
#[must_use]
pub fn first_wish(
    auth_mode: AuthMode,
    settings: &Settings,
    pre_open_app: Option<&AppId>,
    image: Option<&Image>,
) -> (Desired, Vec<AppId>) {
    if !settings.pre_open() || !auth_mode.has_persistent_sessions() {
        // Sessions that wait for their user open what the user asks for, and nothing beside it; ordinary ones do
        // not know their user before.
        return (Desired::Stopped, Vec::new());
    }
    let first_app = || Some(image?.apps.first()?.id.clone());
    let app = pre_open_app.cloned().or_else(first_app);
    (Desired::Running, app.into_iter().collect())
}

/// Whether so many more nodes of a type fit beside those that all groups have.
pub fn room_for(
    catalogue: &Catalogue,
    instance_type: &str,
    nodes: u32,
) -> impl FnOnce(&[NodesInUse]) -> bool + Send + use<> {
    let (wanted, whole) = (budget_of(instance_type, nodes.into()), catalogue.budget);
    move |in_use| {
        let taken = in_use
            .iter()
            .map(|it| budget_of(&it.instance_type, it.nodes));
        taken.fold(wanted, Budget::plus).fits(whole)
    }
}

fn budget_of(instance_type: &str, nodes: u64) -> Budget {
    catalogue::node_type(instance_type)
        .map_or_else(Budget::default, |node| Budget::of_nodes(node, nodes))
}

/// A change of a group's size that somebody has decided.
#[derive(Debug)]
pub struct Change<'a> {
    /// The group, as it was when that was decided.
    pub group: &'a Group,
    /// The size that it is to have.
    pub to: Shape,
    /// What may go.
    pub leave: Leave,
    /// Nodes that scaling added and that are the group's own from now on.
    pub bought: Vec<NodeId>,
    /// The strategy from now on, and the rest of it as JSON; as it was, when `None`.
    pub strategy: Option<(String, String)>,
    /// The order by which this was bought, if it was.
    pub order: Option<String>,
    /// Who wants it.
    pub author: String,
}

impl Change<'_> {
    /// Carries it out, if there is room.
    ///
    /// # Errors
    /// As [`Store::resize_group`].
    pub async fn carry_out(
        self,
        store: &Store,
        catalogue: &Catalogue,
        entropy: &dyn Entropy,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let instance_type = &self.group.made.pool.instance_type;
        let fits = || room_for(catalogue, instance_type, self.more_nodes());
        // More than all there is: not even the ids are made then.
        if !fits()(&[]) {
            return Err(StoreError::NoRoom);
        }
        let fits = fits();
        let resize = self.into_resize(catalogue, entropy);
        store.resize_group(resize, nonce, at, fits).await
    }

    fn more_nodes(&self) -> u32 {
        let from = self.group.shape();
        self.to.all_nodes().saturating_sub(from.all_nodes())
    }

    /// The change with ids for what is added.
    fn into_resize(self, catalogue: &Catalogue, entropy: &dyn Entropy) -> Resize {
        let made = &self.group.made;
        let from = self.group.shape();
        let settings = Settings::from_json(&made.settings).unwrap_or_default();
        let image = catalogue.image(made.image.as_str());
        let (desired, open) =
            first_wish(made.auth_mode, &settings, made.pre_open_app.as_ref(), image);
        let new = NewSlots::more(
            self.more_nodes(),
            self.to.slots().saturating_sub(from.slots()),
            desired,
            open,
            entropy,
        );
        Resize {
            account: made.account.clone(),
            group: made.id.clone(),
            from,
            to: self.to,
            new,
            leave: self.leave,
            bought: self.bought,
            strategy: self.strategy,
            order: self.order,
            author: self.author,
        }
    }
}
