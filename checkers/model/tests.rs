//! What each model allows, in a few lines each; the search is compared with an oracle elsewhere.

use super::*;
use crate::notation;

/// The states that the lines lead to one after the other, in words; `refused` where one is.
fn states<M: Model>(lines: &str, options: &Options<'_>) -> Vec<String> {
    let history = notation::history(lines);
    let mut model = M::new(options).unwrap();
    let mut parsed = Vec::new();
    for (source, operation) in history.operations.iter().enumerate() {
        let action = match operation.outcome {
            Outcome::Fail => model.refusal(operation),
            _ => model.action(operation).unwrap(),
        };
        let (invoke, finish) = (operation.invoke, operation.complete.unwrap_or(Time::MAX));
        let is_sure = operation.outcome == Outcome::Ok;
        parsed.extend(action.map(|action| Parsed {
            action,
            invoke,
            finish,
            is_sure,
            source: source as u32,
        }));
    }
    model.settle(&parsed);
    let mut state = model.initial();
    let mut said = vec![model.describe(&state)];
    for parsed in &parsed {
        let after = model.apply(&state, &parsed.action);
        assert!(!model.is_pure(&parsed.action) || !matches!(after, After::Next(_)));
        match after {
            After::Refused => said.push("refused".to_owned()),
            After::Same => said.push("same".to_owned()),
            After::Next(next) => {
                state = next;
                said.push(model.describe(&state));
            }
        }
    }
    said
}

fn from_nothing<M: Model>(lines: &str) -> Vec<String> {
    states::<M>(lines, &Options::default())
}

#[test]
fn a_register_compares_and_sets() {
    let lines = "0 write 1 0..1
                 0 cas [2 3] 2..3
                 0 cas [1 3] 4..5
                 0 read -> 3 6..7
                 0 cas [3 3] 8..9
                 0 read 10..";
    assert_eq!(from_nothing::<Register>(lines), ["nil", "1", "refused", "3", "same", "same"]);
}

#[test]
fn a_refused_cas_proves_something_only_if_the_options_say_so() {
    let mut history = notation::history("0 cas [1 2] 0..1 fail");
    history.operations[0].error = Some(crate::history::MISMATCH.into());
    for observe_failed_cas in [false, true] {
        let options = Options { observe_failed_cas, ..Options::default() };
        let mut register = Register::new(&options).unwrap();
        let refusal = register.refusal(&history.operations[0]);
        assert_eq!(refusal.is_some(), observe_failed_cas);
    }
}

#[test]
fn locks_know_their_holder() {
    let lines = "1 acquire 0..1
                 2 acquire 2..3
                 1 acquire 4..5
                 2 release 6..7
                 1 release 8..9
                 1 release 10..11";
    let (free, held) = ("free", "held by process 1");
    assert_eq!(
        from_nothing::<Mutex>(lines),
        [free, held, "refused", "refused", "refused", free, "refused"]
    );
    let twice = "held 2 times by process 1";
    assert_eq!(
        from_nothing::<ReentrantMutex>(lines),
        [free, held, "refused", twice, "refused", held, free]
    );
    let options = Options { initial: Value::Int(2), ..Options::default() };
    let left = |left: u64| format!("with {left} of 2 permits left");
    assert_eq!(
        states::<Semaphore>(lines, &options),
        [left(2), left(1), left(0), "refused".to_owned(), left(1), left(2), "refused".to_owned()]
    );
}

#[test]
fn a_set_is_read_in_any_order_and_names_nothing_twice() {
    let lines = "0 add 1 0..1
                 0 add 2 2..3
                 0 add 2 4..5
                 0 read -> [2 1] 6..7
                 0 read -> [2 1 1] 8..9
                 0 contains 1 -> true 10..11
                 0 contains 1 -> false 12..13
                 0 remove 1 14..15
                 0 remove 1 16..17";
    assert_eq!(
        from_nothing::<Set>(lines),
        ["[]", "[1]", "[1 2]", "same", "same", "refused", "same", "refused", "[2]", "same"]
    );
}

#[test]
fn a_counter_adds_and_subtracts() {
    let lines = "0 add 5 0..1
                 0 inc 2..3
                 0 dec 3 4..5
                 0 add 0 5..5
                 0 read -> 3 6..7
                 0 read -> 4 8..9";
    assert_eq!(from_nothing::<Counter>(lines), ["0", "5", "6", "3", "same", "refused"]);
}

