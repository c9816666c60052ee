//! Small pieces of the sentences that findings and verdicts are made of.

/// `n1`, `n1 and n2`, `n1, n2 and n3`.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => "none".into(),
        [one] => one.as_ref().into(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `1 key`, `3 keys`, `12,345 keys`.
pub fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", thousands(number)),
    }
}

/// `1,234,567`.
pub fn thousands(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_counts_read_as_a_person_says_them() {
        assert_eq!(list::<&str>(&[]), "none");
        assert_eq!(list(&["n1"]), "n1");
        assert_eq!(list(&["n1", "n2", "n3"]), "n1, n2 and n3");
        assert_eq!((count(1, "key"), count(0, "key")), ("1 key".into(), "0 keys".into()));
        assert_eq!(count(1_002_345, "key"), "1,002,345 keys");
    }
}
