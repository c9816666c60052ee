//! What a bank may not do, one rule at a time.

use super::*;
use crate::history::Value;
use crate::notation;

fn finding(lines: &str, options: &Options<'_>) -> crate::finding::Finding {
    BANK.run(&notation::history(lines), options)
}

fn sentence(lines: &str) -> String {
    let finding = finding(lines, &Options::default());
    finding.validity.witness().map(|w| w.sentence.clone()).unwrap_or_default()
}

#[test]
fn each_rule_has_its_sentence() {
    assert_eq!(
        sentence("0 read -> {0 10, 1 0} 0..10 \n 1 read -> {0 8, 1 0} 20..30"),
        "the read by process 1 that returned at 0.000 s has balances that add up to 8, but the \
         first read by process 0, returned at 0.000 s, adds up to 10"
    );
    let reads = |second: &str| format!("0 read -> {{a 5, b 5}} 0..10 \n 1 read -> {second} 20..30");
    assert!(sentence(&reads("{a 11, b -1}")).contains("has -1 in the account b"));
    assert!(sentence(&reads("{a 10}")).contains("has no account b, but the first read"));
    assert!(sentence(&reads("{a 10, b nil}")).contains("has no balance for the account b"));
    assert!(sentence(&reads("{a 5, b 5, c 0}")).contains("has the account c"));
    assert_eq!(sentence(&reads("{b 3, a 7}")), "");
}

#[test]
fn negative_balances_may_be_allowed() {
    let lines = "0 read -> {0 11, 1 -1} 0..10";
    let allowed = Options { negative_balances: true, ..Options::default() };
    assert!(finding(lines, &Options::default()).validity.is_invalid());
    assert!(finding(lines, &allowed).validity.is_valid());
}

#[test]
fn the_total_may_be_given() {
    let lines = "0 read -> {0 9, 1 0} 0..10";
    let given = |initial: Value| Options { initial, ..Options::default() };
    let wrong = finding(lines, &given(Value::Int(10)));
    assert_eq!(wrong.validity.witness().unwrap().operations.len(), 1);
    assert!(finding(lines, &given(Value::Int(9))).validity.is_valid());
    let map = notation::history("0 read {0 9, 2 0} 0..1").operations[0].input.clone();
    let missing = finding(lines, &given(map));
    let sentence = &missing.validity.witness().unwrap().sentence;
    assert!(sentence.contains("has the account 1, but the bank as given does not"), "{sentence}");
}

#[test]
fn accounts_are_the_same_if_they_read_the_same() {
    let lines = "0 read -> {0 10, 1 10} 0..10 \n 1 read -> {\"1\" 10, \"0\" 10} 20..30";
    assert_eq!(sentence(lines), "");
    let lines = "0 read -> {0 10, 1 10} 0..10 \n 1 read -> {\"01\" 10, \"0\" 10} 20..30";
    assert!(sentence(lines).contains("has the account 01"));
}

#[test]
fn a_transfer_may_open_an_account() {
    let lines = "0 read -> {0 10} 0..10
                 1 transfer {from 0, to 1, amount 4} 5.. info
                 0 read -> {0 6, 1 4} 20..30";
    assert_eq!(sentence(lines), "");
    let failed = lines.replace("5.. info", "5..7 fail");
    assert!(sentence(&failed).contains("has the account 1"));
}

#[test]
fn what_is_no_bank_is_unknown() {
    for lines in [
        "0 read -> 7 0..10",
        "0 read -> {0 \"x\"} 0..10",
        "0 read -> [[0 1] [0 2]] 0..10",
        "0 transfer 5 0..10",
        "0 withdraw 5 0..10",
        "0 transfer {from 0, to 1, amount 2} 0..10",
    ] {
        assert_eq!(finding(lines, &Options::default()).validity.rank(), 1, "{lines}");
    }
}
