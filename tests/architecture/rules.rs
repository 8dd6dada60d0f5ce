//! The rules of the architecture, as checks over the text of sources.
//!
//! Invariant: which row a module stands in comes from the crate docs, so the page and the check cannot disagree.

use std::collections::BTreeMap;

use super::lexer::{self, Token};

/// One source file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its path below `src`, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// The table of the crate docs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layers(pub(crate) BTreeMap<String, Place>);

/// Where a module stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its row, from the top.
    pub(crate) row: usize,
    /// It may touch nothing of the world.
    pub(crate) pure: bool,
}

/// A file that may be longer than the others, up to so many lines, and why.
pub(crate) type Long = (&'static str, usize, &'static str);

/// Lines of a file, from which it is two files.
pub(crate) const MAX_LINES: usize = 400;
/// The same for tests, which are lists of cases.
pub(crate) const MAX_TEST_LINES: usize = 600;
/// The row that stands beside the others.
const ASIDE: &str = "sandbox";
/// What the row beside the others may import.
const RAW: [&str; 2] = ["api", "transport"];
/// Who may print.
const PRINTERS: [&str; 3] = ["cli", "render", "main"];
/// Who may write to the organization.
const WRITERS: [&str; 2] = ["api", "apply"];
/// What pure modules do not name: modules of the standard library,
const WORLD: [&str; 4] = ["env", "fs", "net", "process"];
/// and words.
const WORLDLY: [&str; 4] = ["tokio", "reqwest", "SystemTime", "Instant"];

/// Reads the rows of the table `| row | modules | IO |` from the crate docs.
pub(crate) fn layers(docs: &str) -> Result<Layers, String> {
    let mut out = BTreeMap::new();
    let rows = docs
        .lines()
        .filter_map(|line| line.strip_prefix("//! |"))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .skip_while(|cells| cells.first() != Some(&"row"))
        .skip(2);
    for (row, cells) in rows.enumerate() {
        let [_, modules, io, ..] = cells.as_slice() else {
            return Err(format!("the row {cells:?} needs a name, modules and IO"));
        };
        for module in modules.split(',').map(|module| module.trim().trim_matches('`')) {
            let place = Place { row, pure: io.starts_with("none") };
            if out.insert(module.to_owned(), place).is_some() {
                return Err(format!("`{module}` stands in two rows"));
            }
        }
    }
    if out.len() < 2 {
        return Err("the crate docs have no table of rows".to_owned());
    }
    Ok(Layers(out))
}

/// Everything that is wrong, as `path:line: what`.
pub(crate) fn check(layers: &Layers, sources: &[Source], long: &[Long]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let tokens = lexer::tokens(&source.text);
        let module = module(&source.path);
        let top = module.first().map_or("lib", String::as_str);
        let mut report = |line: usize, what: String| {
            findings.push(format!("src/{}:{line}: {what}", source.path));
        };
        header(source, &mut report);
        length(source, long, &mut report);
        if top == "lib" {
            declared(layers, &tokens, &mut report);
            continue;
        }
        imports(layers, top, &module, &tokens, &mut report);
        prints(top, &tokens, &mut report);
        writes(top, &tokens, &mut report);
        if layers.0.get(top).is_some_and(|place| place.pure) {
            world(top, &module, &tokens, &mut report);
        }
    }
    for (path, ..) in long {
        if !sources.iter().any(|source| source.path == *path) {
            findings
                .push(format!("src/{path}: may be long, and is not there: drop it from the list"));
        }
    }
    findings.sort();
    findings
}

/// The module that a file is: `plan/keys.rs` is `plan::keys`.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" {
        return Vec::new();
    }
    path.split('/').map(str::to_owned).collect()
}

/// A file of tests only.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn header(source: &Source, report: &mut impl FnMut(usize, String)) {
    let mut docs = source.text.lines().take_while(|line| line.starts_with("//!"));
    if docs.next().is_none_or(|line| line.len() < 8) {
        report(1, "the first line must be `//! ` and say what the file is".to_owned());
    } else if !is_test_file(&source.path) && !docs.any(|line| line.starts_with("//! Invariant: ")) {
        report(
            1,
            "the second paragraph must be `//! Invariant: ` and what the file keeps".to_owned(),
        );
    }
}

