//! Those who were turned away before they had shown who they are: counted by address, in bounded memory.

use greenroom_model::Timestamp;
use greenroom_store::{AuditEntry, AuditPrincipal};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Addresses that are counted by themselves between two rows; more are counted together.
const ADDRESSES: usize = 256;

/// Codes that are told apart for each address.
const CODES: usize = 8;

/// What stands for the address of those that are counted together.
const OTHERS: &str = "others";

/// Whoever was turned away since the last rows were written.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Tallies>);

/// Counts by address, then by code.
pub(crate) type Tallies = BTreeMap<String, BTreeMap<String, u32>>;

impl Refusals {
    /// One more from that address, for the reason of that code.
    pub fn count(&self, address: Option<IpAddr>, code: &str) {
        add(&mut self.lock(), &source(address), code, 1);
    }

    /// What was counted, which is not counted any more.
    pub(crate) fn take(&self) -> Tallies {
        std::mem::take(&mut *self.lock())
    }

    /// Counts again what was taken and could not be written.
    pub(super) fn put_back(&self, taken: Tallies) {
        let mut tallies = self.lock();
        for (address, codes) in taken {
            for (code, count) in codes {
                add(&mut tallies, &address, &code, count);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tallies> {
        // Counts are whole at every moment, so a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(tallies: &mut Tallies, address: &str, code: &str, count: u32) {
    let known = tallies.len() < ADDRESSES || tallies.contains_key(address);
    let codes = tallies
        .entry(if known { address } else { OTHERS }.to_owned())
        .or_default();
    let known = codes.len() < CODES || codes.contains_key(code);
    let counted = codes
        .entry(if known { code } else { "Other" }.to_owned())
        .or_default();
    *counted = counted.saturating_add(count);
}

/// The address as it is counted. Whoever has one address of IPv6 has all of its network's, so those are one.
fn source(address: Option<IpAddr>) -> String {
    match address {
        None => OTHERS.to_owned(),
        Some(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let network = address.to_bits() >> 64 << 64;
            format!("{}/64", Ipv6Addr::from_bits(network))
        }
        Some(address) => address.to_canonical().to_string(),
    }
}

/// A row for each address: its outcome is what happened most often, its subject says what else did.
pub(super) fn rows(tallies: &Tallies, at: Timestamp) -> Vec<AuditEntry> {
    let row = |(address, codes): (&String, &BTreeMap<String, u32>)| {
        let most = codes.iter().max_by_key(|(_, count)| **count);
        let each = codes.iter().map(|(code, count)| format!("{code}={count}"));
        let count = codes
            .values()
            .fold(0_u32, |sum, count| sum.saturating_add(*count));
        AuditEntry {
            at,
            account: None,
            principal: AuditPrincipal::default(),
            access_key_id: String::new(),
            product: "greenroom".to_owned(),
            version: String::new(),
            action: "Admit".to_owned(),
            outcome: most.map_or_else(String::new, |(code, _)| code.clone()),
            request_id: String::new(),
            address: address.clone(),
            subject: each.collect::<Vec<_>>().join(" "),
            count,
        }
    };
    tallies.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(refusals: &Refusals) -> Vec<(String, String, String, u32)> {
        rows(&refusals.take(), Timestamp(0))
            .into_iter()
            .map(|row| (row.address, row.outcome, row.subject, row.count))
            .collect()
    }

    #[test]
    fn each_address_is_one_row_with_what_happened_most() {
        let refusals = Refusals::default();
        for (address, code) in [
            ("192.0.2.7", "InvalidAccessKeyId.NotFound"),
            ("192.0.2.7", "SignatureDoesNotMatch"),
            ("192.0.2.7", "SignatureDoesNotMatch"),
            ("::ffff:192.0.2.7", "SignatureDoesNotMatch"),
            ("2001:db8:0:1::7", "ticket.used"),
            ("2001:db8:0:1:ffff::", "ticket.used"),
        ] {
            refusals.count(address.parse().ok(), code);
        }
        refusals.count(None, "ticket.used");
        let row = |address: &str, outcome: &str, subject: &str, count| {
            let text = str::to_owned;
            (text(address), text(outcome), text(subject), count)
        };
        let both = "InvalidAccessKeyId.NotFound=1 SignatureDoesNotMatch=3";
        assert_eq!(
            told(&refusals),
            [
                row("192.0.2.7", "SignatureDoesNotMatch", both, 4),
                row("2001:db8:0:1::/64", "ticket.used", "ticket.used=2", 2),
                row("others", "ticket.used", "ticket.used=1", 1),
            ]
        );
        assert_eq!(told(&refusals), []);
    }

    #[test]
    fn many_addresses_and_codes_take_no_more_room_than_few() {
        let refusals = Refusals::default();
        for number in 0..100_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            refusals.count(Some(address), &format!("Code{}", number % 100));
        }
        let told = told(&refusals);
        assert_eq!(told.len(), ADDRESSES + 1);
        let sum: u32 = told.iter().map(|(.., count)| count).sum();
        assert_eq!(sum, 100_000);
        let others = told.iter().find(|row| row.0 == OTHERS).unwrap();
        assert_eq!(others.1, "Other");
        assert!(others.2.split(' ').count() <= CODES + 1, "{}", others.2);
    }

    #[test]
    fn what_could_not_be_written_is_counted_on() {
        let refusals = Refusals::default();
        let address = "192.0.2.7".parse().ok();
        refusals.count(address, "a");
        let taken = refusals.take();
        refusals.count(address, "a");
        refusals.put_back(taken);
        assert_eq!(told(&refusals)[0].3, 2);
    }
}
