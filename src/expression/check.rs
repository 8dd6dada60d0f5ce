//! From a parsed tree to a checked one: names, fields, functions, and types where they are known.
//!
//! Invariant: what is refused here could only ever fail; what passes can still meet a null.

use super::{
    MAX_LOOPS, Problem,
    functions::{Function, Style, date},
    hints,
    tree::{Loop, LoopSort, Node, Parsed, Sort, What},
    types::{Type, result, select},
    value::Value,
};
use crate::{
    diagnostic::did_you_mean,
    glob::{Of, misplaced_stars},
};

/// Checks a whole expression, which must be true or false.
pub(super) fn check(root: &Parsed, variables: &[(&'static str, Type)]) -> Result<Node, Problem> {
    let scope = variables.iter().map(|(name, sort)| ((*name).to_owned(), *sort)).collect();
    let mut cx = Cx { scope, loops: 0 };
    cx.truth(root)
}

struct Cx {
    /// Names and types of the stack.
    scope: Vec<(String, Type)>,
    loops: usize,
}

type Checked = Result<(Node, Type), Problem>;

pub(super) fn problem(at: usize, message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem { at, message: message.into(), help: help.into() }
}

/// A user's word as it is shown.
pub(super) fn shown(word: &str) -> String {
    word.chars().filter(|c| !c.is_control() && *c != '`').take(40).collect()
}

pub(super) fn near<'a>(
    word: &str,
    words: impl Iterator<Item = &'a str> + Clone,
    of: &str,
) -> String {
    match did_you_mean(word, words.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let list: Vec<_> = words.map(|word| format!("`{word}`")).collect();
            format!("{of} {}", list.join(", "))
        }
    }
}

