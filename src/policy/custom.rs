//! Rules of the files' own.
//!
//! Invariant: a rule that costs too much or cannot be judged is a finding of that rule, never silence.

use super::{
    Court, Found,
    values::{One, Values},
};
use crate::{
    config::document::{
        Sp,
        policy::{Custom, Rule},
    },
    expression::{Expression, Fuel, Trouble, Value},
};

impl Court<'_> {
    pub(super) fn custom(&mut self, rule: &Rule, custom: &Custom, found: &mut Vec<Found>) {
        let mut fuel = self.tank();
        let values = self.values.get_or_insert_with(|| Values::of(self.state));
        let whole = One {
            value: Value::Null,
            names: vec!["organization".into()],
            title: "the organization".to_owned(),
            span: None,
        };
        let each: &[One] = match custom.for_each {
            None => std::slice::from_ref(&whole),
            Some(subject) => values.each.get(&subject).map_or(&[], Vec::as_slice),
        };
        for one in each {
            let mut variables = values.variables.clone();
            if custom.for_each.is_some() {
                variables.push(one.value.clone());
            }
            let holds = match &custom.when {
                None => Ok(true),
                Some(when) => truth(when, &variables, values, &mut fuel),
            }
            .and_then(|concerned| {
                Ok(!concerned || truth(&custom.check, &variables, values, &mut fuel)?)
            });
            match holds {
                Ok(true) => {}
                Ok(false) => found.push(Found {
                    names: one.names.clone(),
                    message: match &custom.message {
                        Some(message) => format!("{}: {}", one.title, message.value),
                        None => format!("the rule `{}` does not hold for {}", rule.name, one.title),
                    },
                    span: one.span.clone(),
                    help: format!("make this true: {}", line(custom.check.source())),
                    ..Found::default()
                }),
                Err(trouble) => {
                    let costly = trouble == Trouble::OutOfFuel;
                    found.push(troubled(&rule.name, &trouble, one, &custom.check));
                    if costly {
                        break;
                    }
                }
            }
        }
        self.refuel(fuel);
    }
}

/// Whether an expression is true.
pub(super) fn truth(
    expression: &Sp<Expression>,
    variables: &[Value],
    values: &Values,
    fuel: &mut Fuel,
) -> Result<bool, Trouble> {
    match expression.eval(variables, values, fuel)? {
        Value::Bool(value) => Ok(value),
        other => Err(Trouble::Plain {
            at: 0,
            message: format!("the expression is {}, neither true nor false", other.noun()),
        }),
    }
}

/// An expression that has no value for somebody.
pub(super) fn troubled(
    rule: &str,
    trouble: &Trouble,
    one: &One,
    expression: &Sp<Expression>,
) -> Found {
    match trouble {
        Trouble::OutOfFuel => Found {
            names: vec!["organization".into()],
            message: format!("`{rule}` costs too much to judge for this organization"),
            span: expression.span.clone(),
            help: "ask about one by one with `for_each`, and use the lists that people and workspaces have, instead of \
                   going through everybody within everybody"
                .to_owned(),
            ..Found::default()
        },
        Trouble::Plain { at: _, message } => Found {
            names: one.names.clone(),
            message: format!("`{rule}` cannot be judged for {}: {message}", one.title),
            span: one.span.clone(),
            others: expression.span.clone().map(|span| (span, "the expression".to_owned())).into_iter().collect(),
            help: "make the expression fit, or leave such ones out with `when`".to_owned(),
            ..Found::default()
        },
    }
}

/// An expression on one line.
pub(super) fn line(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ")
}
