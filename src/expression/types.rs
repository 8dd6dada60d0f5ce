//! Types of values before they are there, and what operators and fields make of them.
//!
//! Invariant: a type is only claimed where every value has it, or is null.

use super::{
    Problem,
    check::{near, problem, shown},
    functions::Function,
};

/// What is known of a value before it is there. A text or record may also be null.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Anything.
    Any,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// Text that is a day, as in `2027-03-31`.
    Date,
    /// A list of such values.
    List(&'static Type),
    /// A map from texts to such values.
    Map(&'static Type),
    /// Something with fixed fields.
    Record(&'static Schema),
}

/// The fields of a sort of record.
#[derive(Debug)]
pub struct Schema {
    /// Its name: `person`.
    pub name: &'static str,
    /// The word for one in a sentence: `a person`.
    pub noun: &'static str,
    /// Its fields: name, type, what it says.
    pub fields: &'static [(&'static str, Type, &'static str)],
}

impl Schema {
    /// Where a field stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(field, ..)| *field == name)
    }
}

impl Type {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Type::Any => "anything",
            Type::Bool => "true or false",
            Type::Int => "a number",
            Type::Text => "text",
            Type::Date => "a date",
            Type::List(_) => "a list",
            Type::Map(_) => "a map",
            Type::Record(schema) => schema.noun,
        }
    }
}

/// The type of a field.
pub(super) fn select(at: usize, of: Type, field: &str) -> Result<Type, Problem> {
    match of {
        Type::Any => Ok(Type::Any),
        Type::Map(element) => Ok(*element),
        Type::Record(schema) => match schema.position(field) {
            Some(position) => Ok(schema.fields[position].1),
            None => Err(problem(
                at,
                format!("{} has no `{}`", schema.noun, shown(field)),
                near(field, schema.fields.iter().map(|(name, ..)| *name), "it has"),
            )),
        },
        other => Err(problem(
            at,
            format!("{} has no `{}`", other.noun(), shown(field)),
            "fields are asked of people, workspaces, grants, keys and changes",
        )),
    }
}

/// The type of a result, where the types of the arguments can go together at all.
pub(super) fn result(function: Function, types: &[Type]) -> Result<Type, String> {
    use Function as F;
    let fits =
        |wanted: fn(&Type) -> bool| types.iter().all(|t| matches!(t, Type::Any) || wanted(t));
    let nouns = || types.iter().map(|t| t.noun()).collect::<Vec<_>>().join(" and ");
    let need = |holds: bool, sort: Type| {
        if holds {
            Ok(sort)
        } else {
            Err(format!("`{}` does not work on {}", function.word(), nouns()))
        }
    };
    let same = |types: &[Type]| match types {
        [Type::Any, _] | [_, Type::Any] | [Type::Date | Type::Text, Type::Date | Type::Text] => {
            true
        }
        [a, b] => std::mem::discriminant(a) == std::mem::discriminant(b),
        _ => true,
    };
    let int = |t: &Type| matches!(t, Type::Int);
    let text = |t: &Type| matches!(t, Type::Text | Type::Date);
    match function {
        F::Not => need(fits(|t| matches!(t, Type::Bool)), Type::Bool),
        F::Negate | F::Subtract | F::Multiply | F::Divide | F::Remainder => {
            need(fits(int), Type::Int)
        }
        F::Add => {
            let fit = fits(|t| matches!(t, Type::Int | Type::Text | Type::Date | Type::List(_)))
                && same(types);
            let sort = types.iter().copied().find(|t| !matches!(t, Type::Any)).unwrap_or(Type::Any);
            let sort = match sort {
                Type::List(_) => Type::List(&Type::Any),
                Type::Date => Type::Text,
                other => other,
            };
            need(fit, sort)
        }
        F::Equal | F::Unequal => need(same(types), Type::Bool),
        F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual => {
            let fit = fits(|t| matches!(t, Type::Int | Type::Text | Type::Date | Type::Bool))
                && same(types);
            need(fit, Type::Bool)
        }
        F::In => {
            let fit = match types {
                [key, Type::Map(_)] => text(key) || matches!(key, Type::Any),
                [_, of] => matches!(of, Type::Any | Type::List(_)),
                _ => false,
            };
            need(fit, Type::Bool)
        }
        F::Index => match types {
            [Type::List(element), Type::Int | Type::Any]
            | [Type::Map(element), Type::Text | Type::Date | Type::Any] => Ok(**element),
            [Type::Any, Type::Int | Type::Text | Type::Date | Type::Any] => Ok(Type::Any),
            _ => need(false, Type::Any),
        },
        F::Size => need(
            fits(|t| matches!(t, Type::Text | Type::Date | Type::List(_) | Type::Map(_))),
            Type::Int,
        ),
        F::Contains | F::StartsWith | F::EndsWith => need(fits(text), Type::Bool),
        F::Lower => need(fits(text), Type::Text),
        F::ToText => need(
            fits(|t| matches!(t, Type::Text | Type::Date | Type::Int | Type::Bool)),
            Type::Text,
        ),
        F::ToInt => need(fits(|t| matches!(t, Type::Text | Type::Int)), Type::Int),
        F::DaysSince | F::DaysUntil => need(fits(text), Type::Int),
        F::FindPerson | F::FindWorkspace => need(fits(text), Type::Any),
    }
}
