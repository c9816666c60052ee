//! A small reader of EDN (extensible data notation), for as much of it as histories use.
//!
//! Written here because no kept-up crate fits: what is needed is the line of each form, and to go
//! on after a form that is broken. Numbers beyond 64 bits, fractions and ratios stay text.

use std::fmt;

/// One form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Edn {
    Nil,
    Bool(bool),
    Int(i64),
    Text(String),
    Keyword(String),
    /// Symbols, characters, and numbers that are no integers: as written.
    Symbol(String),
    /// A vector or a list.
    Sequence(Vec<Edn>),
    Set(Vec<Edn>),
    Map(Vec<(Edn, Edn)>),
    Tagged(String, Box<Edn>),
}

/// Why a form could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EdnError {
    /// The text ends within a form.
    End,
    /// Something else than what was expected.
    Unexpected { line: usize, message: String },
}

/// Reads forms one after the other.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    text: &'t [u8],
    position: usize,
    /// The line of the position, from 1.
    pub line: usize,
}

/// How deep forms may be nested.
const DEEPEST: usize = 100;

impl<'t> Reader<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        Self { text, position: 0, line: 1 }
    }

    /// The next byte that is neither white space nor comment; it is not taken.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.get(self.position) {
            match byte {
                b';' => self.skip_line(),
                b',' => self.take(),
                byte if byte.is_ascii_whitespace() => self.take(),
                byte => return Some(byte),
            }
        }
        None
    }

    /// Takes one byte.
    pub fn take(&mut self) {
        if self.text.get(self.position) == Some(&b'\n') {
            self.line += 1;
        }
        self.position += 1;
    }

    /// Goes to the end of the line.
    pub fn skip_line(&mut self) {
        while self.text.get(self.position).is_some_and(|byte| *byte != b'\n') {
            self.position += 1;
        }
    }

    /// Goes on to the next line that begins with a map: the next event after a broken one.
    pub fn skip_to_map(&mut self) {
        loop {
            self.skip_line();
            match self.peek() {
                None | Some(b'{') => return,
                Some(_) => {}
            }
        }
    }

    /// Reads one form.
    pub fn form(&mut self) -> Result<Edn, EdnError> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Result<Edn, EdnError> {
        if depth > DEEPEST {
            return Err(self.unexpected("a form nested less deeply"));
        }
        match self.peek().ok_or(EdnError::End)? {
            b'"' => self.string(),
            b'[' => Ok(Edn::Sequence(self.until(b']', depth)?)),
            b'(' => Ok(Edn::Sequence(self.until(b')', depth)?)),
            b'{' => self.map(depth),
            b'#' => self.dispatch(depth),
            b'\\' => self.character(),
            b']' | b')' | b'}' => Err(self.unexpected("a value")),
            _ => self.atom(),
        }
    }

    fn unexpected(&self, expected: &str) -> EdnError {
        let found = match self.text.get(self.position) {
            Some(byte) => format!("`{}`", *byte as char),
            None => "the end".to_owned(),
        };
        EdnError::Unexpected {
            line: self.line,
            message: format!("{found} where {expected} was expected"),
        }
    }

    /// The forms up to a closing bracket.
    fn until(&mut self, close: u8, depth: usize) -> Result<Vec<Edn>, EdnError> {
        self.take();
        let mut forms = Vec::new();
        loop {
            match self.peek().ok_or(EdnError::End)? {
                byte if byte == close => {
                    self.take();
                    return Ok(forms);
                }
                b'#' if self.text.get(self.position + 1) == Some(&b'_') => self.discard(depth)?,
                _ => forms.push(self.nested(depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Edn, EdnError> {
        let line = self.line;
        let mut forms = self.until(b'}', depth)?.into_iter();
        let mut entries = Vec::with_capacity(forms.len() / 2);
        while let Some(key) = forms.next() {
            let Some(value) = forms.next() else {
                let message = "a map with a key that has no value".to_owned();
                return Err(EdnError::Unexpected { line, message });
            };
            entries.push((key, value));
        }
        Ok(Edn::Map(entries))
    }

    /// `#{...}`, `#_ form`, `#tag form`; also `#[...]`, which old logs have for sets.
    fn dispatch(&mut self, depth: usize) -> Result<Edn, EdnError> {
        match self.text.get(self.position + 1) {
            None => Err(EdnError::End),
            Some(b'{') => {
                self.take();
                Ok(Edn::Set(self.until(b'}', depth)?))
            }
            Some(b'[') => {
                self.take();
                Ok(Edn::Set(self.until(b']', depth)?))
            }
            Some(b'_') => {
                self.discard(depth)?;
                self.nested(depth + 1)
            }
            Some(_) => {
                self.take();
                let tag = self.token();
                Ok(Edn::Tagged(tag, Box::new(self.nested(depth + 1)?)))
            }
        }
    }

    /// Leaves out `#_ form`.
    fn discard(&mut self, depth: usize) -> Result<(), EdnError> {
        self.take();
        self.take();
        self.nested(depth + 1).map(drop)
    }

    fn string(&mut self) -> Result<Edn, EdnError> {
        self.take();
        let mut bytes = Vec::new();
        loop {
            let byte = *self.text.get(self.position).ok_or(EdnError::End)?;
            self.take();
            match byte {
                b'"' => return Ok(Edn::Text(String::from_utf8_lossy(&bytes).into_owned())),
                b'\\' => {
                    let escaped = *self.text.get(self.position).ok_or(EdnError::End)?;
                    self.take();
                    bytes.push(match escaped {
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'r' => b'\r',
                        other => other,
                    });
                }
                other => bytes.push(other),
            }
        }
    }

    fn character(&mut self) -> Result<Edn, EdnError> {
        self.take();
        // A character may be a bracket, so the first byte is taken whatever it is.
        let start = self.position;
        self.take();
        self.token();
        let end = self.position.min(self.text.len());
        let name = self.text.get(start..end).filter(|name| !name.is_empty());
        let name = name.ok_or(EdnError::End)?;
        Ok(Edn::Symbol(String::from_utf8_lossy(name).into_owned()))
    }

    /// Bytes up to the next white space or bracket.
    fn token(&mut self) -> String {
        let start = self.position.min(self.text.len());
        let ends = |byte: u8| byte.is_ascii_whitespace() || b",;\"()[]{}".contains(&byte);
        while self.text.get(self.position).is_some_and(|byte| !ends(*byte)) {
            self.position += 1;
        }
        let end = self.position.min(self.text.len());
        String::from_utf8_lossy(&self.text[start..end]).into_owned()
    }

    fn atom(&mut self) -> Result<Edn, EdnError> {
        let token = self.token();
        if token.is_empty() {
            return Err(self.unexpected("a value"));
        }
        Ok(match token.as_str() {
            "nil" => Edn::Nil,
            "true" => Edn::Bool(true),
            "false" => Edn::Bool(false),
            other => match (other.strip_prefix(':'), other.trim_end_matches('N').parse()) {
                (Some(keyword), _) => Edn::Keyword(keyword.to_owned()),
                (None, Ok(integer)) => Edn::Int(integer),
                (None, Err(_)) => Edn::Symbol(token),
            },
        })
    }
}

/// As EDN again; white space is not kept.
impl fmt::Display for Edn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |f: &mut fmt::Formatter<'_>, open: &str, items: &[Edn], close: &str| {
            f.write_str(open)?;
            for (position, item) in items.iter().enumerate() {
                let space = if position > 0 { " " } else { "" };
                write!(f, "{space}{item}")?;
            }
            f.write_str(close)
        };
        match self {
            Edn::Nil => f.write_str("nil"),
            Edn::Bool(value) => write!(f, "{value}"),
            Edn::Int(value) => write!(f, "{value}"),
            Edn::Text(text) => write!(f, "{text:?}"),
            Edn::Keyword(name) => write!(f, ":{name}"),
            Edn::Symbol(name) => f.write_str(name),
            Edn::Sequence(items) => all(f, "[", items, "]"),
            Edn::Set(items) => all(f, "#{", items, "}"),
            Edn::Tagged(tag, form) => write!(f, "#{tag} {form}"),
            Edn::Map(entries) => {
                f.write_str("{")?;
                for (position, (key, value)) in entries.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{key} {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<Edn, EdnError> {
        Reader::new(text.as_bytes()).form()
    }

    #[test]
    fn forms_read_and_written() {
        for text in [
            "{:a 1, \"b c\" nil, [true -3] #{x/y}}",
            "#jepsen.tuple [1 {:k :v}]",
            "[:a \"line\\nquote\\\" \" 1.5 2/3 99999999999999999999]",
            "[]",
        ] {
            assert_eq!(form(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn comments_commas_and_discarded_forms() {
        let text = "; first\n [1,, 2 #_ [3 4] ; five\n (6) #[7] \\a \\newline \\] 42N]";
        assert_eq!(form(text).unwrap().to_string(), "[1 2 [6] #{7} a newline ] 42]");
        assert_eq!(form("[#_ 1]").unwrap(), Edn::Sequence(vec![]));
        assert_eq!(form("#_ 1 2").unwrap(), Edn::Int(2));
    }

    #[test]
    fn errors_say_where_and_what() {
        for text in ["", "[1 2", "{:a \"b", "#", "#tag", "\"a\\", "\\", "#_ 1"] {
            assert_eq!(form(text), Err(EdnError::End), "{text}");
        }
        let unexpected =
            |line, message: &str| Err(EdnError::Unexpected { line, message: message.to_owned() });
        assert_eq!(form("[1\n }"), unexpected(2, "`}` where a value was expected"));
        assert_eq!(form("\n{:a 1 :b}"), unexpected(2, "a map with a key that has no value"));
        let deep = "[".repeat(1000);
        assert_eq!(form(&deep), unexpected(1, "`[` where a form nested less deeply was expected"));
    }
}
