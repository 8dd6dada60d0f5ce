//! `policy`.
//!
//! Invariant: a rule that is wrong keeps the files from loading; it never becomes a looser one.

use std::{collections::BTreeMap, sync::Arc};

use super::{Cx, Fields, listed, people::is_team_name, shown, text::Rule as Limits};
use crate::{
    config::{
        document::policy::{Access, Custom, Demand, Exception, Named, Policy, Rule},
        shape::{
            self, ACCESS, ADMINS, CONTRACTORS, CUSTOM, EMAIL_DOMAINS, EXCEPTION, INVITE_AGE,
            KEY_AGE, MAX_TEXT, NAMES, POLICY, Record, SEPARATION, TAGS, WORKSPACE_ADMINS,
        },
        yaml::{Key, Mark, Node, Value},
    },
    diagnostic::{Severity, did_you_mean},
    expression::Subject,
    resource::{Role, WorkspaceRole},
};

/// Reads what one rule demands from the fields of its record.
type Read =
    for<'c, 'f, 'n, 'a, 'k> fn(&'c mut Cx<'f>, &'k mut Fields<'n, 'a>, Mark) -> Option<Demand>;

/// The built-in rules, in the order in which they are shown.
const BUILT_IN: &[(&str, &Record, Read)] = &[
    ("admins", &ADMINS, |cx, fields, mark| cx.admins(fields, mark)),
    ("email_domains", &EMAIL_DOMAINS, |cx, fields, _| cx.email_domains(fields)),
    ("workspace_admins", &WORKSPACE_ADMINS, |cx, fields, _| cx.workspace_admins(fields)),
    ("separation", &SEPARATION, |cx, fields, _| cx.separation(fields)),
    ("contractors", &CONTRACTORS, |cx, fields, _| cx.contractors(fields)),
    ("key_age", &KEY_AGE, |cx, fields, _| cx.key_age(fields)),
    ("invite_age", &INVITE_AGE, |cx, fields, _| cx.invite_age(fields)),
    ("names", &NAMES, |cx, fields, mark| cx.name_patterns(fields, mark)),
    ("tags", &TAGS, |cx, fields, _| cx.required_tags(fields)),
];

