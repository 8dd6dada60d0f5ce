//! `manage` and `guard`.
//!
//! Invariant: a rule that is wrong leaves its default in place, never something looser.

use std::collections::BTreeSet;

use super::{Cx, text::Rule};
use crate::{
    config::{
        document::{Guard, Ignore, Manage, Sp},
        shape::{self, GUARD, IGNORE, LIMIT, MANAGE, MAX_TEXT, REMOVALS, guard_names},
        yaml::{Key, Node, Scalar, Sort, Value},
    },
    glob::Of,
    resource::desired::{GuardName, IgnoreTarget, Limit, PlanAge, Unlisted},
};

impl Cx<'_> {
    pub(super) fn manage(&mut self, key: &Key<'_>, node: &Node<'_>) -> Manage {
        let mut manage = Manage { place: self.place(key.mark), ..Default::default() };
        let Some(mut fields) = self.record(node, &MANAGE, key.mark, "`manage`") else {
            return manage;
        };
        manage.members = fields.value("members").and_then(|node| self.unlisted(node, "members"));
        manage.workspace_members = fields
            .value("workspace_members")
            .and_then(|node| self.unlisted(node, "workspace_members"));
        manage.workspaces =
            fields.value("workspaces").and_then(|node| self.kept(node, "workspaces"));
        manage.api_keys = fields.value("api_keys").and_then(|node| self.kept(node, "api_keys"));
        if let Some(node) = fields.value("ignore") {
            let example = "[{members: \"*@acme.com\", reason: why}]";
            for item in self.items(node, "`manage.ignore`", example) {
                manage.ignore.extend(self.ignore(item));
            }
        }
        manage
    }

    fn unlisted(&mut self, node: &Node<'_>, key: &str) -> Option<Sp<Unlisted>> {
        self.word(node, &format!("`manage.{key}`"), &shape::unlisted(), unlisted)
    }

    /// The same for objects that charter never removes for not being named.
    fn kept(&mut self, node: &Node<'_>, key: &str) -> Option<Sp<Unlisted>> {
        if matches!(&node.value, Value::Scalar(scalar) if scalar.text == "remove") {
            let help = if key == "workspaces" {
                "write `report`; to archive a workspace, list it with its `id` and `state: archived`"
            } else {
                "write `report`; to switch a key off, list its id with `inactive`"
            };
            self.error(
                "config/remove-not-offered",
                node.mark,
                format!("`manage.{key}` does not offer `remove`: it could not be undone"),
                help,
            );
            return None;
        }
        self.word(node, &format!("`manage.{key}`"), &shape::kept(), unlisted)
    }

    fn ignore(&mut self, node: &Node<'_>) -> Option<Ignore> {
        let mut fields = self.record(node, &IGNORE, node.mark, "an entry of `ignore`")?;
        let mut targets = Vec::new();
        for (key, target) in [
            ("members", IgnoreTarget::Members),
            ("workspaces", IgnoreTarget::Workspaces),
            ("api_keys", IgnoreTarget::ApiKeys),
        ] {
            if let Some((key, node)) = fields.take(key) {
                targets.push((key, node, target));
            }
        }
        let reason = self.note(fields.value("reason"), "`reason`");
        let until = self.date(fields.value("until"));
        if targets.len() != 1 {
            let second = targets.get(1).map(|(key, ..)| key.mark);
            self.error(
                "config/ignore-target",
                second.unwrap_or(node.mark),
                "an entry of `ignore` names one of `members`, `workspaces` and `api_keys`",
                "write one entry for each, as in `{members: \"*@acme.com\", reason: why}`",
            );
            return None;
        }
        let (_, pattern, target) = targets.pop()?;
        let at = pattern.mark;
        let pattern = self.text(pattern, Rule::line("a pattern", MAX_TEXT))?;
        if !self.compiles(&pattern, Of::Names, at) {
            return None;
        }
        let place = self.place(node.mark);
        Some(Ignore { place, target, pattern, reason: reason?, until })
    }

    pub(super) fn guard(&mut self, key: &Key<'_>, node: &Node<'_>) -> Guard {
        let mut guard = Guard { place: self.place(key.mark), ..Default::default() };
        let Some(mut fields) = self.record(node, &GUARD, key.mark, "`guard`") else { return guard };
        if let Some((key, node)) = fields.take("removals") {
            if matches!(node.value, Value::Map(_)) {
                if let Some(mut fields) = self.record(node, &REMOVALS, key.mark, "`guard.removals`")
                {
                    self.limits(&mut guard, &mut fields, "removals.");
                }
            } else {
                self.wrong_type(
                    node,
                    "`guard.removals`",
                    "a map",
                    "write `removals: {members: 10%, workspace_members: 10%}`",
                );
            }
        }
        self.limits(&mut guard, &mut fields, "");
        if let Some(node) = fields.value("acknowledge") {
            let mut names = BTreeSet::new();
            for item in self.items(node, "`guard.acknowledge`", "[removals.members, deactivations]")
            {
                let name = self.word(item, "`guard.acknowledge`", &guard_names(), GuardName::parse);
                names.extend(name.map(|name| name.value));
            }
            guard.acknowledge = Some(self.sp(names, node.mark));
        }
        guard.max_plan_age = fields.value("max_plan_age").and_then(|node| self.plan_age(node));
        guard
    }

    fn plan_age(&mut self, node: &Node<'_>) -> Option<Sp<PlanAge>> {
        let text = match &node.value {
            Value::Scalar(scalar) => PlanAge::parse(&scalar.text),
            _ => None,
        };
        if text.is_none() {
            self.error(
                "config/bad-age",
                node.mark,
                "`guard.max_plan_age` is a number and a unit, and this is not",
                "write minutes, hours, days or weeks, as in `30m`, `4h`, `7d`, `2w`",
            );
        }
        text.map(|age| self.sp(age, node.mark))
    }

    /// Takes the limits whose name is `prefix` and one key of the record.
    fn limits(&mut self, guard: &mut Guard, fields: &mut super::Fields<'_, '_>, prefix: &str) {
        for name in GuardName::ALL {
            let Some(key) = name.as_str().strip_prefix(prefix).filter(|key| !key.contains('.'))
            else {
                continue;
            };
            let Some(node) = fields.value(key) else { continue };
            if let Some(limit) = self.limit(node, name) {
                guard.limits.insert(name, self.sp(limit, node.mark));
            }
        }
    }

    fn limit(&mut self, node: &Node<'_>, name: GuardName) -> Option<Limit> {
        let what = format!("`guard.{}`", name.as_str());
        match &node.value {
            Value::Map(_) => {
                let mut fields = self.record(node, &LIMIT, node.mark, &what)?;
                let share = fields.value("share").map(|node| self.share(node, "`share`"));
                let count = fields.value("count").map(|node| self.count(node, "`count`"));
                Some(Limit { share: Some(share??), count: Some(count??) })
            }
            Value::Scalar(Scalar { sort: Sort::Int, .. }) => {
                let count = self.count(node, &what)?;
                Some(Limit { share: None, count: Some(count) })
            }
            Value::Scalar(scalar) if scalar.text.ends_with('%') => {
                let share = self.share(node, &what)?;
                Some(Limit { share: Some(share), count: None })
            }
            _ => {
                self.error(
                    "config/bad-limit",
                    node.mark,
                    format!("{what} is a count, a share, or both, and this is neither"),
                    "write `20`, `10%`, or `{share: 10%, count: 20}`",
                );
                None
            }
        }
    }
}

fn unlisted(word: &str) -> Option<Unlisted> {
    [Unlisted::Remove, Unlisted::Report, Unlisted::Ignore]
        .into_iter()
        .find(|rule| shape::unlisted_word(*rule) == word)
}