#[test]
fn containers_differ_in_what_comes_next() {
    let lines = |put: &str, take: &str, values: [i64; 3]| {
        let [a, b, c] = values;
        format!(
            "0 {take} -> nil 0..1
             0 {put} 2 2..3
             0 {put} 1 4..5
             0 {put} 3 6..7
             0 {take} -> {a} 8..9
             0 {take} 10..
             0 {take} -> {b} 11..12
             0 {take} -> {c} 13..14
             0 {take} 15.."
        )
    };
    let queue = from_nothing::<FifoQueue>(&lines("enqueue", "dequeue", [2, 3, 1]));
    let full = ["[]", "same", "[2]", "[2 1]", "[2 1 3]"];
    assert_eq!(queue[..5], full);
    assert_eq!(queue[5..], ["[1 3]", "[3]", "[]", "refused", "same"]);
    let stack = from_nothing::<Stack>(&lines("push", "pop", [3, 2, 1]));
    assert_eq!(stack[..5], full);
    assert_eq!(stack[5..], ["[2 1]", "[2]", "[]", "refused", "same"]);
    let priority = from_nothing::<PriorityQueue>(&lines("insert", "delete-min", [1, 3, 2]));
    assert_eq!(priority[..5], ["[]", "same", "[2]", "[1 2]", "[1 2 3]"]);
    assert_eq!(priority[5..], ["[2 3]", "[3]", "[]", "refused", "same"]);
}

#[test]
fn strings_grow_and_are_replaced() {
    let lines = r#"0 append@x "a" 0..1
                   0 append@x "bc" 2..3
                   0 get@x -> "abc" 4..5
                   0 get@x -> "ab" 6..7
                   0 append@y "c" 8..9
                   0 put@x "ab" 10..11
                   0 get@x -> "ab" 12..13"#;
    let unseen = "what no get returned";
    assert_eq!(
        from_nothing::<AppendString>(lines),
        [
            format!(r#"x: "" and y: {unseen}"#),
            format!(r#"x: "a" and y: {unseen}"#),
            format!(r#"x: "abc" and y: {unseen}"#),
            "same".to_owned(),
            "refused".to_owned(),
            "same".to_owned(),
            format!(r#"x: "ab" and y: {unseen}"#),
            "same".to_owned(),
        ]
    );
}

#[test]
fn transactions_read_what_they_wrote() {
    let lines = r#"0 txn [["w" "x" 1] ["r" "x" nil]] -> [["w" "x" 1] ["r" "x" 1]] 0..1
                   0 txn [["r" "x" nil] ["r" "y" nil]] -> [["r" "x" 1] ["r" "y" 0]] 2..3
                   0 txn [["r" "y" nil] ["w" "y" 2]] -> [["r" "y" 1] ["w" "y" 2]] 4..5
                   0 txn [["r" "x" nil]] 6.."#;
    let options = Options { initial: Value::Int(0), ..Options::default() };
    let (first, then) = ("x = 0 and y = 0".to_owned(), "x = 1 and y = 0".to_owned());
    let (same, refused) = ("same".to_owned(), "refused".to_owned());
    assert_eq!(states::<MultiRegister>(lines, &options), [first, then, same, refused]);
    let pair = |key: &str, value: i64| Value::pair(Value::from(key), Value::Int(value));
    let initial = Value::list([pair("x", 1), pair("y", 1)]);
    let options = Options { initial, ..Options::default() };
    assert_eq!(
        states::<MultiRegister>(lines, &options),
        ["x = 1 and y = 1", "same", "refused", "x = 1 and y = 2"]
    );
}

#[test]
fn ids_are_given_once() {
    let lines = "0 generate -> 7 0..1
                 0 generate -> 8 2..3
                 0 generate -> 7 4..5
                 0 generate 6..";
    assert_eq!(
        from_nothing::<UniqueIds>(lines),
        ["past giving []", "past giving [7]", "past giving [7 8]", "refused"]
    );
}

/// What is no operation of the object, or has a value that means nothing, is said in a sentence.
#[test]
fn what_is_not_understood_is_refused() {
    fn refusal<M: Model>(line: &str) -> String {
        let history = notation::history(line);
        let mut model = M::new(&Options::default()).unwrap();
        model.action(&history.operations[0]).err().unwrap()
    }
    assert_eq!(
        refusal::<Mutex>("0 lock 1 0..1"),
        "operation 0 is `lock`; a mutex has acquire and release"
    );
    assert!(refusal::<Mutex>("0 acquire -> false 0..1").contains("`fail`"));
    assert!(refusal::<Register>("0 cas 1 0..1").contains("[expected new]"));
    assert!(refusal::<Counter>("0 add \"x\" 0..1").contains("a number"));
    assert!(refusal::<Semaphore>("0 acquire -1 0..1").contains("how many"));
    assert!(refusal::<Set>("0 contains 1 -> 2 0..1").contains("true or false"));
    assert!(refusal::<Set>("0 read -> 2 0..1").contains("a list"));
    assert!(refusal::<AppendString>("0 get -> [1] 0..1").contains("a string"));
    assert!(refusal::<UniqueIds>("0 generate -> nil 0..1").contains("an id"));
    assert!(refusal::<MultiRegister>("0 txn [[\"x\" 1 2]] 0..1").contains("[r key value]"));
    assert!(refusal::<FifoQueue>("0 pop -> 1 0..1").contains("enqueue and dequeue"));
}
