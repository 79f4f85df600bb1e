//! Parameters as `name=value` lines, read into a type that asks for everything.
#![no_main]

use greenroom_rpc::Params;
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Greedy {
    _n: Option<i32>,
    _b: Option<bool>,
    _f: Option<f64>,
    #[serde(default)]
    _l: Vec<String>,
    #[serde(default)]
    _m: BTreeMap<String, u8>,
    _o: Option<Box<Greedy>>,
    #[serde(default)]
    _a: Vec<Greedy>,
}

fuzz_target!(|input: &str| {
    let params: Params = input
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .collect();
    let _ = params.deserialize::<Greedy>();
});
