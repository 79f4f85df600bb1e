//! Damaged requests are refused or read, and never bring the reader down.

use crate::support::random::Random;
use crate::support::{self, Vector};
use greenroom_rpc::{Credential, Format, Params, RawRequest, Request};
use serde::Deserialize;
use std::collections::BTreeMap;

const ROUNDS: usize = 20_000;

/// A shape that asks for every kind of value at every depth.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Greedy {
    _page_size: Option<u32>,
    _auto_pay: Option<bool>,
    _price: Option<f32>,
    #[serde(default, rename = "AppInstancePersistentIds")]
    _ids: Vec<String>,
    #[serde(default, rename = "Users")]
    _users: Vec<Option<i8>>,
    #[serde(rename = "NodePool")]
    _pool: Option<Box<Greedy>>,
    #[serde(default, rename = "Network")]
    _network: BTreeMap<String, serde_json::Value>,
    #[serde(rename = "RecurrenceSchedules")]
    _schedules: Option<Vec<Greedy>>,
}

/// Exercises everything that reads what a client sent.
fn read_all(raw: &RawRequest<'_>) -> Outcome {
    let _ = Format::of(raw);
    let Ok(request) = Request::parse(raw) else {
        return Outcome::Refused;
    };
    let fits = request.params.deserialize::<Greedy>().is_ok();
    let _ = request.params.deserialize::<serde_json::Value>();
    match request.credential {
        Credential::Signed(signed) if signed.verify("testAccessKeySecret").is_err() => {
            Outcome::Mismatch
        }
        _ if fits => Outcome::Read,
        _ => Outcome::Unfit,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    Refused,
    Mismatch,
    Unfit,
    Read,
}

/// Changes a text as a hostile or broken client might.
fn damage(text: &str, random: &mut Random) -> String {
    const PIECES: [&str; 18] = [
        "%",
        "%0",
        "%00",
        "%ff",
        "&",
        "=",
        ".",
        ".1",
        ".99999999999999999999",
        "+",
        "[",
        "{\"a\":",
        "%22",
        "\u{fffd}",
        "Signature=",
        "ACS3-",
        ",",
        ";",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(chars.len() + 1);
        let to = (at + random.below(20)).min(chars.len());
        match random.below(4) {
            0 => drop(chars.drain(at..to)),
            1 => {
                let copy = chars[at..to].to_vec();
                chars.splice(at..at, copy);
            }
            2 => drop(chars.splice(at..at, random.pick(&PIECES).chars())),
            _ => drop(chars.splice(at..to, random.text(8).chars())),
        }
    }
    chars.into_iter().collect()
}

fn mutate(vector: &Vector, random: &mut Random) -> Vector {
    let mut changed = vector.clone();
    let header = random.below(changed.headers.len());
    let kinds = if changed.headers.is_empty() { 2 } else { 6 };
    match random.below(kinds) {
        0 => changed.query = damage(&changed.query, random),
        1 => changed.body = damage(&changed.body, random),
        2 => changed.headers[header].1 = damage(&changed.headers[header].1, random),
        3 => drop(changed.headers.remove(header)),
        4 => {
            let again = changed.headers[header].clone();
            changed.headers.push(again);
        }
        _ => std::mem::swap(&mut changed.query, &mut changed.body),
    }
    changed
}

#[test]
fn no_damage_to_a_recorded_request_brings_the_reader_down() {
    let (vectors, _) = support::load();
    let mut random = Random(20_261_124);
    let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut request = mutate(&vectors[round % vectors.len()], &mut random);
        while random.chance(3) {
            request = mutate(&request, &mut random);
        }
        *outcomes.entry(read_all(&request.raw())).or_default() += 1;
    }
    // The damage has to reach past the first check to say anything.
    for outcome in [Outcome::Refused, Outcome::Mismatch, Outcome::Read] {
        assert!(
            outcomes
                .get(&outcome)
                .is_some_and(|count| *count > ROUNDS / 100),
            "{outcomes:?}"
        );
    }
}

#[test]
fn no_parameters_whatever_bring_the_reader_down() {
    let mut random = Random(7);
    let names = [
        "NodePool",
        "Users",
        "Network",
        "PageSize",
        "AutoPay",
        "RecurrenceSchedules",
        "1",
        "2",
        "",
    ];
    let values = [
        "",
        "1",
        "true",
        "[1]",
        "{}",
        "null",
        "{\"NodePool\":{\"PageSize\":\"7\"}}",
        "[[[[",
        "\"",
        "1e400",
        "-0",
    ];
    for _ in 0..ROUNDS {
        let params: Params = (0..random.below(8))
            .map(|_| {
                let depth = 1 + random.below(40);
                let name: Vec<&str> = (0..depth).map(|_| random.pick(&names)).collect();
                (name.join("."), random.pick(&values))
            })
            .collect();
        if let Err(error) = params.deserialize::<Greedy>() {
            assert!(!error.reason().is_empty());
        }
        let _ = params.deserialize::<serde_json::Value>();
    }
}
