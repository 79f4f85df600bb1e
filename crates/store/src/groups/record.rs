//! What is known of a delivery group, and how it is read.

use crate::connection::{Row, narrow, word};
use crate::error::Result;
use crate::placement::Shape;
use crate::tags::TagCondition;
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AuthMode, ChargeType, GroupStatus, ImageId, NodePoolId,
    PolicyId, ProductType, SpecId, Timestamp,
};

/// A delivery group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What was decided when it was made.
    pub made: GroupSpec,
    /// Where it is between being made and being gone.
    pub status: GroupStatus,
    /// Why, when the status is a bad one; else empty.
    pub status_reason: String,
    /// Its sessions, those deleted but still listed included.
    pub sessions: u64,
    /// Nodes that scaling has added to those of its pool.
    pub scaling_nodes: u32,
    /// When scaling last added any; `None` if it never has.
    pub scaled_at: Option<Timestamp>,
}

impl Group {
    /// How many nodes of how many sessions it has.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape {
            nodes: self.made.pool.node_amount,
            scaling: self.scaling_nodes,
            capacity: self.made.pool.node_capacity,
        }
    }
}

/// What a delivery group is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSpec {
    /// Its id.
    pub id: AppInstanceGroupId,
    /// Whose it is.
    pub account: AccountId,
    /// Its name; the id, when its creator gave none.
    pub name: String,
    /// What it delivers.
    pub product_type: ProductType,
    /// What its users are given.
    pub auth_mode: AuthMode,
    /// Where it is.
    pub region: String,
    /// Its image.
    pub image: ImageId,
    /// Its specification, one for each group.
    pub spec_id: SpecId,
    /// The named policy it follows, if any.
    pub policy: Option<PolicyId>,
    /// The app opened at start, if one was named.
    pub pre_open_app: Option<AppId>,
    /// Minutes a binding outlives its viewer; -1 for ever.
    pub session_timeout: i32,
    /// Whoever has a ticket is let in, authorized or not.
    pub skip_user_check: bool,
    /// What its creator asked for beyond this, as JSON; opaque to the store.
    pub settings: String,
    /// How it is paid.
    pub charge: Charge,
    /// Where its sessions run.
    pub pool: NodePool,
    /// When it was made.
    pub created: Timestamp,
}

/// How a group is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// By use or for a period.
    pub charge_type: ChargeType,
    /// What is counted.
    pub resource_mode: String,
    /// The finer way of paying, if one was named.
    pub sub_pay_type: Option<String>,
    /// How many [`Charge::period_unit`]s.
    pub period: u32,
    /// Of what.
    pub period_unit: String,
    /// Pay without asking.
    pub auto_pay: bool,
    /// Renew without asking.
    pub auto_renew: bool,
    /// The order.
    pub order_id: String,
    /// When what was paid for ends; never, for payment by use.
    pub expires: Option<Timestamp>,
}

/// Where a group's sessions run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePool {
    /// Its id.
    pub id: NodePoolId,
    /// What its nodes are.
    pub instance_type: String,
    /// How many there are, beside those that scaling has added.
    pub node_amount: u32,
    /// Sessions of each.
    pub node_capacity: u32,
    /// How their number changes.
    pub strategy_type: String,
    /// The rest of the strategy, as JSON; opaque to the store.
    pub strategy: String,
}

/// Which groups of an account are listed; what is empty or `None` does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// Delivers this.
    pub product_type: Option<ProductType>,
    /// Is this one.
    pub id: Option<AppInstanceGroupId>,
    /// Has this in its name, case included.
    pub name_contains: Option<String>,
    /// Has this image.
    pub image: Option<ImageId>,
    /// Has one of these statuses.
    pub statuses: Vec<GroupStatus>,
    /// Has nodes of this type.
    pub node_type: Option<String>,
    /// Is there.
    pub region: Option<String>,
    /// Meets all of these.
    pub tags: Vec<TagCondition>,
}

/// What the groups that exist take of the machines' capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodesInUse {
    /// Nodes of this type.
    pub instance_type: String,
    /// So many of them.
    pub nodes: u64,
    /// With so many sessions in all.
    pub slots: u64,
}

/// Selects what [`group`] reads.
pub(super) const GROUP: &str = "SELECT g.group_id, g.account_id, g.name, g.product_type, g.auth_mode, g.region,
        g.image_id, g.spec_id, g.policy_id, g.pre_open_app, g.session_timeout, g.skip_user_check,
        g.settings, g.charge_type, g.charge_resource_mode, g.sub_pay_type, g.period, g.period_unit,
        g.auto_pay, g.auto_renew, g.order_id, g.expires_at, g.created_at, g.status, g.status_reason,
        g.session_count, n.pool_id, n.instance_type, n.node_amount, n.node_capacity, n.strategy_type,
        n.strategy, n.scaling_amount, n.scaled_at
    FROM app_groups g JOIN node_pools n ON n.group_id = g.group_id";

/// Reads a row of [`GROUP`].
pub(super) fn group(row: &dyn Row) -> Result<Group> {
    let text = |at| row.text(at).map(ToOwned::to_owned);
    let flag = |at| row.integer(at).map(|number| number != 0);
    Ok(Group {
        made: GroupSpec {
            id: word(row.text(0)?, AppInstanceGroupId::parse)?,
            account: word(row.text(1)?, AccountId::parse)?,
            name: text(2)?,
            product_type: word(row.text(3)?, ProductType::parse)?,
            auth_mode: word(row.text(4)?, AuthMode::parse)?,
            region: text(5)?,
            image: word(row.text(6)?, ImageId::parse)?,
            spec_id: word(row.text(7)?, SpecId::parse)?,
            policy: row
                .maybe_text(8)?
                .map(|id| word(id, PolicyId::parse))
                .transpose()?,
            pre_open_app: row
                .maybe_text(9)?
                .map(|id| word(id, AppId::parse))
                .transpose()?,
            session_timeout: narrow(row.integer(10)?)?,
            skip_user_check: flag(11)?,
            settings: text(12)?,
            charge: Charge {
                charge_type: word(row.text(13)?, ChargeType::parse)?,
                resource_mode: text(14)?,
                sub_pay_type: row.maybe_text(15)?.map(ToOwned::to_owned),
                period: narrow(row.integer(16)?)?,
                period_unit: text(17)?,
                auto_pay: flag(18)?,
                auto_renew: flag(19)?,
                order_id: text(20)?,
                expires: row.maybe_integer(21)?.map(Timestamp),
            },
            pool: NodePool {
                id: word(row.text(26)?, NodePoolId::parse)?,
                instance_type: text(27)?,
                node_amount: narrow(row.integer(28)?)?,
                node_capacity: narrow(row.integer(29)?)?,
                strategy_type: text(30)?,
                strategy: text(31)?,
            },
            created: Timestamp(row.integer(22)?),
        },
        status: word(row.text(23)?, GroupStatus::parse)?,
        status_reason: text(24)?,
        sessions: narrow(row.integer(25)?)?,
        scaling_nodes: narrow(row.integer(32)?)?,
        scaled_at: row.maybe_integer(33)?.map(Timestamp),
    })
}
