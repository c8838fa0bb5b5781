//! The source as text: what is public in it, and how it is documented.

use std::fs;
use std::path::{Path, PathBuf};

/// A public method, function or type, as it stands in the source.
pub(crate) struct Item {
    /// The file below `src`.
    pub(crate) file: String,
    line: usize,
    /// What the `impl` is of, without generics; empty for a function.
    pub(crate) owner: String,
    /// Empty for a type.
    pub(crate) name: String,
    pub(crate) signature: String,
    /// The lines of the documentation.
    pub(crate) docs: Vec<String>,
}

impl Item {
    pub(crate) fn has(&self, heading: &str) -> bool {
        self.docs.iter().any(|line| line == heading)
    }

    /// For messages: `op/power.rs:205: Var::sqrt`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.full_name())
    }

    pub(crate) fn has_example(&self) -> bool {
        self.docs.iter().any(|line| line.starts_with("```"))
    }

    /// What every item lacks that has none: a summary, the word on errors, headings in the usual order.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let order = [
            "# Derivative",
            "# Shapes",
            "# Domain and edge cases",
            "# Errors",
            "# Panics",
            "# Examples",
            "# References",
        ];
        let place = |heading: &&str| self.docs.iter().position(|line| line == heading);
        let mut missing = Vec::new();
        if !self.docs.first().is_some_and(|line| !line.is_empty() && !line.starts_with('#')) {
            missing.push("summary");
        }
        if self.signature.contains("-> Result<") && !self.has("# Errors") {
            missing.push("`# Errors`");
        }
        let sorted = |without: &str| order.iter().filter(|heading| **heading != without).filter_map(place).is_sorted();
        if !sorted("# Errors") || !sorted("# Panics") {
            missing.push("headings in the usual order");
        }
        missing
    }

    pub(crate) fn full_name(&self) -> String {
        if self.owner.is_empty() { self.name.clone() } else { format!("{}::{}", self.owner, self.name) }
    }
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

/// What an `impl` line is of: `impl<'g, T: Real> Var<'g, T> {` gives `Var`.
fn owner(line: &str) -> String {
    let mut rest = line.strip_prefix("impl").unwrap_or_default();
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.char_indices().find(|&(i, c)| {
            depth += i32::from(c == '<') - i32::from(c == '>' && !rest[..i].ends_with('-'));
            depth == 0
        });
        rest = &rest[end.map_or(rest.len(), |(i, _)| i + 1)..];
    }
    if rest.contains(" for ") {
        return String::new();
    }
    rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The public types, methods and functions of a source folder. Formatted source: items of a file or an `impl` are indented by
/// nothing or four spaces.
pub(crate) fn items(source: &Path) -> Vec<Item> {
    let mut paths = Vec::new();
    files(source, &mut paths);
    paths.sort();
    let mut items = Vec::new();
    for path in paths {
        let file = path.strip_prefix(source).expect("it is below").display().to_string();
        let text = fs::read_to_string(&path).expect("a text");
        let text = text.split("#[cfg(test)]\nmod ").next().expect("a part");
        let lines: Vec<&str> = text.lines().collect();
        let (mut docs, mut of) = (Vec::new(), String::new());
        for (i, line) in lines.iter().enumerate() {
            let plain = line.trim_start();
            if let Some(doc) = plain.strip_prefix("///") {
                docs.push(doc.strip_prefix(' ').unwrap_or(doc).to_owned());
                continue;
            }
            if plain.starts_with("#[") {
                continue;
            }
            if line.starts_with("impl") {
                of = owner(line);
            } else if *line == "}" {
                of = String::new();
            }
            let kind = ["pub struct ", "pub enum ", "pub trait "].iter().find_map(|start| line.strip_prefix(start));
            if let Some(rest) = kind {
                items.push(Item {
                    line: i + 1,
                    file: file.clone(),
                    owner: rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect(),
                    name: String::new(),
                    signature: String::new(),
                    docs: core::mem::take(&mut docs),
                });
            }
            let public = ["pub fn ", "pub const fn "].iter().find_map(|start| plain.strip_prefix(start));
            if let Some(rest) = public.filter(|_| line.len() - plain.len() <= 4) {
                let end = lines[i..].iter().position(|line| line.ends_with(['{', ';'])).unwrap_or(0);
                items.push(Item {
                    line: i + 1,
                    file: file.clone(),
                    owner: of.clone(),
                    name: rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect(),
                    signature: lines[i..=i + end].join(" "),
                    docs: core::mem::take(&mut docs),
                });
            }
            docs.clear();
        }
    }
    items
}

/// The literals within a stretch of formatted source, with their places in it; escaped line ends are taken out.
fn literals(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n').scan(0, |start, line| {
        *start += line.len();
        Some((*start - line.len(), line))
    }) {
        let (start, line) = line;
        if start < at || line.trim_start().starts_with("//") {
            continue;
        }
        at = start;
        let end = start + line.len();
        while let Some(open) = text[at..].find('"').map(|i| at + i).filter(|open| *open < end) {
            if text[open..].starts_with("\"'") && text[..open].ends_with('\'') {
                at = open + 1;
                continue;
            }
            let mut close = open + 1;
            while !text[close..].starts_with('"') {
                close += if text[close..].starts_with('\\') {
                    2
                } else {
                    text[close..].chars().next().map_or(1, char::len_utf8)
                };
            }
            let pieces: Vec<&str> = text[open + 1..close].split("\\\n").map(str::trim_start).collect();
            found.push((open, pieces.concat()));
            at = close + 1;
        }
    }
    found
}

/// The texts of panics and errors in a source folder, with their places.
pub(crate) fn messages(source: &Path) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    files(source, &mut paths);
    let mut messages = Vec::new();
    for path in paths.iter().filter(|path| !path.ends_with("tests.rs") && !path.ends_with("twins.rs")) {
        let text = fs::read_to_string(path).expect("a text");
        let text = text.split("#[cfg(test)]\nmod ").next().expect("a part");
        let errors = path.ends_with("error.rs");
        for (at, literal) in literals(text) {
            let before = text[..at].rsplit([';', '{', '}']).next().expect("a part");
            let starts = ["panic!(", "assert!(", "Err(", "ok_or(", "#[error("];
            let silent = ["debug_assert!(", "unreachable!(", "reason = "].iter().any(|start| before.contains(start));
            if literal.contains(' ') && !silent && (errors || starts.iter().any(|start| before.contains(start))) {
                let line = text[..at].lines().count();
                messages.push((format!("{}:{line}", path.display()), literal));
            }
        }
    }
    messages
}

/// The messages of which no test in a folder has a part.
pub(crate) fn untested(source: &Path, tests: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    files(tests, &mut paths);
    files(source, &mut paths);
    let mut known = String::new();
    for path in &paths {
        let text = fs::read_to_string(path).expect("a text");
        let tested = if path.starts_with(source) {
            text.split_once("#[cfg(test)]\nmod ").map_or("", |(_, part)| part)
        } else {
            &text
        };
        known.extend(literals(tested).into_iter().map(|(_, literal)| literal + "\n"));
    }
    let messages = messages(source);
    assert!(messages.len() > 20, "the source was not understood: {} messages", messages.len());
    let missing = messages.into_iter().filter(|(_, message)| {
        let parts = message.split(['{', '}', ';', ':', ',']).map(str::trim);
        let longest = parts.max_by_key(|part| part.len()).unwrap_or_default();
        !known.contains(longest)
    });
    missing.map(|(place, message)| format!("{place}: {message:?}")).collect()
}
