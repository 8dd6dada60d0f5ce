//! `tests`.
//!
//! Invariant: a test that could never fail is refused.

use std::sync::Arc;

use super::{Cx, text::Rule};
use crate::{
    config::{
        document::policy::{Expected, Test, Tests},
        shape::{MAX_TEXT, TEST},
        yaml::{Key, Mark, Node, Value},
    },
    expression::Subject,
};

impl Cx<'_> {
    pub(super) fn tests(&mut self, key: &Key<'_>, node: &Node<'_>) -> Tests {
        let mut tests = Tests { place: self.place(key.mark), ..Default::default() };
        let example = "{ada administers: {person: ada@acme.com, must: {role: admin}}}";
        for (key, node) in self.entries(node, "`tests`", example) {
            let name = self.key_text(key, Rule::line("the name of a test", MAX_TEXT));
            let test = self.test(key, node);
            if let (Some(name), Some(test)) = (name, test) {
                tests.entries.insert(Arc::from(name), test);
            }
        }
        tests
    }

    fn test(&mut self, key: &Key<'_>, node: &Node<'_>) -> Option<Test> {
        let mut fields = self.record(node, &TEST, key.mark, "a test")?;
        let severity = self.severity(&mut fields);
        let person = fields.value("person").map(|node| self.pattern(node, "`person`"));
        let of_person = person.is_some();
        let must = fields
            .take("must")
            .map(|(key, node)| self.expected(node, key.mark, "`must`", of_person));
        let must_not = fields
            .take("must_not")
            .map(|(key, node)| self.expected(node, key.mark, "`must_not`", of_person));
        let (must, must_not) = match (must, must_not) {
            (None, None) => {
                self.error(
                    "config/bad-rule",
                    key.mark,
                    "the test tests nothing",
                    "add `must` or `must_not`, as in `must: {workspace: Production}`",
                );
                return None;
            }
            (must, must_not) => (
                must.unwrap_or_else(|| Some(Vec::new()))?,
                must_not.unwrap_or_else(|| Some(Vec::new()))?,
            ),
        };
        let person = match person {
            None => None,
            Some(person) => Some(person?),
        };
        Some(Test { place: self.place(key.mark), person, must, must_not, severity })
    }

    /// One expectation, or a list of them.
    fn expected(
        &mut self,
        node: &Node<'_>,
        mark: Mark,
        what: &str,
        of_person: bool,
    ) -> Option<Vec<Expected>> {
        let Value::List(items) = &node.value else {
            return Some(vec![self.one_expected(node, mark, what, of_person)?]);
        };
        if items.is_empty() {
            self.error(
                "config/bad-rule",
                node.mark,
                format!("{what} expects nothing"),
                "remove it, or name an access, as in `[{workspace: Production}]`",
            );
            return None;
        }
        let expected: Vec<_> =
            items.iter().map(|item| self.one_expected(item, item.mark, what, of_person)).collect();
        expected.into_iter().collect()
    }

    fn one_expected(
        &mut self,
        node: &Node<'_>,
        mark: Mark,
        what: &str,
        of_person: bool,
    ) -> Option<Expected> {
        if !matches!(node.value, Value::Map(_)) {
            let about = of_person.then_some(Subject::People);
            return self.expression(node, what, about).map(Expected::Expression);
        }
        if !of_person {
            self.error(
                "config/missing-key",
                mark,
                format!("{what} names an access, and the test does not say whose"),
                "add `person: ada@acme.com`, or a pattern of addresses",
            );
            return None;
        }
        self.access(node, mark, what).map(Expected::Access)
    }
}
