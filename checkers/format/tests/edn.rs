//! Jepsen's EDN: as it should be, cut off, broken; keys in values, and events without a process.

use super::*;
use crate::history::{Outcome, Time};

const EDN: &str = "; a comment\n[{:process 4, :type :invoke, :f :write, :value 2, :time 10}
 {:process 4, :type :ok,
  :f :write, :value 2, :time 20}
 {:process :nemesis, :type :info, :f :start, :value {:a #{:n1}}, :time 25}
 {:process 6, :type :invoke, :f :read, :value nil, :error [:timeout nil], :time 30}]";

#[test]
fn edn_in_a_vector_and_line_by_line() {
    let reading = read_text(EDN);
    assert_eq!((reading.format, reading.problems.as_slice()), (Format::Edn, [].as_slice()));
    let [write, read] = &reading.history.operations[..] else { panic!("{reading:?}") };
    assert_eq!((write.to_string().as_str(), write.complete), ("w(2)", Some(Time(20))));
    assert_eq!((read.index, read.outcome), (3, Outcome::Info));
    assert_eq!(reading.history.nemesis[0].value.to_string(), "[[a [n1]]]");
    let lines = EDN.replace(['[', ']'], " ").replace(":timeout nil", "[:timeout nil]");
    assert_eq!(read_text(&lines).history, reading.history);
}

#[test]
fn edn_cut_off_or_broken() {
    let reading = read_text(&EDN[..EDN.len() - 10]);
    let [cut] = &reading.problems[..] else { panic!("{:?}", reading.problems) };
    assert_eq!((cut.line, cut.kind), (6, ProblemKind::CutOff));
    assert_eq!(reading.history.operations.len(), 1);

    let reading = read_text(&EDN[..EDN.len() - 1]);
    let [open] = &reading.problems[..] else { panic!("{:?}", reading.problems) };
    assert!(open.message.contains("`]`"), "{open}");
    assert!(!reading.has_gaps());

    let broken = EDN.replace(":type :info", ":type :maybe").replace(":value 2, :time 20}", "]}");
    let reading = read_text(&broken);
    assert_eq!(
        reading.problems,
        [
            problem(
                4,
                ProblemKind::Unreadable,
                "`]` where a value was expected; events before and after it are read"
            ),
            problem(
                5,
                ProblemKind::Unreadable,
                "`:type :maybe`; expected :invoke, :ok, :fail or :info"
            ),
        ]
    );
    assert_eq!(reading.history.operations.len(), 2);
    assert!(reading.has_gaps());
    let reading = read_text("{:type :ok, :f :read}\n[1]\n{:process -1, :type :ok}");
    assert_eq!(reading.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn records_with_tagged_tuples() {
    let text = "#jepsen.history.Op{:index 0, :time 5, :type :invoke, :process 0, :f :add, \
                :value #jepsen.independent.Tuple[k 1]}
#jepsen.history.Op{:index 1, :time 9, :type :ok, :process 0, :f :add, \
                :value #jepsen.independent.Tuple[k 1], :node \"n1\"}";
    let reading = read_text(text);
    assert_eq!((reading.format, reading.problems.as_slice()), (Format::Edn, [].as_slice()));
    let [add] = &reading.history.operations[..] else { panic!("{reading:?}") };
    assert_eq!((add.key.as_deref(), add.to_string().as_str()), (Some("k"), "add(1)"));
    assert_eq!((add.invoke, add.complete), (Time(5), Some(Time(9))));
}

#[test]
fn values_of_registers_by_key_are_taken_apart() {
    let keyed = "{:process 0 :type :invoke :f :write :value [x 1]}
{:process 0 :type :ok :f :write :value [x 1]}
{:process 1 :type :invoke :f :read :value [7 nil]}
{:process 1 :type :ok :f :read :value [7 nil]}
{:process 2 :type :invoke :f :cas :value [x [1 2]]}";
    let shown = |text: &str| -> Vec<String> {
        let reading = read_text(text);
        assert_eq!(reading.problems, []);
        let show = |operation: &crate::history::Operation| {
            format!("{:?} {operation}", operation.key.as_deref())
        };
        reading.history.operations.iter().map(show).collect()
    };
    assert_eq!(
        shown(keyed),
        ["Some(\"x\") w(1)", "Some(\"7\") r -> nil", "Some(\"x\") cas(1 -> 2)"]
    );
    // One plain cas, and the register holds vectors.
    let plain = keyed.replace("[x [1 2]]", "[1 2]");
    assert_eq!(shown(&plain), ["None w([x 1])", "None r -> [7 nil]", "None cas(1 -> 2)"]);
    let tagged = "{:process 2 :type :invoke :f :cas :value #jepsen.independent/tuple [x [1 2]]}";
    assert_eq!(shown(tagged), ["Some(\"x\") cas(1 -> 2)"]);
}

#[test]
fn values_of_other_objects_by_key_are_taken_apart() {
    let keys = |text: &str| -> Vec<String> {
        let reading = read_text(text);
        let operations = reading.history.operations;
        operations.iter().filter_map(|o| Some(format!("{} {o}", o.key.as_deref()?))).collect()
    };
    let set = "{:process 0 :type :invoke :f :add :value [a 1]}
{:process 0 :type :ok :f :add :value [a 1]}
{:process 1 :type :invoke :f :read :value [a nil]}
{:process 1 :type :info :f :read :value nil}";
    assert_eq!(keys(set), ["a add(1)", "a r -> ?"]);
    // A set of pairs, transactions, and a history whose reads do not name a key.
    assert!(keys(&set.replace("[a nil]", "nil")).is_empty());
    assert!(keys(&set.replace(":add", ":txn")).is_empty());
    assert!(keys(&set.replace("[a 1]", "[[a] 1]")).is_empty());
    let json = r#"[{"process":0,"type":"invoke","f":"add","value":["a",1]},
{"process":1,"type":"invoke","f":"read","value":["a",null]}]"#;
    assert_eq!(keys(json), ["a add(1)", "a r -> ?"]);
}

#[test]
fn events_without_a_process_are_paired_by_what_they_do() {
    let text = "{:type :invoke :f :read :value nil} {:type :invoke :f :write :value 1}
{:type :invoke :f :write :value 2} {:type :ok :f :write :value 2}
{:process :nemesis :type :info :f :start} {:type :ok :f :read :value 2} {:type :fail :f :write}";
    let reading = read_text(text);
    assert_eq!(reading.problems, []);
    let shown: Vec<String> = reading
        .history
        .operations
        .iter()
        .map(|o| format!("{} {o} {:?} {:?}", o.process, o.complete.map(|t| t.0), o.outcome))
        .collect();
    assert_eq!(shown, ["0 r -> 2 Some(5) Ok", "1 w(1) Some(6) Fail", "2 w(2) Some(3) Ok"]);
}

#[test]
fn events_without_a_process_that_cannot_be_paired_are_refused() {
    let text = "{:type :invoke :f :read} {:type :invoke :f :read}
{:type :ok :f :read :value 3}
{:type :ok :f :write :value 3}
{:process 0 :type :invoke :f :read}";
    let reading = read_text(text);
    assert_eq!(
        reading.problems,
        [
            problem(
                2,
                ProblemKind::Inconsistent,
                "event 2: 2 `read` without a process are in flight, and which of them this \
                 completes is not said; give each event its `process`"
            ),
            problem(
                3,
                ProblemKind::Inconsistent,
                "event 3: no `write` without a process is in flight that this could complete"
            ),
            problem(
                4,
                ProblemKind::Inconsistent,
                "this event has a `process` and events before it have none; either all events \
                 have it or none"
            ),
        ]
    );
    assert!(reading.has_gaps());
}
