//! From text to a tree: the only module that names the `cel` crate.
//!
//! Invariant: whatever the text, the answer is a tree that is not too deep, or a problem with its place.

use cel::{
    Env, IdedExpr, ParseErrors,
    common::ast::{EntryExpr, Expr, LiteralValue, SourceInfo},
};

use super::{
    MAX_DEPTH, Problem, hints,
    tree::{Parsed, Sort},
    value::Value,
};

/// Nesting in the grammar's own terms; a level of ours takes several of them.
const PARSER_DEPTH: u16 = 60;

pub(super) fn parse(source: &str) -> Result<Parsed, Problem> {
    bounded(source)?;
    // Without macros: `all`, `map` and the others stay calls, which are checked and run as loops of our own.
    let parser = Env::default()
        .with_optional_support(false)
        .parser()
        .max_recursion_depth(PARSER_DEPTH)
        .error_recovery_limit(4);
    match parser.parse_with_source_info(source) {
        Ok((root, places)) => convert(&root, &Places { known: &places, source }, 0),
        Err(errors) => Err(first(source, &errors)),
    }
}

/// Refuses what is nested too deeply before the grammar sees it: its parser needs much stack for a level.
fn bounded(source: &str) -> Result<(), Problem> {
    let mut open = 0_usize;
    for (at, c) in source.chars().enumerate() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_DEPTH {
            return Err(too_deep(at));
        }
    }
    Ok(())
}

fn too_deep(at: usize) -> Problem {
    Problem {
        at,
        message: format!("the expression is nested more than {MAX_DEPTH} deep"),
        help: "split it into several rules".to_owned(),
    }
}

/// The first thing that is wrong, in our words where the parser's are about its own rules.
fn first(source: &str, errors: &ParseErrors) -> Problem {
    let Some(error) = errors.errors.first() else {
        return Problem {
            at: 0,
            message: "the expression cannot be read".to_owned(),
            help: HELP.to_owned(),
        };
    };
    let (line, column) = error.pos;
    let before: usize = source
        .split_inclusive('\n')
        .take(usize::try_from(line - 1).unwrap_or(0))
        .map(|line| line.chars().count())
        .sum();
    let length = source.chars().count();
    let at = (before + usize::try_from(column - 1).unwrap_or(0)).min(length);
    let rest: String =
        source.chars().skip(at).take_while(|c| !c.is_whitespace()).take(20).collect();
    let before: String = source.chars().take(at).collect();
    let help = hints::grammar(&before, &rest).unwrap_or(HELP).to_owned();
    let message = if error.msg.contains("recursion") {
        return too_deep(at);
    } else if rest.is_empty() {
        "the expression ends where something should follow".to_owned()
    } else {
        let shown: String = rest.chars().filter(|c| !c.is_control() && *c != '`').collect();
        format!("the expression cannot be read from `{shown}` on")
    };
    Problem { at, message, help }
}

const HELP: &str =
    "write a CEL expression, as in `person.role != \"admin\" || person.domain == \"acme.com\"`";

/// Where the parts of a text stand.
struct Places<'p> {
    known: &'p SourceInfo,
    source: &'p str,
}

impl Places<'_> {
    /// The place of a part; of a field and of a function, that of its name.
    fn of(&self, node: &IdedExpr) -> usize {
        let start = self.known.offset_for(node.id).map_or(0, |(start, _)| start as usize);
        let before = self.source.get(..start).unwrap_or(self.source);
        let before = match &node.expr {
            Expr::Call(call) => before.strip_suffix(&*call.func_name).unwrap_or(before),
            _ => before,
        };
        // The parser counts bytes, and people count characters; a field comes after its dot.
        before.chars().count() + usize::from(matches!(node.expr, Expr::Select(_)))
    }
}

fn convert(node: &IdedExpr, places: &Places<'_>, depth: usize) -> Result<Parsed, Problem> {
    let at = places.of(node);
    if depth > MAX_DEPTH {
        return Err(too_deep(at));
    }
    let sub = |node: &IdedExpr| convert(node, places, depth + 1);
    let all = |nodes: &[IdedExpr]| nodes.iter().map(sub).collect::<Result<Vec<_>, _>>();
    let sort = match &node.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(value) => Sort::Literal(Value::Bool(*value.inner())),
            LiteralValue::Int(value) => Sort::Literal(Value::Int(*value.inner())),
            LiteralValue::Null => Sort::Literal(Value::Null),
            LiteralValue::String(value) => Sort::Literal(Value::text(value.inner())),
            LiteralValue::Bytes(_) => Sort::Foreign("bytes"),
            LiteralValue::Double(_) => Sort::Foreign("numbers with a fraction"),
            LiteralValue::UInt(_) => Sort::Foreign("unsigned numbers"),
        },
        Expr::Ident(name) => Sort::Name(name.clone()),
        Expr::Select(select) if select.test => Sort::Foreign("this use of `has`"),
        Expr::Select(select) => Sort::Select(Box::new(sub(&select.operand)?), select.field.clone()),
        Expr::List(list) => Sort::List(all(&list.elements)?),
        Expr::Map(map) => {
            let mut entries = Vec::with_capacity(map.entries.len());
            for entry in &map.entries {
                match &entry.expr {
                    EntryExpr::MapEntry(entry) => {
                        entries.push((sub(&entry.key)?, sub(&entry.value)?));
                    }
                    EntryExpr::StructField(_) => {
                        return Ok(Parsed { at, sort: Sort::Foreign("objects") });
                    }
                }
            }
            Sort::Map(entries)
        }
        Expr::Call(call) => {
            let target = call.target.as_deref().map(sub).transpose()?.map(Box::new);
            Sort::Call(target, call.func_name.clone(), all(&call.args)?)
        }
        Expr::Struct(_) => Sort::Foreign("objects"),
        Expr::Comprehension(_) | Expr::Unspecified => Sort::Foreign("this"),
    };
    Ok(Parsed { at, sort })
}
