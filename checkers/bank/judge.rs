//! Each read against the total and the accounts that there should be.

use super::accounts::{Accounts, entries, named_by};
use super::{Details, Why, Wrong};
use crate::checker::Options;
use crate::evidence::{Span, refusal};
use crate::history::{Operation, Outcome, Value};

/// What was found, and what it rests on.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub details: Details,
    /// Position of the read whose total and accounts the others are held to; `None` if they were
    /// given.
    pub reference: Option<usize>,
}

/// An account of a read, with its balance unless that is nil.
type Balance = (u32, Option<i64>);

/// What the reads are held to.
#[derive(Debug, Default)]
struct Expected {
    total: Option<i128>,
    /// By account: whether every read has to have it.
    required: Vec<bool>,
    /// By account: the start of the first transfer that names it.
    named_at: Vec<Option<u64>>,
}

pub(super) fn survey(operations: &[&Operation], options: &Options<'_>) -> Result<Survey, String> {
    let mut accounts = Accounts::default();
    let mut survey = Survey::default();
    let mut reads: Vec<(usize, Vec<Balance>)> = Vec::new();
    let mut named = Vec::new();
    for (position, operation) in operations.iter().enumerate() {
        let span = Span::of(operation)?;
        match (operation.f.as_str(), operation.outcome) {
            ("read", Outcome::Ok) => {
                let balances =
                    balances(&operation.output, &mut accounts).ok_or_else(|| misread(operation))?;
                reads.push((position, balances));
            }
            ("transfer", Outcome::Ok | Outcome::Info) => {
                survey.details.transfers += usize::from(operation.outcome == Outcome::Ok);
                for account in named_by(operation)? {
                    named.push((accounts.number(account), span.start));
                }
            }
            ("read" | "transfer", _) => {}
            _ => return Err(refusal(operation, "a bank has read and transfer")),
        }
    }
    survey.details.reads = reads.len();
    let mut expected = given(&options.initial, &mut accounts)?;
    expected.named_at = vec![None; accounts.len()];
    for (account, start) in named {
        let first = &mut expected.named_at[account as usize];
        *first = Some(first.map_or(start, |first: u64| first.min(start)));
    }
    if expected.required.is_empty() {
        survey.reference =
            hold_to_first(operations, &reads, &mut expected, (accounts.len(), options));
    }
    survey.details.total = expected.total;
    let mut seen = vec![0; accounts.len()];
    for (number, (position, balances)) in reads.iter().enumerate() {
        let operation = operations[*position];
        let sum = sum(balances);
        let details = &mut survey.details;
        details.least = Some(details.least.map_or(sum, |least| least.min(sum)));
        details.greatest = Some(details.greatest.map_or(sum, |greatest| greatest.max(sum)));
        let end = Span::of(operation)?.finish;
        let mark = number + 1;
        if let Some(why) = expected.judge(balances, end, options, (&mut seen, mark), &accounts) {
            details.wrong.push(Wrong { operation: operation.index, why });
        }
    }
    Ok(survey)
}

/// What is given: a total, or a map of accounts. Nothing if it is nil.
fn given<'a>(initial: &'a Value, accounts: &mut Accounts<'a>) -> Result<Expected, String> {
    let mut expected = Expected::default();
    match initial {
        Value::Nil => {}
        Value::Int(total) => expected.total = Some(i128::from(*total)),
        map => {
            let balances = balances(map, accounts).ok_or_else(|| {
                format!(
                    "the bank begins with {map}, which is neither a total nor a map of balances"
                )
            })?;
            expected.total = Some(sum(&balances));
            expected.required = vec![false; accounts.len()];
            for (account, _) in balances {
                expected.required[account as usize] = true;
            }
        }
    }
    Ok(expected)
}

/// Holds all reads to the first that returned and is not wrong by itself. A total that was given
/// stays.
fn hold_to_first(
    operations: &[&Operation],
    reads: &[(usize, Vec<Balance>)],
    expected: &mut Expected,
    (accounts, options): (usize, &Options<'_>),
) -> Option<usize> {
    let is_sound =
        |balances: &[Balance]| !balances.iter().any(|(_, balance)| is_wrong(*balance, options));
    let (position, balances) =
        reads.iter().filter(|(_, balances)| is_sound(balances)).min_by_key(|(position, _)| {
            (operations[*position].complete, operations[*position].index)
        })?;
    expected.required = vec![false; accounts];
    for (account, _) in balances {
        expected.required[*account as usize] = true;
    }
    expected.total.get_or_insert(sum(balances));
    Some(*position)
}

impl Expected {
    /// `seen` has the mark of the last read that had each account.
    fn judge(
        &self,
        balances: &[Balance],
        end: u64,
        options: &Options<'_>,
        (seen, mark): (&mut [usize], usize),
        accounts: &Accounts<'_>,
    ) -> Option<Why> {
        if let Some((account, balance)) = balances.iter().find(|(_, b)| is_wrong(*b, options)) {
            let account = accounts.name(*account);
            return Some(match *balance {
                None => Why::NilBalance { account },
                Some(balance) => Why::NegativeBalance { account, balance },
            });
        }
        let is_required = |account: usize| self.required.get(account).copied().unwrap_or(false);
        for (account, _) in balances {
            let number = *account as usize;
            seen[number] = mark;
            let named = self.named_at[number].is_some_and(|start| start <= end);
            if !self.required.is_empty() && !is_required(number) && !named {
                return Some(Why::UnexpectedAccount { account: accounts.name(*account) });
            }
        }
        if let Some(missing) = (0..seen.len()).find(|a| is_required(*a) && seen[*a] != mark) {
            return Some(Why::MissingAccount { account: accounts.name(missing as u32) });
        }
        let sum = sum(balances);
        self.total.is_some_and(|total| total != sum).then_some(Why::WrongTotal { sum })
    }
}

/// Whether a balance is wrong whatever others read: none, or below zero where that is not allowed.
fn is_wrong(balance: Option<i64>, options: &Options<'_>) -> bool {
    balance.is_none_or(|balance| balance < 0 && !options.negative_balances)
}

fn sum(balances: &[Balance]) -> i128 {
    balances.iter().filter_map(|(_, balance)| balance.map(i128::from)).sum()
}

/// The balances of a map; `None` if it is none, has an account twice, or a balance is no integer.
fn balances<'a>(map: &'a Value, accounts: &mut Accounts<'a>) -> Option<Vec<Balance>> {
    let mut balances = Vec::new();
    for (account, balance) in entries(map)? {
        let balance = match balance {
            Value::Int(balance) => Some(*balance),
            Value::Nil => None,
            _ => return None,
        };
        balances.push((accounts.number(account), balance));
    }
    let mut ids: Vec<u32> = balances.iter().map(|(account, _)| *account).collect();
    ids.sort_unstable();
    ids.windows(2).all(|pair| pair[0] != pair[1]).then_some(balances)
}

fn misread(operation: &Operation) -> String {
    format!(
        "operation {} returned {}; a read of a bank returns a map of accounts to balances, each \
         account once",
        operation.index, operation.output
    )
}
