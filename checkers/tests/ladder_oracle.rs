//! The models of the ladder that are about orders of everyone's operations, and the eventual one,
//! against their definitions, tried in every order, on random histories of a store that forwards
//! its writes more or less carefully.

mod ladder_support;

use ladder_support::compare::{ORDERS, compare_many};
use ladder_support::generate::Shape;

const SEED: u64 = 0x1add_e401;

#[test]
fn plain_operations_agree_with_every_definition() {
    compare_many(&ORDERS, 100_000, SEED, |random| Shape::small(random, 8, false));
}

#[test]
fn transactions_agree_with_every_definition() {
    compare_many(&ORDERS, 40_000, SEED + 1, |random| Shape::small(random, 7, true));
}
