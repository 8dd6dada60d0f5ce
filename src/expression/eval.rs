//! Evaluates a checked tree.
//!
//! Invariant: every part that is visited and every element that is looked at is paid for, so that an evaluation ends
//! when its fuel does; running out of fuel is never taken for an answer.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

use super::{
    tree::{Loop, LoopSort, Node, What},
    value::Value,
};

/// What an evaluation may cost: steps, each some tens of nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel {
    left: u64,
}

/// So many bytes of text cost as much as one step.
const BYTES_A_STEP: usize = 32;

impl Fuel {
    /// So many steps.
    pub fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// The steps that are left.
    pub fn left(&self) -> u64 {
        self.left
    }

    pub(super) fn pay(&mut self, steps: usize) -> Result<(), Trouble> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Trouble::OutOfFuel)
            }
        }
    }

    pub(super) fn pay_text(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.pay(bytes / BYTES_A_STEP)
    }
}

/// Why an evaluation has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It cost too much.
    OutOfFuel,
    /// Something does not fit together.
    Plain {
        /// Where, in characters from the start of the expression.
        at: usize,
        /// What does not.
        message: String,
    },
}

impl Trouble {
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Trouble::Plain { at: usize::MAX, message: message.into() }
    }

    /// Says where, unless that is known better already.
    fn at(self, place: usize) -> Self {
        match self {
            Trouble::Plain { at: usize::MAX, message } => Trouble::Plain { at: place, message },
            other => other,
        }
    }
}

/// What functions may ask for.
pub trait Facts {
    /// The day it is judged on.
    fn today(&self) -> Date;
    /// The person with this address.
    fn person(&self, email: &str) -> Option<Value>;
    /// The workspace of this name.
    fn workspace(&self, name: &str) -> Option<Value>;
}

/// Evaluates.
pub(super) fn eval(
    root: &Node,
    variables: &[Value],
    facts: &dyn Facts,
    fuel: &mut Fuel,
) -> Result<Value, Trouble> {
    Run { stack: variables.to_vec(), facts, fuel }.node(root)
}

struct Run<'r> {
    stack: Vec<Value>,
    facts: &'r dyn Facts,
    fuel: &'r mut Fuel,
}