impl Cx {
    fn node(&mut self, parsed: &Parsed) -> Checked {
        let at = parsed.at;
        let (what, sort) = match &parsed.sort {
            Sort::Literal(value) => {
                let sort = match value {
                    Value::Bool(_) => Type::Bool,
                    Value::Int(_) => Type::Int,
                    Value::Text(_) => Type::Text,
                    _ => Type::Any,
                };
                (What::Literal(value.clone()), sort)
            }
            Sort::Name(name) => self.variable(at, name)?,
            Sort::Select(of, field) => {
                let (of, sort) = self.node(of)?;
                let sort = select(at, sort, field)?;
                (What::Field(Box::new(of), field.as_str().into()), sort)
            }
            Sort::List(elements) => {
                let nodes: Result<_, _> =
                    elements.iter().map(|one| self.node(one).map(|(node, _)| node)).collect();
                (What::List(nodes?), Type::List(&Type::Any))
            }
            Sort::Map(entries) => {
                let mut nodes: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    nodes.push((self.key(key, &nodes)?, self.node(value)?.0));
                }
                (What::Map(nodes), Type::Map(&Type::Any))
            }
            Sort::Call(target, name, arguments) => {
                return self.call(at, target.as_deref(), name, arguments);
            }
            Sort::Foreign(what) => {
                return Err(problem(
                    at,
                    format!("{what} cannot stand in an expression here"),
                    "use texts, whole numbers, `true`, `false`, `null`, lists and maps",
                ));
            }
        };
        Ok((Node { at, what }, sort))
    }

    /// A key of a map that is written out, after those before it.
    fn key(&mut self, parsed: &Parsed, before: &[(Node, Node)]) -> Result<Node, Problem> {
        let (node, sort) = self.node(parsed)?;
        if !matches!(sort, Type::Text | Type::Date | Type::Any) {
            return Err(problem(
                parsed.at,
                format!("the keys of a map are texts, and this is {}", sort.noun()),
                "write the key in quotes, as in `{\"1\": \"a\"}`",
            ));
        }
        if let What::Literal(Value::Text(text)) = &node.what {
            let same =
                |key: &Node| matches!(&key.what, What::Literal(Value::Text(key)) if key == text);
            if before.iter().any(|(key, _)| same(key)) {
                return Err(problem(
                    parsed.at,
                    format!("the map has the key `{}` twice", shown(text)),
                    "write each key once",
                ));
            }
        }
        Ok(node)
    }

    /// A part that must be true or false.
    fn truth(&mut self, parsed: &Parsed) -> Result<Node, Problem> {
        let (node, sort) = self.node(parsed)?;
        match sort {
            Type::Bool | Type::Any => Ok(node),
            other => Err(problem(
                parsed.at,
                format!("this is {}, and here stands what is true or false", other.noun()),
                "compare it with something, as in `person.role == \"admin\"`",
            )),
        }
    }

    fn variable(&self, at: usize, name: &str) -> Result<(What, Type), Problem> {
        // The innermost of a name counts.
        match self.scope.iter().rposition(|(known, _)| known == name) {
            Some(slot) => Ok((What::Variable(slot), self.scope[slot].1)),
            None => Err(problem(
                at,
                format!("there is no `{}` here", shown(name)),
                near(name, self.scope.iter().map(|(name, _)| name.as_str()), "there are"),
            )),
        }
    }

    fn call(
        &mut self,
        at: usize,
        target: Option<&Parsed>,
        name: &str,
        arguments: &[Parsed],
    ) -> Checked {
        let plain = |what: What, sort: Type| Ok((Node { at, what }, sort));
        match (name, target, arguments) {
            ("_&&_", None, [left, right]) => {
                let (left, right) = (self.truth(left)?, self.truth(right)?);
                plain(What::And(Box::new(left), Box::new(right)), Type::Bool)
            }
            ("_||_", None, [left, right]) => {
                let (left, right) = (self.truth(left)?, self.truth(right)?);
                plain(What::Or(Box::new(left), Box::new(right)), Type::Bool)
            }
            ("_?_:_", None, [condition, then, otherwise]) => {
                let condition = self.truth(condition)?;
                let ((then, sort), (otherwise, other)) = (self.node(then)?, self.node(otherwise)?);
                let same = std::mem::discriminant(&sort) == std::mem::discriminant(&other);
                let sort = if same && matches!(sort, Type::Bool | Type::Int | Type::Text) {
                    sort
                } else {
                    Type::Any
                };
                plain(What::If(Box::new((condition, then, otherwise))), sort)
            }
            ("has", None, [Parsed { sort: Sort::Select(of, field), .. }]) => {
                let (of, sort) = self.node(of)?;
                select(at, sort, field)?;
                plain(What::Has(Box::new(of), field.as_str().into()), Type::Bool)
            }
            ("has", ..) => {
                Err(problem(at, "`has` asks for a field", "write it as `has(person.until)`"))
            }
            (
                "glob",
                Some(text),
                [Parsed { sort: Sort::Literal(Value::Text(pattern)), at: place }],
            ) => {
                let (text, _) = self.node(text)?;
                let glob = globset::Glob::new(pattern).map_err(|error| {
                    problem(
                        *place,
                        format!("the pattern is not one: {}", error.kind()),
                        "`*` stands for any text, `?` for one character, `[ab]` and `{a,b}` for either",
                    )
                })?;
                if let Some(meant) = misplaced_stars(pattern, Of::Names) {
                    return Err(problem(
                        *place,
                        "`**` in the pattern is not a whole part of it, and would act as `*`",
                        format!("write `{meant}`"),
                    ));
                }
                let glob = Box::new(glob.compile_matcher());
                plain(What::Glob(Box::new(text), glob), Type::Bool)
            }
            ("glob", ..) => Err(problem(
                at,
                "`glob` is asked of a text, and its pattern is written out",
                "write it as `person.email.glob(\"*@acme.com\")`",
            )),
            ("all" | "exists" | "exists_one" | "map" | "filter", Some(over), arguments) => {
                self.repeat(at, name, over, arguments)
            }
            (operator, None, operands) if Function::operator(operator).is_some() => {
                self.function(at, operator, None, operands)
            }
            _ => self.function(at, name, target, arguments),
        }
    }

    fn function(
        &mut self,
        at: usize,
        name: &str,
        target: Option<&Parsed>,
        arguments: &[Parsed],
    ) -> Checked {
        let operator = Function::operator(name);
        let (function, count) = match operator {
            Some(function) => (function, arguments.len()),
            None => Function::named(name).ok_or_else(|| unknown_function(at, name))?,
        };
        if let Some(how) = Style::of(function).misused(function, target.is_some()) {
            let message = format!("`{}` is not written like this", function.word());
            return Err(problem(at, message, how));
        }
        let given = arguments.len() + usize::from(target.is_some());
        if given != count {
            return Err(problem(
                at,
                format!("`{}` takes {count} values, and here are {given}", function.word()),
                "give it what it takes; of `text.contains(part)` the text is the first",
            ));
        }
        let mut nodes = Vec::with_capacity(given);
        let mut types = Vec::with_capacity(given);
        for argument in target.into_iter().chain(arguments) {
            let (node, sort) = self.node(argument)?;
            nodes.push(node);
            types.push(sort);
        }
        let sort = result(function, &types)
            .map_err(|message| problem(at, message, unfit(function, &types, &nodes)))?;
        if let Some(node) = no_date(function, &nodes, &types) {
            return Err(problem(
                node.at,
                "this is no date, and here stands a date",
                "write dates as year, month and day: `\"2027-03-31\"`; ask for none with `== null`",
            ));
        }
        Ok((Node { at, what: What::Call(function, nodes) }, sort))
    }

    fn repeat(&mut self, at: usize, name: &str, over: &Parsed, arguments: &[Parsed]) -> Checked {
        let (variable, filter, body) = match (name, arguments) {
            (_, [Parsed { sort: Sort::Name(variable), .. }, body]) => (variable, None, body),
            ("map", [Parsed { sort: Sort::Name(variable), .. }, filter, body]) => {
                (variable, Some(filter), body)
            }
            _ => {
                return Err(problem(
                    at,
                    format!("`{name}` takes a name and a condition"),
                    format!("write it as `people.{name}(p, p.role == \"admin\")`"),
                ));
            }
        };
        if self.loops == MAX_LOOPS {
            return Err(problem(
                at,
                format!(
                    "more than {MAX_LOOPS} of `all`, `exists`, `map` and `filter` lie within each other"
                ),
                "use `for_each`, or the lists that people and workspaces have of their own",
            ));
        }
        let (over, sort) = self.node(over)?;
        let element = match sort {
            Type::List(element) => *element,
            Type::Map(_) => Type::Text,
            Type::Any => Type::Any,
            other => {
                return Err(problem(
                    over.at,
                    format!("{} has no elements", other.noun()),
                    "write the name of a list before the dot",
                ));
            }
        };
        self.loops += 1;
        self.scope.push((variable.clone(), element));
        let checked = self.inner(name, filter, body);
        self.scope.pop();
        self.loops -= 1;
        let (kind, filter, body) = checked?;
        let result = match kind {
            LoopSort::All | LoopSort::Exists | LoopSort::ExistsOne => Type::Bool,
            LoopSort::Filter if matches!(sort, Type::List(_)) => sort,
            LoopSort::Map | LoopSort::Filter => Type::List(&Type::Any),
        };
        let what = What::Loop(Box::new(Loop { sort: kind, over, filter, body }));
        Ok((Node { at, what }, result))
    }

    fn inner(
        &mut self,
        name: &str,
        filter: Option<&Parsed>,
        body: &Parsed,
    ) -> Result<(LoopSort, Option<Node>, Node), Problem> {
        let filter = filter.map(|filter| self.truth(filter)).transpose()?;
        let kind = match name {
            "all" => LoopSort::All,
            "exists" => LoopSort::Exists,
            "exists_one" => LoopSort::ExistsOne,
            "filter" => LoopSort::Filter,
            _ => LoopSort::Map,
        };
        let body = if kind == LoopSort::Map { self.node(body)?.0 } else { self.truth(body)? };
        Ok((kind, filter, body))
    }
}

