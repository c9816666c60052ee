//! Amounts of memory as people write them: `4GiB`, `500MB`; the unit is needed.

/// Units with their size in bytes.
const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads `4GiB`, `500 MB`, `1.5GiB`.
///
/// # Errors
/// What is wrong and what would be accepted, for a person.
pub fn parse(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim_start());
    let wrong = |what: &str| format!("`{text}` {what}; accepted: `4GiB`, `500MiB`, `2GB`");
    if !number.is_empty() && unit.is_empty() {
        return Err(wrong("has no unit"));
    }
    let size = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size);
    let (Some(size), Ok(number)) = (size, number.parse::<f64>()) else {
        return Err(wrong("is not an amount of memory"));
    };
    let bytes = number * size as f64;
    // Exact: the largest that is accepted is far below 2^53.
    match bytes {
        1.0..=1e15 => Ok(bytes as usize),
        _ => Err(wrong("is not between one byte and 1000 TB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_unit() {
        assert_eq!(parse("4GiB"), Ok(4 << 30));
        assert_eq!(parse("500 MB"), Ok(500_000_000));
        assert_eq!(parse("1.5KiB"), Ok(1536));
        assert_eq!(parse("64B"), Ok(64));
        for (text, what) in [
            ("4", "has no unit"),
            ("", "is not an amount"),
            ("GiB", "is not an amount"),
            ("4 gigabytes", "is not an amount"),
            ("1.2.3GiB", "is not an amount"),
            ("-1GiB", "is not an amount"),
            ("0B", "is not between"),
            ("9999TiB", "is not between"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(what) && error.contains("accepted: `4GiB`"), "{text}: {error}");
        }
    }
}
