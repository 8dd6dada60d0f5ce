//! Conditions that files bring along, in CEL: parsed and checked once, evaluated many times, at a bounded price.
//!
//! Invariant: any text ends in an expression or in a problem with its place; any expression ends in a value or in a
//! trouble after at most as many steps as its fuel allows, in memory bounded by the same fuel.
//!
//! The grammar is that of the `cel` crate. Its evaluator has no limit on time or memory (`[1].map(a, a + a)` doubles
//! with every repetition), and files come from pull requests, so the tree is evaluated here: every step, every
//! element and every copied byte is paid for from [`Fuel`], and the same expression always costs the same.

#![cfg_attr(not(feature = "cel"), allow(dead_code))]

mod check;
mod eval;
mod functions;
mod hints;
#[cfg(feature = "cel")]
mod parse;
pub mod subject;
mod tree;
mod types;
mod value;

use std::sync::Arc;

use self::tree::Node;
pub use self::{
    eval::{Facts, Fuel, Trouble},
    subject::Subject,
    types::{Schema, Type},
    value::{Record, Value},
};

/// The longest expression, in characters.
pub const MAX_SOURCE: usize = 2_000;
/// How deep parts of an expression may lie within each other.
pub const MAX_DEPTH: usize = 40;
/// How deep `all`, `exists`, `exists_one`, `map` and `filter` may lie within each other.
pub const MAX_LOOPS: usize = 3;

/// A condition that was parsed and checked. Two are equal when their texts are.
#[derive(Clone, Debug)]
pub struct Expression {
    source: Arc<str>,
    root: Arc<Node>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}

/// What is wrong with a text that is to be an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in characters from the start of the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl Expression {
    /// Parses a text that may use these variables, in the order in which their values are given to
    /// [`Expression::eval`].
    pub fn parse(source: &str, variables: &[(&'static str, Type)]) -> Result<Self, Problem> {
        let length = source.chars().count();
        if length > MAX_SOURCE {
            return Err(Problem {
                at: 0,
                message: format!(
                    "the expression has {length} characters, and {MAX_SOURCE} are the most"
                ),
                help: "split it into several rules".to_owned(),
            });
        }
        Self::read(source, variables)
    }

    #[cfg(feature = "cel")]
    fn read(source: &str, variables: &[(&'static str, Type)]) -> Result<Self, Problem> {
        let root = check::check(&parse::parse(source)?, variables)?;
        Ok(Self { source: source.into(), root: Arc::new(root) })
    }

    #[cfg(not(feature = "cel"))]
    fn read(_: &str, _: &[(&'static str, Type)]) -> Result<Self, Problem> {
        Err(Problem {
            at: 0,
            message: "this charter was built without expressions".to_owned(),
            help: "use a charter that was built with the feature `cel`, or write the rule in another form"
                .to_owned(),
        })
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value, given those of the variables it was parsed for.
    pub fn eval(
        &self,
        variables: &[Value],
        facts: &dyn Facts,
        fuel: &mut Fuel,
    ) -> Result<Value, Trouble> {
        eval::eval(&self.root, variables, facts, fuel)
    }
}

#[cfg(all(test, feature = "cel"))]
mod tests;
