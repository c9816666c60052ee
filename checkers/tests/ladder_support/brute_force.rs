//! The oracle: every model straight from its definition, by trying every order. Slow, and
//! obviously right.

use std::collections::BTreeMap;

use splitbrain_checkers::history::{Function, Operation, Outcome, Time, Value};
use splitbrain_checkers::ladder::Model;

/// A key and a value of it, as numbers; 0 is nil.
type Cell = (usize, i64);

/// What each key holds.
type Store = [i64; 4];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Micro {
    Read(Cell),
    Write(Cell),
}

#[derive(Debug, Clone)]
struct Transaction {
    session: usize,
    steps: Vec<Micro>,
}

impl Transaction {
    fn written(&self) -> impl Iterator<Item = Cell> {
        self.steps.iter().filter_map(|step| match step {
            Micro::Write(cell) => Some(*cell),
            Micro::Read(_) => None,
        })
    }

    fn wrote(&self, cell: Cell) -> bool {
        self.written().any(|written| written == cell)
    }

    /// What it left, per key.
    fn left(&self) -> Vec<Cell> {
        let last: BTreeMap<usize, i64> = self.written().collect();
        last.into_iter().collect()
    }

    fn leave(&self, store: &mut Store) {
        self.written().for_each(|(key, value)| store[key] = value);
    }

    /// What it found that it had not written before.
    fn found(&self) -> Vec<Cell> {
        let mut own = Vec::new();
        let mut found = Vec::new();
        for step in &self.steps {
            match step {
                Micro::Write((key, _)) => own.push(*key),
                Micro::Read(cell) if !own.contains(&cell.0) => found.push(*cell),
                Micro::Read(_) => {}
            }
        }
        found
    }
}

/// What an operation wrote, and what it found.
pub fn written_and_found(operation: &Operation) -> (Vec<Cell>, Vec<Cell>) {
    let transaction = Transaction { session: 0, steps: steps(operation) };
    (transaction.written().collect(), transaction.found())
}

/// Whether the operations, in the order of their invocations, satisfy a model (of those that are
/// not about real time): some choice of the unanswered ones took effect. Values are unique.
pub fn satisfies(model: Model, operations: &[Operation]) -> bool {
    let mut sessions: BTreeMap<u64, usize> = BTreeMap::new();
    let mut all: Vec<(Outcome, Transaction)> = Vec::new();
    for operation in operations.iter().filter(|o| o.outcome != Outcome::Fail) {
        let steps = steps(operation);
        if steps.is_empty() {
            continue;
        }
        let next = all.len();
        let session = *sessions.entry(operation.process).or_insert(next);
        // A session ends with an operation that was left without an answer.
        if operation.outcome == Outcome::Info {
            sessions.remove(&operation.process);
        }
        all.push((operation.outcome, Transaction { session, steps }));
    }
    let unanswered: Vec<usize> = (0..all.len()).filter(|i| all[*i].0 == Outcome::Info).collect();
    (0..1_u32 << unanswered.len()).any(|choice| {
        let is_in = |i: usize| match unanswered.iter().position(|other| *other == i) {
            Some(bit) => choice >> bit & 1 == 1,
            None => true,
        };
        let part = |wanted: bool| -> Vec<Transaction> {
            let chosen = (0..all.len()).filter(|i| is_in(*i) == wanted);
            chosen.map(|i| all[i].1.clone()).collect()
        };
        let (chosen, rest) = (part(true), part(false));
        let writes = |all: &[Transaction], cell| all.iter().any(|t| t.wrote(cell));
        // What was read took effect.
        let is_missing = |cell: Cell| !writes(&chosen, cell) && writes(&rest, cell);
        !chosen.iter().any(|reader| reader.found().into_iter().any(is_missing))
            && satisfied(model, &chosen)
    })
}

fn steps(operation: &Operation) -> Vec<Micro> {
    let cell = |key: &str, value: &Value| (key_number(key), value_number(value));
    let key = operation.key.as_deref().unwrap_or("");
    let acknowledged = operation.outcome == Outcome::Ok;
    match &operation.f {
        Function::Read if acknowledged => vec![Micro::Read(cell(key, &operation.output))],
        Function::Read => Vec::new(),
        Function::Write => vec![Micro::Write(cell(key, &operation.input))],
        Function::Cas => {
            let (expected, new) = operation.input.as_pair().unwrap();
            vec![Micro::Read(cell(key, expected)), Micro::Write(cell(key, new))]
        }
        _ => {
            let said = if acknowledged { &operation.output } else { &operation.input };
            let Value::List(said) = said else { panic!("a transaction is a list") };
            let micro = |step: &Value| {
                let Value::List(parts) = step else { panic!("a step is a list") };
                let cell = cell(&parts[1].to_string(), &parts[2]);
                match parts[0].to_string().as_str() {
                    "r" => acknowledged.then_some(Micro::Read(cell)),
                    _ => Some(Micro::Write(cell)),
                }
            };
            said.iter().filter_map(micro).collect()
        }
    }
}