impl Cx<'_> {
    pub(super) fn policy(&mut self, key: &Key<'_>, node: &Node<'_>) -> Policy {
        let mut policy = Policy { place: self.place(key.mark), ..Default::default() };
        let Some(mut fields) = self.record(node, &POLICY, key.mark, "`policy`") else {
            return policy;
        };
        for (name, record, read) in BUILT_IN {
            let Some((key, node)) = fields.take(name) else { continue };
            let what = format!("`policy.{name}`");
            match &node.value {
                // One of a sort is written without brackets.
                Value::List(items) => {
                    for item in items {
                        policy.rules.extend(self.rule(name, record, *read, item, item.mark, &what));
                    }
                }
                _ => policy.rules.extend(self.rule(name, record, *read, node, key.mark, &what)),
            }
        }
        if let Some(node) = fields.value("rules") {
            for (key, node) in self.entries(node, "`policy.rules`", "{no-bots: {check: \"true\"}}")
            {
                policy.rules.extend(self.custom(key, node));
            }
        }
        if let Some(node) = fields.value("exceptions") {
            let example = "[{rule: admins, of: ada@acme.com, reason: why}]";
            for item in self.items(node, "`policy.exceptions`", example) {
                let exception = self.exception(item, &policy);
                policy.exceptions.extend(exception);
            }
        }
        policy
    }

    fn rule(
        &mut self,
        name: &str,
        record: &'static Record,
        read: Read,
        node: &Node<'_>,
        mark: Mark,
        what: &str,
    ) -> Option<Rule> {
        let mut fields = self.record(node, record, mark, what)?;
        let severity = self.severity(&mut fields);
        let demand = read(self, &mut fields, mark);
        Some(Rule { place: self.place(mark), name: name.into(), severity, demand: demand? })
    }

    pub(super) fn severity(&mut self, fields: &mut Fields<'_, '_>) -> Severity {
        let Some(node) = fields.value("severity") else { return Severity::Error };
        let parse = |word: &str| match word {
            "error" => Some(Severity::Error),
            "warning" => Some(Severity::Warning),
            _ => None,
        };
        self.word(node, "`severity`", &shape::severities(), parse)
            .map_or(Severity::Error, |severity| severity.value)
    }

    fn admins(&mut self, fields: &mut Fields<'_, '_>, mark: Mark) -> Option<Demand> {
        let least = self.number(fields, "least");
        let most = self.number(fields, "most");
        let only = fields.value("only").map(|node| self.emails(node, "`only`"));
        if let (Some(least), Some(most)) = (&least, &most)
            && least.value > most.value
        {
            self.error_with(
                "config/bad-rule",
                mark,
                format!("no number of admins is at least {least} and at most {most}"),
                (most.span.as_ref(), "the most"),
                "correct one of them",
            );
            return None;
        }
        if least.is_none() && most.is_none() && only.is_none() {
            self.asks_nothing(mark, "`admins`", &["least", "most", "only"]);
            return None;
        }
        Some(Demand::Admins { least, most, only })
    }

    pub(super) fn asks_nothing(&mut self, mark: Mark, what: &str, keys: &[&str]) {
        self.error(
            "config/bad-rule",
            mark,
            format!("{what} asks for nothing"),
            format!("add one of {}", listed(keys)),
        );
    }

    fn email_domains(&mut self, fields: &mut Fields<'_, '_>) -> Option<Demand> {
        let mut roles = Vec::new();
        if let Some(node) = fields.value("roles") {
            for item in self.items(node, "`roles`", "[admin, developer]") {
                roles.extend(self.word(item, "`roles`", &shape::organization_roles(), Role::known));
            }
        }
        let domains = self.patterns(fields, "domains", true)?;
        Some(Demand::EmailDomains { roles, domains })
    }

    fn workspace_admins(&mut self, fields: &mut Fields<'_, '_>) -> Option<Demand> {
        let workspaces = self.patterns(fields, "workspaces", false);
        let least = self.number(fields, "least");
        let inherited = fields.value("inherited").map(|node| self.truth(node, "`inherited`"));
        Some(Demand::WorkspaceAdmins {
            workspaces: workspaces?,
            least: least.map_or(1, |least| least.value),
            inherited: inherited.unwrap_or(Some(false))?,
        })
    }

    fn separation(&mut self, fields: &mut Fields<'_, '_>) -> Option<Demand> {
        let one = fields.take("one").and_then(|(key, node)| self.access(node, key.mark, "`one`"));
        let other =
            fields.take("other").and_then(|(key, node)| self.access(node, key.mark, "`other`"));
        Some(Demand::Separation { one: one?, other: other? })
    }

    /// A role in the organization, or access to workspaces.
    pub(super) fn access(&mut self, node: &Node<'_>, mark: Mark, what: &str) -> Option<Access> {
        let mut fields = self.record(node, &ACCESS, mark, what)?;
        let workspace = fields.value("workspace").map(|node| self.pattern(node, "`workspace`"));
        let role = fields.value("role");
        let mut access =
            Access { place: self.place(mark), role: None, workspace: None, grant: None };
        match (workspace, role) {
            (None, None) => {
                self.asks_nothing(mark, what, &["role", "workspace"]);
                return None;
            }
            (None, Some(node)) => {
                let words = shape::organization_roles();
                access.role = Some(self.word(node, "`role`", &words, Role::known)?);
            }
            (Some(workspace), None) => access.workspace = Some(workspace?),
            (Some(workspace), Some(node)) => {
                let words: Vec<_> =
                    WorkspaceRole::KNOWN.iter().map(WorkspaceRole::as_str).collect();
                let grant = self.word(node, "`role` in a workspace", &words, WorkspaceRole::known);
                access.workspace = Some(workspace?);
                access.grant = Some(grant?);
            }
        }
        Some(access)
    }

    fn contractors(&mut self, fields: &mut Fields<'_, '_>) -> Option<Demand> {
        let people = self.patterns(fields, "people", true);
        let days = self.number(fields, "days");
        Some(Demand::Contractors { people: people?, days })
    }

    fn key_age(&mut self, fields: &mut Fields<'_, '_>) -> Option<Demand> {
        let api_keys = self.patterns(fields, "api_keys", false);
        let days = self.number(fields, "days");
        Some(Demand::KeyAge { api_keys: api_keys?, days: days? })
    }

    fn invite_age(&mut self, fields: &mut Fields<'_, '_>) -> Option<Demand> {
        Some(Demand::InviteAge { days: self.number(fields, "days")? })
    }

    fn name_patterns(&mut self, fields: &mut Fields<'_, '_>, mark: Mark) -> Option<Demand> {
        let mut found = Vec::new();
        for (key, of) in [
            ("workspaces", Named::Workspaces),
            ("api_keys", Named::ApiKeys),
            ("teams", Named::Teams),
        ] {
            let given = fields.entries.iter().any(|(entry, _)| entry.scalar.text == key);
            if given {
                found.push((of, self.patterns(fields, key, true)));
            }
        }
        match found.pop() {
            Some((of, patterns)) if found.is_empty() => {
                Some(Demand::Names { of, patterns: patterns? })
            }
            _ => {
                self.error(
                    "config/bad-rule",
                    mark,
                    "an entry of `names` names one of `workspaces`, `api_keys` and `teams`",
                    "write one entry for each, as in `names: [{workspaces: [\"team-*\"]}]`",
                );
                None
            }
        }
    }

    fn required_tags(&mut self, fields: &mut Fields<'_, '_>) -> Option<Demand> {
        let workspaces = self.patterns(fields, "workspaces", false);
        let node = fields.value("required")?;
        let mut required = BTreeMap::new();
        if let Value::Map(entries) = &node.value {
            for (key, node) in entries {
                let tag = self.key_text(key, Limits::line("a tag", MAX_TEXT));
                let values = self.pattern_list(node, "the values of a tag");
                if let (Some(tag), Some(values)) = (tag, values) {
                    required.insert(Arc::from(tag), values);
                }
            }
        } else {
            for item in self.items(node, "`required`", "[env, cost-center]") {
                let tag = self.text(item, Limits::line("a tag", MAX_TEXT));
                required.extend(tag.map(|tag| (tag.value, Vec::new())));
            }
        }
        if required.is_empty() {
            self.asks_nothing(node.mark, "`required`", &["env"]);
            return None;
        }
        Some(Demand::Tags { workspaces: workspaces?, required })
    }

    fn custom(&mut self, key: &Key<'_>, node: &Node<'_>) -> Option<Rule> {
        let name = self.key_text(key, Limits::line("the name of a rule", MAX_TEXT))?;
        let taken = BUILT_IN
            .iter()
            .map(|(known, ..)| *known)
            .chain(["test", "not_judged"])
            .any(|known| known.replace('_', "-") == name.replace('_', "-"));
        if !is_team_name(name) || taken {
            let why = if taken {
                "is the name of a built-in rule"
            } else {
                "cannot be the name of a rule"
            };
            self.error(
                "config/bad-name",
                key.mark,
                format!("`{}` {why}", shown(name)),
                "use letters, digits, `-` and `_`, and a name of its own",
            );
            return None;
        }
        let what = format!("the rule `{name}`");
        let mut fields = self.record(node, &CUSTOM, key.mark, &what)?;
        let severity = self.severity(&mut fields);
        let (mut for_each, mut known) = (None, true);
        if let Some(node) = fields.value("for_each") {
            for_each = self
                .word(node, "`for_each`", &shape::subjects(), |word| {
                    Subject::ALL.into_iter().find(|subject| subject.as_str() == word)
                })
                .map(|subject| subject.value);
            known = for_each.is_some();
        }
        let message = self.note(fields.value("message"), "`message`");
        let (when, check) = (fields.value("when"), fields.value("check"));
        if !known {
            // What the expressions may name is not known.
            return None;
        }
        let when = when.map(|node| self.expression(node, "`when`", for_each));
        let check = check.and_then(|node| self.expression(node, "`check`", for_each));
        let custom = Custom {
            for_each,
            when: match when {
                None => None,
                Some(when) => Some(when?),
            },
            check: check?,
            message,
        };
        Some(Rule {
            place: self.place(key.mark),
            name: name.into(),
            severity,
            demand: Demand::Custom(custom),
        })
    }

    fn exception(&mut self, node: &Node<'_>, policy: &Policy) -> Option<Exception> {
        let mut fields = self.record(node, &EXCEPTION, node.mark, "an entry of `exceptions`")?;
        let rule = fields.value("rule");
        let rule = rule.and_then(|node| self.text(node, Limits::line("`rule`", MAX_TEXT)));
        let of = fields.value("of").map(|node| self.pattern(node, "`of`"));
        let reason = self.note(fields.value("reason"), "`reason`");
        let until = fields.value("until").map(|node| self.date(Some(node)));
        let rule = rule?;
        let names: Vec<&str> = policy.rules.iter().map(|rule| &*rule.name).collect();
        if !names.contains(&&*rule.value) {
            let help = match did_you_mean(&rule, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "an exception names a rule that stands under `policy`, such as `admins`"
                    .to_owned(),
            };
            let finding = crate::diagnostic::Diagnostic::error(
                "config/unknown-rule",
                format!("there is no rule `{}` to make an exception of", shown(&rule)),
            );
            self.found.push(finding.at_opt(rule.span.as_ref()).help(help));
            return None;
        }
        Some(Exception {
            place: self.place(node.mark),
            rule,
            of: of??,
            reason: reason?,
            until: match until {
                None => None,
                Some(until) => Some(until?),
            },
        })
    }
}