fn unknown_function(at: usize, name: &str) -> Problem {
    problem(at, format!("there is no function `{}`", shown(name)), hints::function(name))
}

/// The first text beside a date that is no date: the comparison could only mislead.
fn no_date<'n>(function: Function, nodes: &'n [Node], types: &[Type]) -> Option<&'n Node> {
    use Function as F;
    let compares = matches!(
        function,
        F::Equal
            | F::Unequal
            | F::Less
            | F::LessOrEqual
            | F::Greater
            | F::GreaterOrEqual
            | F::In
            | F::DaysSince
            | F::DaysUntil
    );
    let counts = matches!(function, F::DaysSince | F::DaysUntil);
    if !compares || !(counts || types.iter().any(|t| matches!(t, Type::Date))) {
        return None;
    }
    nodes
        .iter()
        .flat_map(|node| match &node.what {
            What::List(elements) if function == F::In => elements.as_slice(),
            _ => std::slice::from_ref(node),
        })
        .find(|node| matches!(&node.what, What::Literal(Value::Text(text)) if date(text).is_none()))
}

/// What to write where a function does not go with the types of its values.
fn unfit(function: Function, types: &[Type], nodes: &[Node]) -> String {
    use Function as F;
    let field = match nodes.get(1).map(|node| &node.what) {
        Some(What::Literal(Value::Text(text))) => Some(shown(text)),
        _ => None,
    };
    match (function, types) {
        (F::Index, [Type::Record(schema), ..]) => {
            let field = field.filter(|field| schema.position(field).is_some());
            let field = field.unwrap_or_else(|| schema.fields[0].0.to_owned());
            format!("a field is written after a dot: `{}.{field}`", schema.name)
        }
        (F::Index, [Type::List(_), ..]) => "the places of a list are numbers, from 0".to_owned(),
        (F::Index, [Type::Map(_), ..]) | (F::In, [.., Type::Map(_)]) => {
            "the keys of a map are texts".to_owned()
        }
        (F::Contains, [Type::List(_) | Type::Map(_), ..]) => {
            "`contains` looks for text within text; for an element of a list write `x in list`"
                .to_owned()
        }
        (F::In, [.., Type::Text | Type::Date]) => {
            "for text within text write `text.contains(part)`".to_owned()
        }
        _ => "look at the types of both sides; dates are texts such as `\"2027-03-31\"`".to_owned(),
    }
}