fn key_number(key: &str) -> usize {
    match key {
        "x" => 0,
        "y" => 1,
        "z" => 2,
        other => other[1..].parse().expect("keys are x, y, z or k and a number"),
    }
}

fn value_number(value: &Value) -> i64 {
    match value {
        Value::Nil => 0,
        Value::Int(value) => *value,
        other => panic!("{other} is not written here"),
    }
}

type Relation = Vec<Vec<bool>>;

fn session_order(transactions: &[Transaction]) -> Relation {
    let count = transactions.len();
    let before = |i: usize, j: usize| i < j && transactions[i].session == transactions[j].session;
    (0..count).map(|i| (0..count).map(|j| before(i, j)).collect()).collect()
}

/// Session order and reads-from, transitively.
fn causal_order(transactions: &[Transaction]) -> Relation {
    let count = transactions.len();
    let mut before = session_order(transactions);
    for (j, reader) in transactions.iter().enumerate() {
        for cell in reader.found() {
            for (i, writer) in transactions.iter().enumerate() {
                before[i][j] |= writer.wrote(cell);
            }
        }
    }
    for middle in 0..count {
        for i in 0..count {
            for j in 0..count {
                before[i][j] |= before[i][middle] && before[middle][j];
            }
        }
    }
    before
}

fn satisfied(model: Model, transactions: &[Transaction]) -> bool {
    let sessions = transactions.iter().map(|t| t.session + 1).max().unwrap_or(0);
    let all: Vec<usize> = (0..transactions.len()).collect();
    match model {
        Model::Sequential => {
            let order = session_order(transactions);
            has_order(transactions, &all, &order, &|_| true)
        }
        Model::Pram => (0..sessions).all(|session| {
            let order = session_order(transactions);
            let is_own = |i: usize| transactions[i].session == session;
            has_order(transactions, &all, &order, &is_own)
        }),
        Model::CausalMemory => {
            let order = causal_order(transactions);
            (0..sessions).all(|session| {
                let is_own = |i: usize| transactions[i].session == session;
                has_order(transactions, &all, &order, &is_own)
            })
        }
        Model::Causal => {
            let order = causal_order(transactions);
            !(0..all.len()).any(|i| order[i][i])
                && all.iter().all(|reader| {
                    let past: Vec<usize> =
                        all.iter().copied().filter(|i| order[*i][*reader] || i == reader).collect();
                    has_order(transactions, &past, &order, &|i| i == *reader)
                })
        }
        Model::CausalConvergence => {
            let order = causal_order(transactions);
            // Each transaction is placed after its past, so it can be looked at when it is.
            let mut explains = |placed: &[usize], next: usize| {
                let mut store = Store::default();
                let past = placed.iter().filter(|i| order[**i][next]);
                past.for_each(|i| transactions[*i].leave(&mut store));
                is_legal(&transactions[next], store)
            };
            place(&all, &order, &mut Vec::new(), &mut explains)
        }
        _ => (0..sessions).all(|session| {
            let constraints = constraints(model, transactions, session);
            (0..Store::default().len()).all(|key| versions_have_order(key, &constraints))
        }),
    }
}

/// Whether a transaction finds in the store what it read.
fn is_legal(transaction: &Transaction, mut store: Store) -> bool {
    transaction.steps.iter().all(|step| match *step {
        Micro::Read((key, value)) => store[key] == value,
        Micro::Write((key, value)) => {
            store[key] = value;
            true
        }
    })
}

/// Whether some total order of `members` contains `before` and explains the reads of all that
/// `counts`.
fn has_order(
    transactions: &[Transaction],
    members: &[usize],
    before: &Relation,
    counts: &dyn Fn(usize) -> bool,
) -> bool {
    place(members, before, &mut Vec::new(), &mut |placed, next| {
        let mut store = Store::default();
        placed.iter().for_each(|i| transactions[*i].leave(&mut store));
        !counts(next) || is_legal(&transactions[next], store)
    })
}

/// Whether the rest of `members` can be placed; `allows` is asked for each next one.
fn place(
    members: &[usize],
    before: &Relation,
    placed: &mut Vec<usize>,
    allows: &mut dyn FnMut(&[usize], usize) -> bool,
) -> bool {
    if placed.len() == members.len() {
        return true;
    }
    for &next in members {
        let waits = |other: &usize| !placed.contains(other) && before[*other][next];
        if placed.contains(&next) || members.iter().any(waits) || !allows(placed, next) {
            continue;
        }
        placed.push(next);
        let found = place(members, before, placed, allows);
        placed.pop();
        if found {
            return true;
        }
    }
    false
}

