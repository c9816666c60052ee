//! Numbers and words as every output prints them, and text fitted to a width.

use std::time::Duration;

use unicode_width::UnicodeWidthChar;

/// Three significant digits in the unit that fits: `830 µs`, `1.24 ms`, `12.3 s`.
pub fn duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos() as f64;
    if nanoseconds == 0.0 {
        return "0 s".to_string();
    }
    // 999.5 of a unit would print as 1000 of it, so it is one of the next.
    for (unit, size) in [("ns", 1.0), ("µs", 1e3), ("ms", 1e6)] {
        if nanoseconds / size < 999.5 {
            return format!("{} {unit}", three_digits(nanoseconds / size));
        }
    }
    format!("{} s", three_digits(nanoseconds / 1e9))
}

fn three_digits(number: f64) -> String {
    if number < 9.995 {
        format!("{number:.2}")
    } else if number < 99.95 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    }
}

/// A share (0 to 1) in percent with one decimal. Only a whole is `100` and only nothing is `0`:
/// one failure in a million does not round away.
pub fn percent(share: f64) -> String {
    if share <= 0.0 {
        "0".to_string()
    } else if share >= 1.0 {
        "100".to_string()
    } else {
        format!("{:.1}", (share * 100.0).clamp(0.1, 99.9))
    }
}

/// A share in whole percent, under the same rule: `99` is less than all.
pub fn whole_percent(share: f64) -> String {
    if share <= 0.0 {
        "0".to_string()
    } else if share >= 1.0 {
        "100".to_string()
    } else {
        format!("{:.0}", (share * 100.0).clamp(1.0, 99.0))
    }
}

/// `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 write`, `2 writes`.
pub fn count(number: usize, singular: &str, plural: &str) -> String {
    format!("{} {}", thousands(number as u64), if number == 1 { singular } else { plural })
}

/// `7.6 GiB`.
pub fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

/// The text without control characters: what a server answered does not steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Columns that the text takes in a terminal.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text in at most `width` columns; what does not fit is replaced by `…`.
pub fn fit(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_string();
    }
    let mut out = head(text, width.saturating_sub(1)).to_string();
    out.push('…');
    out
}

/// The text, padded on the right to `width` columns, or fitted to them.
pub fn left(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let padding = width - columns(&text);
    text + &" ".repeat(padding)
}

/// The text, padded on the left to `width` columns, or fitted to them.
pub fn right(text: &str, width: usize) -> String {
    let text = fit(text, width);
    " ".repeat(width - columns(&text)) + &text
}

/// As many characters of the text as fit in `width` columns.
fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (position, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[..position];
        }
    }
    text
}

/// Lines of at most `width` columns, broken at spaces; a longer word is broken where it has to.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in text.split_whitespace() {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        while columns(word) > width {
            let part = head(word, width);
            lines.push(part.to_string());
            word = &word[part.len()..];
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Like [`wrap`], in at most `limit` lines: the last one ends with `…` if there were more.
pub fn wrap_within(text: &str, width: usize, limit: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > limit {
        lines.truncate(limit);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}…", head(last, width - 1).trim_end());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_in_the_unit_that_fits() {
        let cases = [
            (0, "0 s"),
            (999, "999 ns"),
            (1_234, "1.23 µs"),
            (999_600, "1.00 ms"),
            (12_340_000, "12.3 ms"),
            (8_200_000_000, "8.20 s"),
            (123_000_000_000, "123 s"),
        ];
        for (nanoseconds, expected) in cases {
            assert_eq!(duration(Duration::from_nanos(nanoseconds)), expected);
        }
    }

    #[test]
    fn only_a_whole_is_a_hundred_and_only_nothing_is_zero() {
        assert_eq!(percent(1.0), "100");
        assert_eq!(percent(0.999_999), "99.9");
        assert_eq!(percent(0.000_001), "0.1");
        assert_eq!(percent(0.0), "0");
        assert_eq!(whole_percent(0.999), "99");
        assert_eq!(whole_percent(0.001), "1");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn wrapped_lines_keep_every_word_and_the_width() {
        let text = "a bb ccc averyveryverylongword 界界界界界界 end";
        let lines = wrap(text, 9);
        assert!(lines.iter().all(|line| columns(line) <= 9), "{lines:?}");
        let all: String = lines.concat().split(' ').collect();
        assert_eq!(all, text.split(' ').collect::<String>());
    }

    #[test]
    fn what_does_not_fit_ends_with_an_ellipsis() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abcde…");
        assert_eq!(wrap_within("aa bb cc", 2, 2), ["aa", "b…"]);
        assert_eq!(right("7", 3), "  7");
        assert_eq!(left("7", 3), "7  ");
    }

    #[test]
    fn control_characters_do_not_pass() {
        assert_eq!(plain("a\u{1b}[31mb\n"), "a [31mb ");
    }
}
