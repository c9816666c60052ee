//! Durations as people write them: `10s`, `250ms`, `1m30s`; exact to the nanosecond both ways.
//!
//! Also a serde module: `#[serde(with = "duration")]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Units with their length in nanoseconds, longest first.
const UNITS: [(&str, u128); 6] = [
    ("h", 3600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// No run and no part of one is longer.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotADuration {
    #[error("`{0}` has no unit")]
    NoUnit(String),
    #[error("`{0}` is negative")]
    Negative(String),
    #[error("`{0}` is longer than a week")]
    TooLong(String),
    #[error("`{0}` is not a duration")]
    Other(String),
}

impl NotADuration {
    /// What would be accepted.
    pub fn accepted(&self) -> String {
        match self {
            NotADuration::NoUnit(number) => format!("a unit: `{number}s`, `{number}ms`"),
            NotADuration::Negative(text) => format!("`{}`", text.trim_start_matches('-')),
            NotADuration::TooLong(_) => "at most `168h`".to_string(),
            NotADuration::Other(_) => "a number with a unit: `10s`, `250ms`, `1m30s`".to_string(),
        }
    }
}

/// Reads `10s`, `250ms`, `1.5s`, `1m30s`, `1m 30s`; units h, m, s, ms, us, ns.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let trimmed = text.trim();
    if let Some(rest) = trimmed.strip_prefix('-')
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(NotADuration::Negative(trimmed.to_string()));
    }
    if !trimmed.is_empty() && trimmed.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(NotADuration::NoUnit(trimmed.to_string()));
    }
    let nanos = nanoseconds(trimmed).ok_or_else(|| NotADuration::Other(trimmed.to_string()))?;
    if nanos > LONGEST.as_nanos() {
        return Err(NotADuration::TooLong(trimmed.to_string()));
    }
    Ok(Duration::new((nanos / NANOS_PER_SECOND) as u64, (nanos % NANOS_PER_SECOND) as u32))
}

/// The sum of all parts; units have to come in the order from long to short.
fn nanoseconds(text: &str) -> Option<u128> {
    let (mut rest, mut sum, mut allowed) = (text, 0u128, &UNITS[..]);
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let position = allowed.iter().position(|&(name, _)| name == unit)?;
        sum = sum.checked_add(scaled(number, allowed[position].1)?)?;
        (allowed, rest) = (&allowed[position + 1..], after.trim_start());
    }
    (!text.is_empty()).then_some(sum)
}

/// A decimal number times a unit, if that is a whole number of nanoseconds.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let denominator = 10u128.checked_pow(fraction.len() as u32)?;
    let numerator = fraction.parse::<u128>().ok()?.checked_mul(unit)?;
    if !numerator.is_multiple_of(denominator) {
        return None;
    }
    whole.parse::<u128>().ok()?.checked_mul(unit)?.checked_add(numerator / denominator)
}

/// Writes `8s`, `250ms`, `1m30s`, `1.5s`; [`parse`] reads back exactly the same duration.
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_string();
    }
    if nanos < NANOS_PER_SECOND {
        let divides = |(_, length): &&(&str, u128)| nanos.is_multiple_of(*length);
        let (unit, length) = UNITS[3..].iter().find(divides).expect("1 ns divides all");
        return format!("{}{unit}", nanos / length);
    }
    let seconds = duration.as_secs();
    let mut text = String::new();
    for (unit, count) in [("h", seconds / 3600), ("m", seconds / 60 % 60)] {
        if count > 0 {
            text += &format!("{count}{unit}");
        }
    }
    let fraction = format!("{:09}", duration.subsec_nanos());
    match (seconds % 60, fraction.trim_end_matches('0')) {
        (0, "") => {}
        (whole, "") => text += &format!("{whole}s"),
        (whole, fraction) => text += &format!("{whole}.{fraction}s"),
    }
    text
}

pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text)
        .map_err(|error| de::Error::custom(format!("{error}; accepted: {}", error.accepted())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_exactly() {
        for (text, nanos) in [
            ("0s", 0),
            ("8s", 8_000_000_000),
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("1m30s", 90_000_000_000),
            ("2h", 7_200_000_000_000),
            ("1h0.000000001s", 3_600_000_000_001),
            ("3.333333333s", 3_333_333_333),
            ("17us", 17_000),
            ("1500us", 1_500_000),
            ("7ns", 7),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(format(duration), text);
            assert_eq!(parse(text), Ok(duration));
        }
    }

    #[test]
    fn other_ways_to_write_it() {
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("0.5m"), Ok(Duration::from_secs(30)));
    }

    #[test]
    fn what_is_refused_and_why() {
        let other = |text: &str| NotADuration::Other(text.to_string());
        for (text, expected) in [
            ("10", NotADuration::NoUnit("10".to_string())),
            ("-3s", NotADuration::Negative("-3s".to_string())),
            ("9999h", NotADuration::TooLong("9999h".to_string())),
            ("", other("")),
            ("s", other("s")),
            ("1..5s", other("1..5s")),
            ("30s1m", other("30s1m")),
            ("1s1s", other("1s1s")),
            ("5 minutes", other("5 minutes")),
            ("0.5ns", other("0.5ns")),
            (
                "99999999999999999999999999999999999999999s",
                other("99999999999999999999999999999999999999999s"),
            ),
        ] {
            assert_eq!(parse(text), Err(expected));
        }
    }
}
