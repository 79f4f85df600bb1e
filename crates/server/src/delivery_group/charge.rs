//! How a group is paid for. Prices here are 0; the terms are checked, kept and answered all the same.

use crate::error::ApiError;
use crate::ops::fields::{INT32_MAX, Whole};
use greenroom_model::{ChargeType, Entropy, ProductType, Timestamp};
use greenroom_store::NextPeriod;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `ChargeResourceMode`: what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ChargeResourceMode {
    /// Nodes.
    Node,
}

/// `PeriodUnit`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PeriodUnit {
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 365 days.
    Year,
}

/// `SubPayType`: the finer way of paying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SubPayType {
    /// By use.
    PostPaid,
    /// By the month; for browsers.
    MonthPackage,
    /// For a period.
    PrePaid,
}

/// The terms that a group is asked for under.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// `ChargeType`
    pub charge_type: ChargeType,
    /// `ChargeResourceMode`
    pub resource_mode: ChargeResourceMode,
    /// `Period`
    pub period: Whole<1, INT32_MAX>,
    /// `PeriodUnit`
    pub period_unit: PeriodUnit,
    /// `SubPayType`
    pub sub_pay_type: Option<SubPayType>,
    /// `AutoPay`
    pub auto_pay: bool,
    /// `AutoRenew`
    pub auto_renew: bool,
}

impl Terms {
    /// The rules between them.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn check(&self, product: ProductType) -> Result<(), ApiError> {
        let sub_pay_type_fits = match self.sub_pay_type {
            None => true,
            Some(SubPayType::PostPaid) => self.charge_type == ChargeType::PostPaid,
            Some(SubPayType::PrePaid) => self.charge_type == ChargeType::PrePaid,
            Some(SubPayType::MonthPackage) => product == ProductType::CloudBrowser,
        };
        if self.charge_type == ChargeType::PostPaid && self.period_unit != PeriodUnit::Month {
            return Err(ApiError::Invalid("PeriodUnit"));
        }
        let is_sold = match self.charge_type {
            ChargeType::PostPaid => self.period.get() == 1,
            ChargeType::PrePaid => self.time().is_sold(),
        };
        if !is_sold {
            Err(ApiError::Invalid("Period"))
        } else if !sub_pay_type_fits {
            Err(ApiError::Invalid("SubPayType"))
        } else {
            Ok(())
        }
    }

    fn time(&self) -> PaidTime {
        PaidTime {
            period: self.period,
            unit: self.period_unit,
        }
    }

    /// The order, paid for as soon as it is made.
    #[must_use]
    pub fn order(&self, entropy: &dyn Entropy, now: Timestamp) -> greenroom_store::Charge {
        greenroom_store::Charge {
            charge_type: self.charge_type,
            resource_mode: self.resource_mode.as_str().to_owned(),
            sub_pay_type: self.sub_pay_type.map(|kind| kind.as_str().to_owned()),
            period: self.period.as_u32(),
            period_unit: self.period_unit.as_str().to_owned(),
            auto_pay: self.auto_pay,
            auto_renew: self.auto_renew,
            order_id: order_id(entropy),
            expires: (self.charge_type == ChargeType::PrePaid)
                .then(|| now.after(self.time().length())),
        }
    }
}

/// The order of a browser group, which is paid by the users that it has in a month, after that.
#[must_use]
pub fn order_by_users(
    auto_pay: bool,
    auto_renew: bool,
    entropy: &dyn Entropy,
) -> greenroom_store::Charge {
    greenroom_store::Charge {
        charge_type: ChargeType::PostPaid,
        resource_mode: "AppInstance".to_owned(),
        sub_pay_type: Some("mau".to_owned()),
        period: 1,
        period_unit: PeriodUnit::Month.as_str().to_owned(),
        auto_pay,
        auto_renew,
        order_id: order_id(entropy),
        expires: None,
    }
}

/// What a PrePaid group is paid for: so many weeks, months or years.
#[derive(Debug, Clone, Copy)]
pub struct PaidTime {
    /// `Period`
    pub period: Whole<1, INT32_MAX>,
    /// `PeriodUnit`
    pub unit: PeriodUnit,
}

