//! The command line.

use std::time::Duration;

use crate::checkers::Checker;

/// What is asked for.
pub struct Arguments {
    pub checker: Checker,
    /// A map is not split by key.
    pub whole: bool,
    /// Rounds, at least one.
    pub repeat: usize,
    /// For each file in each round.
    pub timeout: Duration,
    /// At least one.
    pub files: Vec<String>,
    /// All words before the files, as they were given.
    pub options: Vec<String>,
}

impl Arguments {
    /// Reads options and then files.
    ///
    /// # Errors
    ///
    /// A sentence, if an option is not known, its value is not what it takes, no checker is chosen,
    /// or there is no file.
    pub fn parse(mut words: Vec<String>) -> Result<Arguments, String> {
        let (mut checker, mut whole, mut repeat, mut seconds) = (None, false, 1, 60);
        let mut place = 0;
        while words.get(place).is_some_and(|word| word.starts_with('-')) {
            let value = words.get(place + 1).map_or("", String::as_str);
            match words[place].as_str() {
                "-whole" => {
                    whole = true;
                    place += 1;
                    continue;
                }
                "-checker" => checker = Some(named(value)?),
                "-repeat" => repeat = number(value)?.max(1),
                "-timeout" => seconds = number(value)?,
                other => return Err(format!("no such option: {other}")),
            }
            place += 2;
        }
        let checker = checker.ok_or("-checker is missing")?;
        let files = words.split_off(place.min(words.len()));
        if files.is_empty() {
            return Err("no file is given".to_owned());
        }
        let timeout = Duration::from_secs(seconds as u64);
        Ok(Arguments { checker, whole, repeat, timeout, files, options: words })
    }
}

fn named(name: &str) -> Result<Checker, String> {
    match name {
        "porcupine-rs" => Ok(Checker::PorcupineRs),
        "todc" => Ok(Checker::Todc),
        "stateright" => Ok(Checker::Stateright),
        _ => Err(format!("no such checker: {name}")),
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}
