//! `tests` of the files: somebody must or must not have some access.
//!
//! Invariant: a test whose person is not there fails where something must hold, and only there.

use std::sync::Arc;

use globset::GlobBuilder;

use super::{
    Court, Finding, Found,
    access::Named,
    custom::{line, troubled, truth},
    values::{One, Values},
};
use crate::{
    config::document::policy::{Expected, Test},
    email::Email,
    expression::{Fuel, Subject, Trouble, Value},
};

impl Court<'_> {
    pub(super) fn test(&mut self, name: &Arc<str>, test: &Test) {
        let mut found = Vec::new();
        // One test has one share, however many people it is about.
        let mut fuel = self.tank();
        match &test.person {
            None => {
                self.about(name, test, None, &mut fuel, &mut found);
            }
            Some(pattern) => {
                let matching = self.matching(pattern);
                if matching.is_empty() && !test.must.is_empty() {
                    found.push(Found {
                        names: vec![Arc::clone(name)],
                        message: format!("the test `{name}` fails: nobody is `{pattern}`"),
                        span: pattern.span.clone(),
                        help: "add them to the files, or correct the address".to_owned(),
                        ..Found::default()
                    });
                }
                self.holds(name, test, &matching, &mut found);
                for person in matching {
                    if !self.about(name, test, Some(person), &mut fuel, &mut found) {
                        break;
                    }
                }
            }
        }
        self.refuel(fuel);
        let findings = found.into_iter().map(|found| {
            let Found { names, message, lacks, span, others, help } = found;
            Finding {
                rule: "test".into(),
                severity: test.severity,
                names,
                message,
                lacks,
                span,
                rule_span: test.place.0.clone(),
                others,
                help,
                excepted: None,
            }
        });
        self.verdict.findings.extend(findings);
    }

    /// Positions of the people whom an address or a pattern means.
    fn matching(&self, pattern: &str) -> Vec<usize> {
        let people = self.state.people.iter().enumerate();
        if let (Ok(email), false) = (Email::parse(pattern), pattern.contains(['*', '?', '[', '{']))
        {
            let is = |email: &Email, other: &Arc<str>| email.canonical() == other;
            return people.filter(|(_, one)| is(&email, &one.email)).map(|(at, _)| at).collect();
        }
        // The decoder refused what does not compile.
        let glob = GlobBuilder::new(pattern).case_insensitive(true).build();
        let Ok(glob) = glob.map(|glob| glob.compile_matcher()) else { return Vec::new() };
        people.filter(|(_, one)| glob.is_match(&*one.email)).map(|(at, _)| at).collect()
    }

    /// Asks whether people hold what they must and must not.
    fn holds(&self, name: &str, test: &Test, people: &[usize], found: &mut Vec<Found>) {
        let Test { place: _, person: _, must, must_not, severity: _ } = test;
        let expected =
            must.iter().map(|one| (one, true)).chain(must_not.iter().map(|one| (one, false)));
        for (expected, wanted) in expected {
            let Expected::Access(access) = expected else { continue };
            let named = Named::new(access, self.state);
            for person in people.iter().map(|at| &self.state.people[*at]) {
                let held = named.held(person);
                // Of several workspaces each one must be held, of which there must be one.
                let message = match (wanted, held.first()) {
                    (true, _) if held.len() < named.count().max(1) => format!(
                        "the test `{name}` fails: `{}` does not hold {}",
                        person.email,
                        access.words()
                    ),
                    (false, Some(first)) => {
                        format!("the test `{name}` fails: `{}` holds {first}", person.email)
                    }
                    _ => continue,
                };
                found.push(Found {
                    names: vec![Arc::clone(&person.email)],
                    message,
                    span: named.span(person).cloned(),
                    help: "change the access, or the test if it is out of date".to_owned(),
                    ..Found::default()
                });
            }
        }
    }

    /// Asks whether expressions hold, about one person or about everything. False: there is no fuel to go on.
    fn about(
        &mut self,
        name: &Arc<str>,
        test: &Test,
        person: Option<usize>,
        fuel: &mut Fuel,
        found: &mut Vec<Found>,
    ) -> bool {
        let Test { place: _, person: _, must, must_not, severity: _ } = test;
        let expected =
            must.iter().map(|one| (one, true)).chain(must_not.iter().map(|one| (one, false)));
        for (expected, wanted) in expected {
            let Expected::Expression(expression) = expected else { continue };
            let values = self.values.get_or_insert_with(|| Values::of(self.state));
            let one = match person {
                Some(at) => values.each.get(&Subject::People).and_then(|all| all.get(at)).cloned(),
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
            match truth(expression, &variables, values, fuel) {
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
                        return false;
                    }
                }
            }
        }
        true
    }
}