impl PaidTime {
    /// Whether it can be had.
    #[must_use]
    pub fn is_sold(self) -> bool {
        let periods: &[i64] = match self.unit {
            PeriodUnit::Week => &[1],
            PeriodUnit::Month => &[1, 2, 3, 6],
            PeriodUnit::Year => &[1, 2, 3],
        };
        periods.contains(&self.period.get())
    }

    /// The order of it for a group that has been paid for before, paid for as soon as it is made.
    #[must_use]
    pub fn renew(self, auto_pay: bool, entropy: &dyn Entropy) -> NextPeriod {
        NextPeriod {
            time: self.length(),
            period: self.period.as_u32(),
            period_unit: self.unit.as_str().to_owned(),
            auto_pay,
            order_id: order_id(entropy),
        }
    }

    fn length(self) -> Duration {
        let days = match self.unit {
            PeriodUnit::Week => 7,
            PeriodUnit::Month => 30,
            PeriodUnit::Year => 365,
        };
        Duration::from_secs(u64::from(self.period.as_u32()) * days * 24 * 3600)
    }
}

/// `Price`: what something costs.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Price {
    currency: &'static str,
    discount_price: &'static str,
    original_price: &'static str,
    promotions: [Promotion; 0],
    trade_price: &'static str,
}

impl Price {
    /// Nothing.
    pub const NOTHING: Self = Self {
        currency: "CNY",
        discount_price: "0",
        original_price: "0",
        promotions: [],
        trade_price: "0",
    };
}

/// What costs nothing is never made cheaper.
#[derive(Debug, Clone, Copy, Serialize)]
enum Promotion {}

/// An element of `Rules`: why a price is lower than another one. None is.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Rule {}

impl ChargeResourceMode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "Node",
        }
    }
}

impl PeriodUnit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "Week",
            Self::Month => "Month",
            Self::Year => "Year",
        }
    }
}

impl SubPayType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PostPaid => "postPaid",
            Self::MonthPackage => "monthPackage",
            Self::PrePaid => "prePaid",
        }
    }
}

/// A number of the form that the vendor's orders have.
#[must_use]
pub fn order_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0_u8; 8];
    entropy.fill(&mut bytes);
    format!("2{:014}", u64::from_le_bytes(bytes) % 100_000_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChargeType::{PostPaid, PrePaid};
    use PeriodUnit::{Month, Week, Year};

    const fn terms(charge_type: ChargeType, period: i64, period_unit: PeriodUnit) -> Terms {
        Terms {
            charge_type,
            resource_mode: ChargeResourceMode::Node,
            period: Whole::of(period),
            period_unit,
            sub_pay_type: None,
            auto_pay: false,
            auto_renew: false,
        }
    }

    #[test]
    fn only_the_recorded_periods_are_sold() {
        let mut sold = Vec::new();
        for charge_type in [PostPaid, PrePaid] {
            for unit in [Week, Month, Year] {
                for period in 1..=12 {
                    if terms(charge_type, period, unit)
                        .check(ProductType::CloudApp)
                        .is_ok()
                    {
                        sold.push((charge_type, period, unit));
                    }
                }
            }
        }
        assert_eq!(
            sold,
            [
                (PostPaid, 1, Month),
                (PrePaid, 1, Week),
                (PrePaid, 1, Month),
                (PrePaid, 2, Month),
                (PrePaid, 3, Month),
                (PrePaid, 6, Month),
                (PrePaid, 1, Year),
                (PrePaid, 2, Year),
                (PrePaid, 3, Year),
            ]
        );
    }

    #[test]
    fn the_finer_way_of_paying_fits_the_way_of_paying() {
        let fits = |terms: Terms, kind, product| {
            Terms {
                sub_pay_type: Some(kind),
                ..terms
            }
            .check(product)
            .is_ok()
        };
        let (post, pre) = (terms(PostPaid, 1, Month), terms(PrePaid, 1, Month));
        assert!(fits(post, SubPayType::PostPaid, ProductType::CloudApp));
        assert!(!fits(post, SubPayType::PrePaid, ProductType::CloudApp));
        assert!(fits(pre, SubPayType::PrePaid, ProductType::CloudApp));
        assert!(!fits(pre, SubPayType::PostPaid, ProductType::CloudApp));
        assert!(!fits(post, SubPayType::MonthPackage, ProductType::CloudApp));
        assert!(fits(
            post,
            SubPayType::MonthPackage,
            ProductType::CloudBrowser
        ));
    }
}
