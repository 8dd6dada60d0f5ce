//! The functions and operators of expressions: their names, and what they do with values.
//!
//! Invariant: a function pays for what it looks at and for what it makes before it does so.

use std::{cmp::Ordering, sync::Arc};

use super::{
    eval::{Facts, Fuel, Trouble},
    value::Value,
};

/// A function or operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Not,
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Index,
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Lower,
    ToText,
    ToInt,
    DaysSince,
    DaysUntil,
    FindPerson,
    FindWorkspace,
}

/// Operators by the names that the grammar gives them.
const OPERATORS: &[(&str, Function)] = &[
    ("!_", Function::Not),
    ("-_", Function::Negate),
    ("_+_", Function::Add),
    ("_-_", Function::Subtract),
    ("_*_", Function::Multiply),
    ("_/_", Function::Divide),
    ("_%_", Function::Remainder),
    ("_==_", Function::Equal),
    ("_!=_", Function::Unequal),
    ("_<_", Function::Less),
    ("_<=_", Function::LessOrEqual),
    ("_>_", Function::Greater),
    ("_>=_", Function::GreaterOrEqual),
    ("@in", Function::In),
    ("_[_]", Function::Index),
];

/// Functions by name, with the number of their arguments; of a method, the first is what it is called on.
const FUNCTIONS: &[(&str, Function, usize)] = &[
    ("size", Function::Size, 1),
    ("contains", Function::Contains, 2),
    ("startsWith", Function::StartsWith, 2),
    ("endsWith", Function::EndsWith, 2),
    ("lowerAscii", Function::Lower, 1),
    ("string", Function::ToText, 1),
    ("int", Function::ToInt, 1),
    ("daysSince", Function::DaysSince, 1),
    ("daysUntil", Function::DaysUntil, 1),
    ("findPerson", Function::FindPerson, 1),
    ("findWorkspace", Function::FindWorkspace, 1),
];

impl Function {
    /// The operator that the grammar calls so.
    pub(super) fn operator(name: &str) -> Option<Self> {
        OPERATORS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
    }

    /// The function of this name, and the number of its arguments.
    pub(super) fn named(name: &str) -> Option<(Self, usize)> {
        FUNCTIONS.iter().find(|(known, ..)| *known == name).map(|(_, f, count)| (*f, *count))
    }

    /// What a user may call.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|(name, ..)| *name)
    }

    /// How it is written.
    pub(super) fn word(self) -> &'static str {
        let operator = OPERATORS.iter().find(|(_, function)| *function == self);
        match operator {
            Some((name, _)) => match *name {
                "@in" => "in",
                "_[_]" => "[ ]",
                name => name.trim_matches('_'),
            },
            None => FUNCTIONS.iter().find(|(_, f, _)| *f == self).map_or("", |(name, ..)| name),
        }
    }

    /// Calls it. The number of arguments was checked.
    pub(super) fn call(
        self,
        arguments: &[Value],
        facts: &dyn Facts,
        fuel: &mut Fuel,
    ) -> Result<Value, Trouble> {
        use Function as F;
        use Value as V;
        let value = match (self, arguments) {
            (F::Not, [V::Bool(value)]) => V::Bool(!value),
            (F::Negate, [V::Int(value)]) => V::Int(value.checked_neg().ok_or_else(too_large)?),
            (F::Add, [V::Int(a), V::Int(b)]) => V::Int(a.checked_add(*b).ok_or_else(too_large)?),
            (F::Add, [V::Text(a), V::Text(b)]) => {
                fuel.pay_text(a.len() + b.len())?;
                V::text(format!("{a}{b}"))
            }
            (F::Add, [V::List(a), V::List(b)]) => {
                fuel.pay(a.len() + b.len())?;
                V::list(a.iter().chain(b.iter()).cloned())
            }
            (F::Subtract, [V::Int(a), V::Int(b)]) => {
                V::Int(a.checked_sub(*b).ok_or_else(too_large)?)
            }
            (F::Multiply, [V::Int(a), V::Int(b)]) => {
                V::Int(a.checked_mul(*b).ok_or_else(too_large)?)
            }
            (F::Divide | F::Remainder, [V::Int(_), V::Int(0)]) => {
                return Err(Trouble::plain("a number is divided by 0"));
            }
            (F::Divide, [V::Int(a), V::Int(b)]) => V::Int(a.checked_div(*b).ok_or_else(too_large)?),
            (F::Remainder, [V::Int(a), V::Int(b)]) => {
                V::Int(a.checked_rem(*b).ok_or_else(too_large)?)
            }
            (F::Equal, [a, b]) => V::Bool(equal(a, b, fuel)?),
            (F::Unequal, [a, b]) => V::Bool(!equal(a, b, fuel)?),
            (F::Less, [a, b]) => V::Bool(compare(self, a, b, fuel)?.is_lt()),
            (F::LessOrEqual, [a, b]) => V::Bool(compare(self, a, b, fuel)?.is_le()),
            (F::Greater, [a, b]) => V::Bool(compare(self, a, b, fuel)?.is_gt()),
            (F::GreaterOrEqual, [a, b]) => V::Bool(compare(self, a, b, fuel)?.is_ge()),
            (F::In, [needle, V::List(list)]) => {
                for element in list.iter() {
                    fuel.pay(1)?;
                    if equal(needle, element, fuel)? {
                        return Ok(V::Bool(true));
                    }
                }
                V::Bool(false)
            }
            (F::In, [V::Text(key), V::Map(map)]) => V::Bool(map.contains_key(key)),
            (F::Index, [V::List(list), V::Int(at)]) => {
                let found = usize::try_from(*at).ok().and_then(|at| list.get(at));
                found.cloned().ok_or_else(|| {
                    Trouble::plain(format!("the list of {} has nothing at {at}", list.len()))
                })?
            }
            (F::Index, [V::Map(map), V::Text(key)]) => map
                .get(key)
                .cloned()
                .ok_or_else(|| Trouble::plain("the map lacks the key: ask with `in` first"))?,
            (F::Size, [V::Text(text)]) => {
                fuel.pay_text(text.len())?;
                V::Int(count(text.chars().count()))
            }
            (F::Size, [V::List(list)]) => V::Int(count(list.len())),
            (F::Size, [V::Map(map)]) => V::Int(count(map.len())),
            (F::Contains | F::StartsWith | F::EndsWith, [V::Text(text), V::Text(part)]) => {
                fuel.pay_text(text.len() + part.len())?;
                V::Bool(match self {
                    F::Contains => text.contains(&**part),
                    F::StartsWith => text.starts_with(&**part),
                    _ => text.ends_with(&**part),
                })
            }
            (F::Lower, [V::Text(text)]) => {
                fuel.pay_text(text.len())?;
                V::text(text.to_ascii_lowercase())
            }
            (F::ToText, [V::Int(number)]) => V::text(number.to_string()),
            (F::ToText, [V::Bool(value)]) => V::text(value.to_string()),
            (F::ToText, [V::Text(text)]) => V::Text(Arc::clone(text)),
            (F::ToInt, [V::Int(number)]) => V::Int(*number),
            (F::ToInt, [V::Text(text)]) => {
                V::Int(text.parse().map_err(|_| Trouble::plain("the text is not a whole number"))?)
            }
            (F::DaysSince, [V::Text(date)]) => V::Int(-days_until(date, facts)?),
            (F::DaysUntil, [V::Text(date)]) => V::Int(days_until(date, facts)?),
            (F::FindPerson, [V::Text(email)]) => facts.person(email).unwrap_or(V::Null),
            (F::FindWorkspace, [V::Text(name)]) => facts.workspace(name).unwrap_or(V::Null),
            _ => return Err(unfit(self, arguments)),
        };
        Ok(value)
    }
}