/// All pairs "the first is not newer than the second" that a session has seen.
fn constraints(model: Model, transactions: &[Transaction], session: usize) -> Vec<(Cell, Cell)> {
    let own: Vec<usize> =
        (0..transactions.len()).filter(|i| transactions[*i].session == session).collect();
    let mut result = Vec::new();
    let mut add = |older: Cell, newer: Cell| {
        if older.0 == newer.0 {
            result.push((older, newer));
        }
    };
    // What of each transaction the guarantee is about.
    let subject = |i: usize| match model {
        Model::ReadYourWrites | Model::MonotonicWrites => transactions[i].left(),
        _ => transactions[i].found(),
    };
    let is_before = |i: usize, j: usize| {
        transactions[i].session == transactions[j].session
            && (i < j || i == j && model == Model::WritesFollowReads)
    };
    if matches!(model, Model::ReadYourWrites | Model::MonotonicReads) {
        for (i, j) in pairs(&own) {
            for older in subject(i) {
                transactions[j].found().into_iter().for_each(|newer| add(older, newer));
            }
        }
        return result;
    }
    for i in 0..transactions.len() {
        for j in (0..transactions.len()).filter(|j| is_before(i, *j)) {
            for older in subject(i) {
                transactions[j].left().into_iter().for_each(|newer| add(older, newer));
            }
        }
    }
    for (first, later) in pairs(&own) {
        for seen in transactions[first].found() {
            for writer in (0..transactions.len()).filter(|j| transactions[*j].wrote(seen)) {
                for i in (0..transactions.len()).filter(|i| is_before(*i, writer)) {
                    for older in subject(i) {
                        transactions[later].found().into_iter().for_each(|newer| add(older, newer));
                    }
                }
            }
        }
    }
    result
}

fn pairs(own: &[usize]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (position, first) in own.iter().enumerate() {
        pairs.extend(own[position + 1..].iter().map(|later| (*first, *later)));
    }
    pairs
}

/// Whether the versions of a key can be put in an order, nil first, that satisfies the
/// constraints.
fn versions_have_order(key: usize, constraints: &[(Cell, Cell)]) -> bool {
    let of_key = || constraints.iter().filter(|(older, _)| older.0 == key);
    let mut versions = vec![0];
    versions.extend(of_key().flat_map(|(older, newer)| [older.1, newer.1]));
    versions.sort();
    versions.dedup();
    let index = |value: i64| versions.iter().position(|other| *other == value).unwrap();
    let mut before = vec![vec![false; versions.len()]; versions.len()];
    for (older, newer) in of_key() {
        before[index(older.1)][index(newer.1)] |= older != newer;
    }
    before[0][1..].fill(true);
    let members: Vec<usize> = (0..versions.len()).collect();
    place(&members, &before, &mut Vec::new(), &mut |_, _| true)
}

/// Whether no two sessions' last words differ, written out from the definition.
pub fn is_eventual(operations: &[Operation]) -> bool {
    let acknowledged = |o: &&Operation| o.outcome == Outcome::Ok;
    let reads = |cell: &Cell| -> Vec<&Operation> {
        let returned = |o: &&Operation| steps(o).contains(&Micro::Read(*cell));
        operations.iter().filter(acknowledged).filter(returned).collect()
    };
    (0..Store::default().len()).all(|key| {
        let mut quiet = None;
        for operation in operations.iter().filter(|o| o.outcome != Outcome::Fail) {
            for step in steps(operation) {
                let Micro::Write(cell) = step else { continue };
                if cell.0 != key {
                    continue;
                }
                let took_effect_by = match operation.outcome {
                    Outcome::Ok => operation.complete,
                    _ => reads(&cell).iter().map(|read| read.complete.unwrap()).min(),
                };
                quiet = quiet.max(took_effect_by);
            }
        }
        let ends = operations.iter().map(|o| o.complete.unwrap_or(o.invoke).0);
        let end = ends.max().unwrap_or(0);
        let is_late = |Time(read): Time| {
            quiet.is_none_or(|Time(quiet)| read > quiet && 2 * read >= quiet + end)
        };
        let mut words: BTreeMap<u64, i64> = BTreeMap::new();
        for operation in operations.iter().filter(acknowledged) {
            for step in steps(operation) {
                match step {
                    Micro::Read((read, value)) if read == key && is_late(operation.invoke) => {
                        words.insert(operation.process, value);
                    }
                    _ => {}
                }
            }
        }
        let mut words = words.values();
        let first = words.next();
        words.all(|word| Some(word) == first)
    })
}
