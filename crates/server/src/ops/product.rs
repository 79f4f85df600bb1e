//! The products that operations belong to.

/// A product, in the version that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiProduct {
    /// Its name.
    pub name: &'static str,
    /// Its version. No two products share one.
    pub version: &'static str,
    /// Its name in policies: `ram` in `ram:CreateUser`.
    pub ram_code: &'static str,
}

impl ApiProduct {
    /// Delivery groups and their sessions.
    pub const APP_STREAM_CENTER: Self = Self {
        name: "appstream-center",
        version: "2021-09-01",
        ram_code: "appstreaming",
    };
    /// Users, groups, roles, policies and keys of an account.
    pub const RAM: Self = Self {
        name: "ram",
        version: "2015-05-01",
        ram_code: "ram",
    };
    /// Who calls, and keys for a while.
    pub const STS: Self = Self {
        name: "sts",
        version: "2015-04-01",
        ram_code: "sts",
    };
    /// What administrators need and the vendor has no operation for: ours.
    pub const GREENROOM: Self = Self {
        name: "greenroom",
        version: "2026-12-01",
        ram_code: "greenroom",
    };

    /// An action's name in policies.
    #[must_use]
    pub fn ram_action(&self, action: &str) -> String {
        let action = match action {
            // Guarded by the action of an operation that came before it.
            "ListZones" => "ListAppInstanceType",
            own => own,
        };
        format!("{}:{action}", self.ram_code)
    }
}
