//! The four session guarantees against their definitions, and which definition implies which.

mod ladder_support;

use std::collections::BTreeMap;

use ladder_support::compare::{GUARANTEES, ORDERS, compare_many, truth};
use ladder_support::generate::{self, Shape};
use ladder_support::show;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::ladder::Model;
use splitbrain_checkers::notation;

const SEED: u64 = 0x1add_e402;

#[test]
fn session_guarantees_agree_with_their_definitions() {
    compare_many(&GUARANTEES, 100_000, SEED + 2, |random| {
        let shape = Shape::small(random, 8, false);
        let keys = if random.random_ratio(9, 10) { 1 } else { 2 };
        Shape {
            operations: 8,
            roles: true,
            noise: 100,
            sessions: 2,
            script: random.random_bool(0.3),
            keys,
            ..shape
        }
    });
}

#[test]
fn session_guarantees_of_transactions_agree_with_their_definitions() {
    compare_many(&GUARANTEES, 30_000, SEED + 3, |random| {
        let shape = Shape::small(random, 8, true);
        let keys = if random.random_ratio(4, 5) { 1 } else { 2 };
        Shape { operations: 8, roles: true, noise: 90, sessions: 2, keys, ..shape }
    });
}

/// What chance does not find: causal consistency without monotonic writes and without writes
/// follow reads (two reads, each explained by another order of concurrent writes), PRAM without
/// writes follow reads, and causal convergence without any view of the second process (after
/// Bouajjani and others, POPL 2017, figure 3).
const RARE: [&str; 4] = [
    "0 write@x 1      1..2
     0 write@y 3      3..4
     1 write@x 2      5..6
     1 write@y 4      7..8
     2 read@y -> 3    9..10
     2 read@y -> 4   11..12
     2 read@x -> 1   13..14
     2 read@x -> 2   15..16",
    "0 write@x 1      1..2
     1 read@x -> 1    3..4
     1 write@y 3      5..6
     2 write@x 2      7..8
     3 read@x -> 2    9..10
     3 write@y 4     11..12
     4 read@y -> 3   13..14
     4 read@y -> 4   15..16
     4 read@x -> 1   17..18
     4 read@x -> 2   19..20",
    "0 write@x 1      1..2
     1 read@x -> 1    3..4
     1 write@y 2      5..6
     2 read@y -> 2    7..8
     2 read@x -> nil  9..10",
    "0 write@z 1      1..2
     0 write@x 1      3..4
     0 write@y 1      5..6
     1 write@x 2      1..2
     1 read@z -> nil  3..4
     1 read@y -> 1    7..8
     1 read@x -> 2    9..10",
];

/// Each implication that [`Model::implies`] claims holds for the definitions, and no other does:
/// some history tells each other pair apart.
#[test]
fn the_definitions_imply_each_other_as_claimed_and_no_more() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 4);
    let models: Vec<Model> = ORDERS.into_iter().chain(GUARANTEES).collect();
    let mut told_apart = BTreeMap::new();
    let by_hand = RARE.map(|lines| notation::history(lines).operations);
    let by_chance = (0..60_000).map(|case| {
        let shape = Shape::small(&mut random, 8, false);
        let (roles, keys) = (case % 2 == 0, 1 + case % 4 / 2);
        let shape = Shape { roles, keys, unanswered: 0, operations: 8, ..shape };
        generate::history(&mut random, shape)
    });
    for operations in by_hand.into_iter().chain(by_chance) {
        let holds: Vec<bool> = models.iter().map(|model| truth(*model, &operations)).collect();
        for (one, model) in models.iter().enumerate().filter(|(one, _)| holds[*one]) {
            for (other, without) in models.iter().enumerate().filter(|(other, _)| !holds[*other]) {
                assert!(
                    !model.is_stronger_than(*without),
                    "{model:?} without {without:?}{}",
                    show(&operations)
                );
                let count: &mut usize = told_apart.entry((one, other)).or_default();
                *count += 1;
            }
        }
    }
    let mut missing = Vec::new();
    for (one, model) in models.iter().enumerate() {
        for (other, without) in models.iter().enumerate().filter(|(other, _)| *other != one) {
            let count = told_apart.get(&(one, other)).copied().unwrap_or(0);
            if count == 0 && !model.is_stronger_than(*without) {
                missing.push((model.name(), without.name()));
            }
        }
    }
    assert_eq!(missing, [], "implied without a claim, or not generated");
}
