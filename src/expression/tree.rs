//! The tree of an expression: of a parsed one, and of one that was checked.
//!
//! Invariant: a checked tree names only functions, fields and variables that are there.

use super::{functions::Function, value::Value};

/// A part of a parsed expression.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    /// Where it stands, in characters.
    pub(super) at: usize,
    pub(super) sort: Sort,
}

/// What a parsed part is.
#[derive(Clone, Debug)]
pub(super) enum Sort {
    Literal(Value),
    Name(String),
    Select(Box<Parsed>, String),
    List(Vec<Parsed>),
    Map(Vec<(Parsed, Parsed)>),
    /// A function, a method or an operator.
    Call(Option<Box<Parsed>>, String, Vec<Parsed>),
    /// A part of CEL that is not offered.
    Foreign(&'static str),
}

/// A part of a checked expression.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) what: What,
}

/// What a checked part is.
#[derive(Clone, Debug)]
pub(super) enum What {
    Literal(Value),
    /// The variable at this place of the stack.
    Variable(usize),
    Field(Box<Node>, Box<str>),
    /// Whether a field is there and not null.
    Has(Box<Node>, Box<str>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    If(Box<(Node, Node, Node)>),
    Call(Function, Vec<Node>),
    Glob(Box<Node>, Box<globset::GlobMatcher>),
    Loop(Box<Loop>),
}

/// One of the macros over lists and maps.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub(super) sort: LoopSort,
    pub(super) over: Node,
    pub(super) filter: Option<Node>,
    pub(super) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoopSort {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}