/// The day that a text means: year, month and day, as in `2027-03-31`, and no other form.
pub(super) fn date(text: &str) -> Option<jiff::civil::Date> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    text.parse().ok().filter(|date: &jiff::civil::Date| plain && date.to_string() == text)
}

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// After a value and a dot: `text.contains(part)`.
    Method,
    /// By itself: `int(text)`.
    Global,
    /// Either, and operators.
    Either,
}

impl Style {
    pub(super) fn of(function: Function) -> Self {
        use Function as F;
        match function {
            F::Contains | F::StartsWith | F::EndsWith | F::Lower => Style::Method,
            F::ToText
            | F::ToInt
            | F::DaysSince
            | F::DaysUntil
            | F::FindPerson
            | F::FindWorkspace => Style::Global,
            _ => Style::Either,
        }
    }

    /// How it is written, if this is not it.
    pub(super) fn misused(self, function: Function, as_method: bool) -> Option<String> {
        let word = function.word();
        match (self, as_method) {
            (Style::Method, false) if function == Function::Lower => {
                Some(format!("write it after a text and a dot: `text.{word}()`"))
            }
            (Style::Method, false) => {
                Some(format!("write it after a text and a dot: `text.{word}(part)`"))
            }
            (Style::Global, true) => {
                Some(format!("write the value in the brackets: `{word}(value)`"))
            }
            _ => None,
        }
    }
}

fn too_large() -> Trouble {
    Trouble::plain("a number is too large")
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn days_until(date: &str, facts: &dyn Facts) -> Result<i64, Trouble> {
    let date = self::date(date)
        .ok_or_else(|| Trouble::plain("the text is not a date such as `2027-03-31`"))?;
    let days = facts.today().until(date).map_err(|_| Trouble::plain("the date is too far away"))?;
    Ok(i64::from(days.get_days()))
}

fn unfit(function: Function, arguments: &[Value]) -> Trouble {
    let nouns: Vec<_> = arguments.iter().map(Value::noun).collect();
    let hint = if nouns.contains(&"null") { ": ask with `!= null` first" } else { "" };
    Trouble::plain(format!("`{}` does not work on {}{hint}", function.word(), nouns.join(" and ")))
}

/// Whether two values are the same; values of different types are not.
fn equal(a: &Value, b: &Value, fuel: &mut Fuel) -> Result<bool, Trouble> {
    fuel.pay(1)?;
    Ok(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            fuel.pay_text(a.len())?;
            a == b
        }
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal(a, b, fuel)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for ((left, a), (right, b)) in a.iter().zip(b.iter()) {
                fuel.pay_text(left.len())?;
                if left != right || !equal(a, b, fuel)? {
                    return Ok(false);
                }
            }
            true
        }
        // Two are one if they are the same thing, not if they look alike.
        (Value::Record(a), Value::Record(b)) => Arc::ptr_eq(a, b),
        _ => false,
    })
}

fn compare(function: Function, a: &Value, b: &Value, fuel: &mut Fuel) -> Result<Ordering, Trouble> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Text(left), Value::Text(right)) => {
            fuel.pay_text(left.len().min(right.len()))?;
            Ok(left.cmp(right))
        }
        _ => Err(unfit(function, &[a.clone(), b.clone()])),
    }
}
