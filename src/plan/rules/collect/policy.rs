//! `policy`, `tests` and `files` among the rules of the files.
//!
//! Invariant: of two rules of one name each has a name of its own, so that none hides another.

use std::collections::BTreeMap;

use super::Rules;
use crate::config::document::policy::{Exception, FileLimits, Policy, Tests};

impl Rules<'_> {
    pub(super) fn policy(
        &mut self,
        policy: &Policy,
        tests: Option<&Tests>,
        files: Option<&FileLimits>,
    ) {
        let Policy { place: _, rules, exceptions } = policy;
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for rule in rules {
            let count = seen.entry(&rule.name).or_default();
            *count += 1;
            let mut name = format!("policy.{}", rule.name);
            if *count > 1 {
                name = format!("{name}.{count}");
            }
            self.put(&name, None, rule.words(), rule.place.0.clone());
        }
        for Exception { place, rule, of, reason, until } in exceptions {
            let until = until.as_ref().map(|until| format!(", until {}", until.value));
            let value = format!("{}{}", reason.value, until.unwrap_or_default());
            let name = format!("policy.exceptions.{}.{}", rule.value, of.value);
            self.put(&name, None, value, place.0.clone());
        }
        for (name, test) in tests.iter().flat_map(|section| &section.entries) {
            self.put(&format!("tests.{name}"), None, test.words(), test.place.0.clone());
        }
        for (pattern, limit) in files.iter().flat_map(|section| &section.entries) {
            self.put(&format!("files.{pattern}"), None, limit.words(), limit.place.0.clone());
        }
    }
}
