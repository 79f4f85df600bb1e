//! App instances that are named one by one go, and with them the nodes that are then too many.

use crate::connection::{Connection, first, values, word};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use crate::placement::{self, Shape, Slot, Tie};
use crate::{Store, resize};
use greenroom_model::{AccountId, AppInstanceGroupId, AppInstanceStatus, Timestamp};
use std::collections::BTreeSet;

/// Which app instances are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Whose the group is.
    pub account: AccountId,
    /// The group.
    pub group: AppInstanceGroupId,
    /// The instances, each once; texts that are no ids name none.
    pub instances: Vec<String>,
    /// The group's own nodes are paid for, and so what lies on them stays.
    pub own_stay: bool,
    /// Who wants it, for the history of the sessions that go.
    pub author: String,
}

/// Why an app instance does not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalRefusal {
    /// The group has no such instance, or no longer.
    NotFound,
    /// It is neither `INIT` nor `IDLE`, somebody holds it, or it is going already.
    InUse,
    /// Its session was granted to somebody.
    Granted,
    /// It lies on a node that is paid for.
    Paid,
}

impl Store {
    /// Has app instances of a group go, all of them or none: their slots are taken out of the group, their
    /// sessions asked to go, and the nodes that are then too many given up. Nothing comes in their place.
    ///
    /// Answers those that cannot go, in the order in which they were named; if there is any, all have stayed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`](crate::StoreError::NotFound) (`"group"`),
    /// [`StoreError::NonceReplayed`](crate::StoreError::NonceReplayed), or the database could not be written.
    pub async fn remove_instances(
        &self,
        removal: Removal,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<Vec<(String, RemovalRefusal)>> {
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let shape = resize::shape(c, &removal.account, &removal.group)?;
            let slots = resize::staying(c, &removal.group)?;
            let (mut go, mut refused) = (BTreeSet::new(), Vec::new());
            for instance in &removal.instances {
                match judge(c, &removal, &slots, instance)? {
                    Ok(slot) => {
                        go.insert(slot);
                    }
                    Err(refusal) => refused.push((instance.clone(), refusal)),
                }
            }
            if refused.is_empty() {
                let to = shape.holding(slots.len() - go.len(), removal.own_stay);
                write_size(c, &removal.group, to)?;
                // The rules of 0036: a slot that stays takes the place of one that goes.
                let layout = placement::lay_out(&slots, &go, to, &[], &[]);
                resize::rearrange(c, &slots, &layout.places)?;
                resize::dismiss(c, &slots, &go, &removal.author, at)?;
            }
            Ok(refused)
        })
        .await
    }
}

/// Which of the slots is the instance's, if that may go.
fn judge(
    c: &mut dyn Connection,
    removal: &Removal,
    slots: &[Slot],
    instance: &str,
) -> Result<std::result::Result<usize, RemovalRefusal>> {
    let sql = "SELECT status FROM app_instances
         WHERE instance_id = $1 AND group_id = $2 AND status <> 'DELETED'";
    let status = first(c, sql, values![instance, &removal.group], |row| {
        word(row.text(0)?, AppInstanceStatus::parse)
    })?;
    let free = match status {
        None => return Ok(Err(RemovalRefusal::NotFound)),
        Some(status) => {
            matches!(status, AppInstanceStatus::Init | AppInstanceStatus::Idle)
        }
    };
    let staying = slots
        .iter()
        .position(|slot| slot.instance.as_str() == instance);
    let Some(at) = staying.filter(|_| free) else {
        return Ok(Err(RemovalRefusal::InUse));
    };
    let slot = &slots[at];
    Ok(match slot.tie {
        // The hold comes first; the status tells of it once its reconciler has looked.
        Tie::Held => Err(RemovalRefusal::InUse),
        Tie::Granted => Err(RemovalRefusal::Granted),
        Tie::Nothing if removal.own_stay && !slot.place.elastic => Err(RemovalRefusal::Paid),
        Tie::Nothing => Ok(at),
    })
}

fn write_size(c: &mut dyn Connection, group: &AppInstanceGroupId, to: Shape) -> Result<()> {
    c.execute(
        "UPDATE node_pools SET node_amount = $2, scaling_amount = $3 WHERE group_id = $1",
        values![group, to.nodes, to.scaling],
    )?;
    Ok(())
}
