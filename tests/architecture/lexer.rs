//! Rust source as tokens, and the paths in it that start at the crate.
//!
//! Invariant: comments, texts and characters are not tokens, so nothing in prose is taken for code.

/// A word or a mark of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The word, `::`, or one other character.
    pub(crate) text: String,
    /// Its line, from 1.
    pub(crate) line: usize,
    /// It stands in code that only tests compile.
    pub(crate) in_test: bool,
    /// The inline modules around it.
    pub(crate) within: Vec<String>,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// A path as code names it, from the crate's root or from [`STD`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Its segments, without `crate`.
    pub(crate) segments: Vec<String>,
    /// Its line, from 1.
    pub(crate) line: usize,
    /// It stands in code that only tests compile.
    pub(crate) in_test: bool,
}

/// Splits a source into tokens.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let start = at;
        let c = chars[at];
        match c {
            '/' if chars.get(at + 1) == Some(&'/') => at = line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => at = comment_end(&chars, at),
            '"' => at = text_end(&chars, at),
            '\'' => at = character_end(&chars, at),
            ':' if chars.get(at + 1) == Some(&':') => {
                at += 2;
                found.push(token("::".to_owned(), line));
            }
            c if c.is_alphabetic() || c == '_' => {
                while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                match raw_text_end(&chars, at, &word) {
                    Some(end) => at = end,
                    None => found.push(token(word, line)),
                }
            }
            // A number may hold letters: they are no word.
            c if c.is_ascii_digit() => {
                while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
            }
            c if c.is_whitespace() => at += 1,
            c => {
                at += 1;
                found.push(token(c.to_string(), line));
            }
        }
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    mark_modules(&mut found);
    found
}

fn token(text: String, line: usize) -> Token {
    Token { text, line, in_test: false, within: Vec::new() }
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |ahead| at + ahead)
}

/// The end of a comment, which may hold others.
fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn text_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The end of `'x'` or `'\n'`; of a lifetime only its mark, since the rest is a harmless word.
fn character_end(chars: &[char], start: usize) -> usize {
    if chars.get(start + 1) == Some(&'\\') {
        let close = chars[start + 3..].iter().position(|c| *c == '\'');
        return close.map_or(chars.len(), |ahead| start + 3 + ahead + 1);
    }
    if chars.get(start + 2) == Some(&'\'') { start + 3 } else { start + 1 }
}

/// Where a text ends whose prefix is `word` (`r#"…"#`, `b"…"`), if one starts here.
fn raw_text_end(chars: &[char], at: usize, word: &str) -> Option<usize> {
    if !matches!(word, "r" | "b" | "br" | "c" | "cr") {
        return None;
    }
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    if !word.contains('r') {
        return (hashes == 0).then(|| text_end(chars, at));
    }
    let mut end = at + hashes + 1;
    while end < chars.len() {
        let closes = chars[end] == '"'
            && chars[end + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
        end += 1;
        if closes {
            return Some(end + hashes);
        }
    }
    Some(end)
}

/// Notes for every token which inline modules it stands in, and whether only tests compile it.
fn mark_modules(found: &mut [Token]) {
    // Per open brace: the module that it opens, and whether what is in it is test code.
    let mut braces: Vec<(Option<String>, bool)> = Vec::new();
    let mut test_next = false;
    for at in 0..found.len() {
        let in_test = braces.iter().any(|(_, test)| *test);
        found[at].in_test = in_test || test_next;
        found[at].within = braces.iter().filter_map(|(name, _)| name.clone()).collect();
        match found[at].text.as_str() {
            "#" => test_next |= is_test_attribute(&found[at..]),
            // An attribute governs the item after it: up to its body, or to its `;`.
            ";" => test_next = false,
            "{" => {
                let name =
                    (at >= 2 && found[at - 2].text == "mod").then(|| found[at - 1].text.clone());
                braces.push((name, test_next));
                test_next = false;
            }
            "}" => _ = braces.pop(),
            _ => {}
        }
    }
}

fn is_test_attribute(tokens: &[Token]) -> bool {
    let texts: Vec<&str> = tokens.iter().take(6).map(|token| token.text.as_str()).collect();
    matches!(texts.as_slice(), ["#", "[", "cfg", "(", "test", ")"] | ["#", "[", "test", "]", ..])
}

/// What a path of interest starts with: the crate under its names, and the standard library.
const ROOTS: [&str; 5] = ["crate", "super", "self", "orgcharter", STD];
/// The standard library; a path into it keeps this as its first segment.
pub(crate) const STD: &str = "std";

/// Every path from one of [`ROOTS`], of a file that is the module `module`.
pub(crate) fn paths(found: &[Token], module: &[String]) -> Vec<Path> {
    let mut out = Vec::new();
    let mut at = 0;
    while at + 1 < found.len() {
        let starts = ROOTS.contains(&found[at].text.as_str())
            && found[at + 1].text == "::"
            && (at == 0 || found[at - 1].text != "::");
        if !starts {
            at += 1;
            continue;
        }
        let mut names = Vec::new();
        let end = tree(found, at, &mut Vec::new(), &mut names);
        for (names, line) in names {
            let here: Vec<String> = module.iter().chain(&found[at].within).cloned().collect();
            let segments = resolve(&names, &here);
            out.push(Path { segments, line, in_test: found[at].in_test });
        }
        at = end.max(at + 1);
    }
    out
}

/// Reads `a::b::{c, d::*}` from `at`; gives every leaf with its line, and where the tree ends.
fn tree(
    found: &[Token],
    mut at: usize,
    prefix: &mut Vec<String>,
    out: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let depth = prefix.len();
    let text = |at: usize| found.get(at).map_or("", |token| token.text.as_str());
    while let Some(token) = found.get(at) {
        if token.text == "{" {
            at += 1;
            while at < found.len() && text(at) != "}" {
                let before = at;
                at = tree(found, at, prefix, out);
                while text(at) == "," {
                    at += 1;
                }
                // Not a tree after all: do not stand still.
                at = at.max(before + 1);
            }
            at += 1;
            break;
        }
        if !token.is_word() && token.text != "*" {
            if prefix.len() > depth {
                out.push((prefix.clone(), token.line));
            }
            break;
        }
        prefix.push(token.text.clone());
        at += 1;
        if text(at) != "::" {
            out.push((prefix.clone(), token.line));
            if text(at) == "as" {
                at += 2;
            }
            break;
        }
        at += 1;
    }
    prefix.truncate(depth);
    at
}

/// A path as named from the module `here`, from the crate's root.
fn resolve(names: &[String], here: &[String]) -> Vec<String> {
    let mut at: Vec<String> = here.to_vec();
    for (index, name) in names.iter().enumerate() {
        match name.as_str() {
            "crate" | "orgcharter" if index == 0 => at.clear(),
            STD if index == 0 => at = vec![STD.to_owned()],
            "super" => _ = at.pop(),
            "self" => {}
            _ => at.push(name.clone()),
        }
    }
    at
}