fn length(source: &Source, long: &[Long], report: &mut impl FnMut(usize, String)) {
    let lines = source.text.lines().count();
    let most = if is_test_file(&source.path) { MAX_TEST_LINES } else { MAX_LINES };
    let entry = long.iter().find(|(path, ..)| *path == source.path);
    match entry {
        None if lines > most => report(
            most,
            format!("{lines} lines: split it at {most}; a word is missing from the glossary"),
        ),
        Some((_, most, _)) if lines > *most => {
            report(*most, format!("{lines} lines, and the list allows {most}: split it"));
        }
        Some(_) if lines <= MAX_LINES => {
            report(1, format!("{lines} lines: it is long no more, drop it from the list"));
        }
        None | Some(_) => {}
    }
}

/// Modules that the crate has and the table has not.
fn declared(layers: &Layers, tokens: &[Token], report: &mut impl FnMut(usize, String)) {
    let mut names = Vec::new();
    for pair in tokens.windows(2).filter(|pair| pair[0].text == "mod") {
        names.push(pair[1].text.as_str());
        if !layers.0.contains_key(&pair[1].text) {
            let what = format!("`{}` stands in no row of the table above", pair[1].text);
            report(pair[1].line, what);
        }
    }
    for module in layers.0.keys().filter(|module| !names.contains(&module.as_str())) {
        report(1, format!("the table names `{module}`, which is no module"));
    }
}

fn imports(
    layers: &Layers,
    top: &str,
    module: &[String],
    tokens: &[Token],
    report: &mut impl FnMut(usize, String),
) {
    for path in lexer::paths(tokens, module) {
        // What tests name is not shipped; they may go as far as the sandbox.
        if path.in_test || module.iter().any(|part| part == "tests") {
            continue;
        }
        let Some(to) = path.segments.first() else {
            report(path.line, "names the crate's root: name the module".to_owned());
            continue;
        };
        if to == top || to == lexer::STD || top == "main" {
            continue;
        }
        let (Some(from), Some(place)) = (layers.0.get(top), layers.0.get(to)) else {
            report(path.line, format!("`{top}` or `{to}` stands in no row of the crate docs"));
            continue;
        };
        if top == ASIDE {
            if path.segments.get(..2).is_none_or(|segments| segments != RAW) {
                let named = path.segments.join("::");
                let what =
                    format!("`{top}` imports `{named}`; only `{}` is shared", RAW.join("::"));
                report(path.line, what);
            }
        } else if to == ASIDE && top != "cli" {
            report(path.line, format!("`{top}` imports `{to}`, which only `cli` and tests know"));
        } else if to != ASIDE && place.row >= from.row {
            let side = if place.row == from.row { "of its own row" } else { "of a row below" };
            report(path.line, format!("`{top}` imports `{to}`, {side}"));
        }
    }
}

fn prints(top: &str, tokens: &[Token], report: &mut impl FnMut(usize, String)) {
    if PRINTERS.contains(&top) {
        return;
    }
    // `.stdout(…)` says where the output of another program goes.
    let is_method = |index: usize| index > 0 && tokens[index - 1].text == ".";
    for (index, pair) in tokens.windows(2).enumerate() {
        if pair[0].in_test || is_method(index) {
            continue;
        }
        let macros = ["print", "println", "eprint", "eprintln", "dbg"];
        let handles = ["stdout", "stderr"];
        let (word, next) = (pair[0].text.as_str(), pair[1].text.as_str());
        if macros.contains(&word) && next == "!" || handles.contains(&word) && next == "(" {
            report(pair[0].line, format!("`{word}` outside {}", PRINTERS.join(", ")));
        }
    }
}

fn writes(top: &str, tokens: &[Token], report: &mut impl FnMut(usize, String)) {
    if WRITERS.contains(&top) {
        return;
    }
    for token in tokens.iter().filter(|token| token.text == "Writer" && !token.in_test) {
        let what = format!("`{top}` names `Writer`; only `apply` changes the organization");
        report(token.line, what);
    }
}

fn world(top: &str, module: &[String], tokens: &[Token], report: &mut impl FnMut(usize, String)) {
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| !token.in_test) {
        let next = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
        let now = next(0) == "Timestamp" && next(1) == "::" && next(2) == "now";
        if now || WORLDLY.contains(&next(0)) {
            let named = if now { "Timestamp::now" } else { next(0) };
            report(token.line, format!("`{top}` is pure, and names `{named}`"));
        }
    }
    for path in lexer::paths(tokens, module).into_iter().filter(|path| !path.in_test) {
        if let [std, part, ..] = path.segments.as_slice()
            && std == lexer::STD
            && WORLD.contains(&part.as_str())
        {
            report(path.line, format!("`{top}` is pure, and names `std::{part}`"));
        }
    }
}