impl Run<'_> {
    fn node(&mut self, node: &Node) -> Result<Value, Trouble> {
        self.fuel.pay(1)?;
        self.what(&node.what).map_err(|trouble| trouble.at(node.at))
    }

    fn what(&mut self, what: &What) -> Result<Value, Trouble> {
        match what {
            What::Literal(value) => Ok(value.clone()),
            What::Variable(slot) => self
                .stack
                .get(*slot)
                .cloned()
                .ok_or_else(|| Trouble::plain("a variable has no value here")),
            What::Field(of, field) => match self.node(of)? {
                Value::Record(record) => record.field(field).cloned().ok_or_else(|| {
                    Trouble::plain(format!("{} has no `{field}`", record.schema().noun))
                }),
                Value::Map(map) => map.get(&**field).cloned().ok_or_else(|| {
                    Trouble::plain(format!("the map lacks `{field}`: ask with `has` or `in` first"))
                }),
                Value::Null => {
                    Err(Trouble::plain(format!("null has no `{field}`: ask with `!= null` first")))
                }
                other => Err(Trouble::plain(format!("{} has no `{field}`", other.noun()))),
            },
            What::Has(of, field) => Ok(Value::Bool(match self.node(of)? {
                Value::Record(record) => {
                    record.field(field).is_some_and(|value| !matches!(value, Value::Null))
                }
                Value::Map(map) => map.contains_key(&**field),
                Value::Null => {
                    return Err(Trouble::plain(format!(
                        "null has no `{field}`, not even an empty one: ask with `!= null` first"
                    )));
                }
                other => return Err(Trouble::plain(format!("{} has no `{field}`", other.noun()))),
            })),
            What::List(elements) => Ok(Value::list(self.all(elements)?)),
            What::Map(entries) => {
                let mut map = BTreeMap::new();
                for (key, value) in entries {
                    let Value::Text(key) = self.node(key)? else {
                        return Err(Trouble::plain("the keys of a map are texts"));
                    };
                    let value = self.node(value)?;
                    if map.insert(key, value).is_some() {
                        return Err(Trouble::plain("a map has a key twice"));
                    }
                }
                Ok(Value::Map(Arc::new(map)))
            }
            What::And(left, right) => self.either(left, right, false),
            What::Or(left, right) => self.either(left, right, true),
            What::If(parts) => {
                let (condition, then, otherwise) = &**parts;
                let chosen = if self.truth(condition)? { then } else { otherwise };
                self.node(chosen)
            }
            What::Call(function, arguments) => {
                let arguments = self.all(arguments)?;
                function.call(&arguments, self.facts, self.fuel)
            }
            What::Glob(of, glob) => match self.node(of)? {
                Value::Text(text) => {
                    self.fuel.pay_text(text.len() * 8)?;
                    Ok(Value::Bool(glob.is_match(&*text)))
                }
                Value::Null => {
                    Err(Trouble::plain("`glob` does not work on null: ask with `!= null` first"))
                }
                other => Err(Trouble::plain(format!("`glob` does not work on {}", other.noun()))),
            },
            What::Loop(parts) => self.repeat(parts),
        }
    }

    fn all(&mut self, nodes: &[Node]) -> Result<Vec<Value>, Trouble> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn truth(&mut self, node: &Node) -> Result<bool, Trouble> {
        match self.node(node)? {
            Value::Bool(value) => Ok(value),
            other => {
                Err(Trouble::plain(format!("{} is neither true nor false", other.noun()))
                    .at(node.at))
            }
        }
    }

    /// `&&` and `||`: one side may decide although the other has no value.
    fn either(&mut self, left: &Node, right: &Node, decides: bool) -> Result<Value, Trouble> {
        let first = match self.truth(left) {
            Ok(value) if value == decides => return Ok(Value::Bool(decides)),
            Err(Trouble::OutOfFuel) => return Err(Trouble::OutOfFuel),
            other => other,
        };
        let second = self.truth(right)?;
        if second == decides { Ok(Value::Bool(decides)) } else { first.map(Value::Bool) }
    }

    fn repeat(&mut self, parts: &Loop) -> Result<Value, Trouble> {
        let Loop { sort, over, filter, body } = parts;
        let elements: Vec<Value> = match self.node(over)? {
            Value::List(list) => {
                self.fuel.pay(list.len())?;
                list.to_vec()
            }
            Value::Map(map) => {
                self.fuel.pay(map.len())?;
                map.keys().cloned().map(Value::Text).collect()
            }
            Value::Null => {
                return Err(
                    Trouble::plain("null has no elements: ask with `!= null` first").at(over.at)
                );
            }
            other => {
                return Err(Trouble::plain(format!("{} has no elements", other.noun())).at(over.at));
            }
        };
        let depth = self.stack.len();
        let ended = self.over(*sort, elements, filter.as_ref(), body);
        // Whatever became of it: variables are found by their place.
        self.stack.truncate(depth);
        ended
    }

    /// Goes over the elements; each stands on the stack in its turn.
    fn over(
        &mut self,
        sort: LoopSort,
        elements: Vec<Value>,
        filter: Option<&Node>,
        body: &Node,
    ) -> Result<Value, Trouble> {
        let depth = self.stack.len();
        let mut gathered = Vec::new();
        let mut trouble = None;
        let mut matches = 0_usize;
        for element in elements {
            self.stack.truncate(depth);
            self.stack.push(element.clone());
            if let Some(filter) = filter
                && !self.truth(filter)?
            {
                continue;
            }
            match sort {
                LoopSort::Map => gathered.push(self.node(body)?),
                LoopSort::Filter => {
                    if self.truth(body)? {
                        gathered.push(element);
                    }
                }
                LoopSort::ExistsOne => matches += usize::from(self.truth(body)?),
                LoopSort::All | LoopSort::Exists => {
                    let decides = sort == LoopSort::Exists;
                    match self.truth(body) {
                        Ok(value) if value == decides => {
                            return Ok(Value::Bool(decides));
                        }
                        Ok(_) => {}
                        Err(Trouble::OutOfFuel) => return Err(Trouble::OutOfFuel),
                        // A later element may still decide.
                        Err(other) => trouble = trouble.or(Some(other)),
                    }
                }
            }
        }
        match (sort, trouble) {
            (_, Some(trouble)) => Err(trouble),
            (LoopSort::All, None) => Ok(Value::Bool(true)),
            (LoopSort::Exists, None) => Ok(Value::Bool(false)),
            (LoopSort::ExistsOne, None) => Ok(Value::Bool(matches == 1)),
            (LoopSort::Map | LoopSort::Filter, None) => Ok(Value::list(gathered)),
        }
    }
}
