//! The names of the verdicts, and how a user may write them (`--expect C-halts`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a cluster behaved, in one word or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// Consistent; one side stayed available, another did not.
    CP,
    /// Consistent; no side stayed available.
    CHalts,
    /// Every live node stayed available; not consistent.
    AP,
    /// Reads everywhere, stale; writes on one side only.
    Mixed,
    /// Not consistent, and not available either.
    Neither,
    /// There is no second replica: CAP says nothing.
    SingleCopy,
    /// The run does not decide it.
    Inconclusive,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::CP,
        Kind::CHalts,
        Kind::AP,
        Kind::Mixed,
        Kind::Neither,
        Kind::SingleCopy,
        Kind::Inconclusive,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::CP => "CP",
            Kind::CHalts => "C, halts",
            Kind::AP => "AP",
            Kind::Mixed => "mixed",
            Kind::Neither => "neither",
            Kind::SingleCopy => "single copy",
            Kind::Inconclusive => "inconclusive",
        }
    }

    /// The words of the name, in lower case, joined by hyphens: `c-halts`.
    fn hyphenated(text: &str) -> String {
        let words: Vec<String> = text
            .split([' ', ',', '-', '_'])
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        words.join("-")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a verdict; accepted are CP, C-halts, AP, mixed, neither, single-copy and \
     inconclusive"
)]
pub struct UnknownKind(String);

/// Case does not matter; words may be separated by hyphens, commas, underscores or spaces.
impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let wanted = Kind::hyphenated(text);
        Kind::ALL
            .into_iter()
            .find(|kind| Kind::hyphenated(kind.as_str()) == wanted)
            .ok_or_else(|| UnknownKind(text.into()))
    }
}

impl TryFrom<String> for Kind {
    type Error = UnknownKind;

    fn try_from(text: String) -> Result<Self, UnknownKind> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> String {
        kind.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            let json = serde_json::to_string(&kind).expect("serialises");
            assert_eq!(serde_json::from_str::<Kind>(&json).expect("reads back"), kind);
        }
    }

    #[test]
    fn people_write_it_in_their_own_way() {
        for text in ["C, halts", "c-halts", "c,halts", "C_HALTS", "c halts"] {
            assert_eq!(text.parse(), Ok(Kind::CHalts), "{text}");
        }
        assert_eq!("Single-Copy".parse(), Ok(Kind::SingleCopy));
        assert_eq!("cp".parse(), Ok(Kind::CP));
    }

    #[test]
    fn a_wrong_name_is_told_what_is_accepted() {
        let error = "CA".parse::<Kind>().expect_err("no such verdict").to_string();
        assert!(error.starts_with("`CA` is not a verdict"), "{error}");
        for kind in Kind::ALL {
            let name = Kind::hyphenated(kind.as_str());
            assert!(error.to_lowercase().contains(&name), "{name} is missing: {error}");
        }
        assert!("c-p".parse::<Kind>().is_err());
    }
}
