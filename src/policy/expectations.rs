//! `tests` of the files: somebody must or must not have some access.
//!
//! Invariant: a test whose person is not there fails where something must hold, and only there.

use std::sync::Arc;

use globset::Glob;

use super::{
    Court, Finding, Found, access,
    custom::{line, troubled, truth},
    state::Person,
    values::{One, Values},
};
use crate::{
    config::document::policy::{Access, Expected, Test},
    expression::{Subject, Trouble, Value},
};

impl Court<'_> {
    pub(super) fn test(&mut self, name: &Arc<str>, test: &Test) {
        let mut found = Vec::new();
        match &test.person {
            None => self.about(name, test, None, &mut found),
            Some(pattern) => {
                let glob = Glob::new(&pattern.value.to_lowercase())
                    .ok()
                    .map(|glob| glob.compile_matcher());
                let matching: Vec<usize> = (0..self.state.people.len())
                    .filter(|at| {
                        glob.as_ref().is_some_and(|g| g.is_match(&*self.state.people[*at].email))
                    })
                    .collect();
                if matching.is_empty() && !test.must.is_empty() {
                    found.push(Found {
                        names: vec![Arc::clone(name)],
                        message: format!("the test `{name}` fails: nobody is `{pattern}`"),
                        span: pattern.span.clone(),
                        help: "add them to the files, or correct the address".to_owned(),
                        ..Found::default()
                    });
                }
                for person in matching {
                    self.about(name, test, Some(person), &mut found);
                }
            }
        }
        let findings = found.into_iter().map(|found| {
            let Found { names, message, span, others, help } = found;
            Finding {
                rule: "test".into(),
                severity: test.severity,
                names,
                message,
                span,
                rule_span: test.place.0.clone(),
                others,
                help,
                excepted: None,
            }
        });
        self.verdict.findings.extend(findings);
    }

    fn about(
        &mut self,
        name: &Arc<str>,
        test: &Test,
        person: Option<usize>,
        found: &mut Vec<Found>,
    ) {
        let Test { place: _, person: _, must, must_not, severity: _ } = test;
        for (expected, wanted) in
            must.iter().map(|one| (one, true)).chain(must_not.iter().map(|one| (one, false)))
        {
            match (expected, person) {
                (Expected::Access(access), Some(person)) => {
                    let person = &self.state.people[person];
                    found.extend(self.holds(name, access, person, wanted));
                }
                // The decoder wants somebody for an access.
                (Expected::Access(_), None) => {}
                (Expected::Expression(expression), person) => {
                    let mut fuel = self.tank();
                    let values = self.values.get_or_insert_with(|| Values::of(self.state));
                    let one = match person {
                        Some(at) => {
                            values.each.get(&Subject::People).and_then(|all| all.get(at)).cloned()
                        }
                        None => None,
                    };
                    let mut variables = values.variables.clone();
                    variables.extend(one.as_ref().map(|one| one.value.clone()));
                    let one = one.unwrap_or_else(|| One {
                        value: Value::Null,
                        names: vec![Arc::clone(name)],
                        title: "the organization".to_owned(),
                        span: None,
                    });
                    match truth(expression, &variables, values, &mut fuel) {
                        Ok(holds) if holds == wanted => {}
                        Ok(_) => found.push(Found {
                            names: one.names.clone(),
                            message: format!(
                                "the test `{name}` fails for {}: {} true: {}",
                                one.title,
                                if wanted { "this must be" } else { "this must not be" },
                                line(expression.source())
                            ),
                            span: one.span.clone(),
                            help: "change the access, or the test if it is out of date".to_owned(),
                            ..Found::default()
                        }),
                        Err(trouble) => {
                            let costly = trouble == Trouble::OutOfFuel;
                            found.push(troubled(name, &trouble, &one, expression));
                            if costly {
                                return;
                            }
                        }
                    }
                    self.refuel(fuel);
                }
            }
        }
    }

    fn holds(&self, name: &str, access: &Access, person: &Person, wanted: bool) -> Option<Found> {
        let held = access::held(access, person, self.state);
        let span = access::span(access, person, self.state).cloned();
        let message = if wanted {
            // All workspaces of the name, of which there is one.
            let needed = access
                .workspace
                .as_ref()
                .map_or(1, |pattern| access::workspaces(pattern, self.state).len().max(1));
            if held.len() >= needed {
                return None;
            }
            format!("the test `{name}` fails: `{}` does not hold {}", person.email, access.words())
        } else {
            let first = held.first()?;
            format!("the test `{name}` fails: `{}` holds {first}", person.email)
        };
        Some(Found {
            names: vec![Arc::clone(&person.email)],
            message,
            span,
            help: "change the access, or the test if it is out of date".to_owned(),
            ..Found::default()
        })
    }
}
