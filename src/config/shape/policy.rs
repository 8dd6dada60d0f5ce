//! The keys of `policy`, `tests` and `files`.
//!
//! Invariant: as for the other tables: a key stands here or it is unknown.

use super::{EMAIL_FORM, Field, Form, MAX_TEXT, NAME, NOTE, Record, UNTIL, field, required};
use crate::{
    expression::MAX_SOURCE,
    resource::{Role, WorkspaceRole},
};

const RULE_KEY: Form = Form::Text { pattern: RULE_NAME, max: super::ANY_LENGTH };
const ANY_KEY: Form = Form::Text { pattern: "^", max: super::ANY_LENGTH };
const PATTERN: Form = Form::Text { pattern: NAME, max: MAX_TEXT };
const PATTERNS: Form = Form::List(&PATTERN);
const EXPRESSION: Form = Form::Text { pattern: super::SOME, max: MAX_SOURCE };
const RULE_NAME: &str = "^[A-Za-z0-9_-]+$";

const SEVERITY: Field =
    field("severity", Form::Word(severities), "whether a finding refuses; `error` by default");
const WORKSPACES: Field = field(
    "workspaces",
    PATTERNS,
    of_names!("patterns of names of workspaces; every one by default"),
);

/// One record, or a list of them.
macro_rules! some_of {
    ($record:expr) => {
        Form::Either(&[Form::Record($record), Form::List(&Form::Record($record))])
    };
}

pub(crate) static POLICY: Record = Record {
    name: "policy",
    about: "rules on the organization",
    fields: &[
        field("admins", Form::Record(&ADMINS), "how many admins there are, and who"),
        field("email_domains", some_of!(&EMAIL_DOMAINS), "domains of addresses, by role"),
        field("workspace_admins", some_of!(&WORKSPACE_ADMINS), "every workspace has an admin"),
        field("separation", some_of!(&SEPARATION), "nobody holds both of two accesses"),
        field("contractors", some_of!(&CONTRACTORS), "some people have a last day"),
        field("key_age", some_of!(&KEY_AGE), "keys are not too old"),
        field("invite_age", Form::Record(&INVITE_AGE), "invites do not wait too long"),
        field("names", some_of!(&NAMES), "what workspaces, keys and teams are called"),
        field("tags", some_of!(&TAGS), "tags that workspaces have"),
        field(
            "rules",
            Form::Map { keys: &RULE_KEY, values: &Form::Record(&CUSTOM) },
            "rules of your own, by name",
        ),
        field("exceptions", Form::List(&Form::Record(&EXCEPTION)), "findings that are accepted"),
    ],
};

pub(crate) static ADMINS: Record = Record {
    name: "admins",
    about: "how many admins there are, and who",
    fields: &[
        field("least", Form::Count, "the fewest"),
        field("most", Form::Count, "the most"),
        field("only", Form::List(&EMAIL_FORM), "nobody but these"),
        SEVERITY,
    ],
};

pub(crate) static EMAIL_DOMAINS: Record = Record {
    name: "email_domains",
    about: "domains of the addresses of people",
    fields: &[
        field(
            "roles",
            Form::List(&Form::Word(organization_roles)),
            "of people with these roles; all by default",
        ),
        required("domains", PATTERNS, of_names!("the domains, or patterns of them")),
        SEVERITY,
    ],
};

pub(crate) static WORKSPACE_ADMINS: Record = Record {
    name: "workspace_admins",
    about: "every workspace has an admin",
    fields: &[
        WORKSPACES,
        field("least", Form::Count, "how many; 1 by default"),
        field(
            "inherited",
            Form::Truth,
            "whether admins of the organization count; false by default",
        ),
        SEVERITY,
    ],
};

pub(crate) static SEPARATION: Record = Record {
    name: "separation",
    about: "nobody holds both of two accesses",
    fields: &[
        required("one", Form::Record(&ACCESS), "the one"),
        required("other", Form::Record(&ACCESS), "the other"),
        SEVERITY,
    ],
};

pub(crate) static ACCESS: Record = Record {
    name: "access",
    about: "access to the organization, or to workspaces",
    fields: &[
        field("role", Form::Word(all_roles), "this role or more"),
        field("workspace", PATTERN, "in workspaces of such a name; else in the organization"),
    ],
};

pub(crate) static CONTRACTORS: Record = Record {
    name: "contractors",
    about: "people who have a last day",
    fields: &[
        required("people", PATTERNS, of_names!("patterns of their addresses")),
        field("days", Form::Count, "the last day is at most so many days away"),
        SEVERITY,
    ],
};

pub(crate) static KEY_AGE: Record = Record {
    name: "key_age",
    about: "keys that are on are not too old",
    fields: &[
        required("days", Form::Count, "the most days since a key was made"),
        field("api_keys", PATTERNS, of_names!("patterns of names or ids; every key by default")),
        SEVERITY,
    ],
};

pub(crate) static INVITE_AGE: Record = Record {
    name: "invite_age",
    about: "invites do not wait too long",
    fields: &[required("days", Form::Count, "the most days since an invite was sent"), SEVERITY],
};

pub(crate) static NAMES: Record = Record {
    name: "names",
    about: "what things are called",
    fields: &[
        field(
            "workspaces",
            PATTERNS,
            of_names!("one of these patterns matches the name of every workspace"),
        ),
        field(
            "api_keys",
            PATTERNS,
            of_names!("one of these patterns matches the name of every key"),
        ),
        field("teams", PATTERNS, of_names!("one of these patterns matches the name of every team")),
        SEVERITY,
    ],
};

pub(crate) static TAGS: Record = Record {
    name: "required_tags",
    about: "tags that workspaces have",
    fields: &[
        WORKSPACES,
        required(
            "required",
            Form::Either(&[
                Form::List(&Form::Text { pattern: super::SOME, max: MAX_TEXT }),
                Form::Map { keys: &ANY_KEY, values: &PATTERNS },
            ]),
            of_names!("the tags; or a map of tags, each with patterns of its values"),
        ),
        SEVERITY,
    ],
};

pub(crate) static CUSTOM: Record = Record {
    name: "custom_rule",
    about: "a rule of your own",
    fields: &[
        field("for_each", Form::Word(subjects), "what it is asked about, one by one; else once"),
        field("when", EXPRESSION, "only where this CEL expression is true"),
        required("check", EXPRESSION, "the CEL expression that must be true"),
        field("message", NOTE, "what to say where it is not"),
        SEVERITY,
    ],
};

pub(crate) static EXCEPTION: Record = Record {
    name: "exception",
    about: "a finding that is accepted",
    fields: &[
        required("rule", Form::Text { pattern: RULE_NAME, max: MAX_TEXT }, "the name of the rule"),
        required(
            "of",
            PATTERN,
            of_names!("a pattern of addresses, names or ids; `organization` for counts"),
        ),
        required("reason", NOTE, "why it is accepted"),
        field("until", Form::Date, UNTIL),
    ],
};

const EXPECTED: Form = Form::Either(&[
    EXPRESSION,
    Form::Record(&ACCESS),
    Form::List(&Form::Either(&[EXPRESSION, Form::Record(&ACCESS)])),
]);

pub(crate) const TESTS: Form = Form::Map { keys: &super::NAME_KEY, values: &Form::Record(&TEST) };

pub(crate) static TEST: Record = Record {
    name: "test",
    about: "what must and must not be",
    fields: &[
        field("person", PATTERN, of_names!("an address, or a pattern of addresses")),
        field("must", EXPECTED, "access or CEL expressions that must hold"),
        field("must_not", EXPECTED, "access or CEL expressions that must not"),
        SEVERITY,
    ],
};

const ALLOWED: Form = Form::Either(&[Form::Truth, PATTERNS]);

pub(crate) const FILES: Form =
    Form::Map { keys: &super::NAME_KEY, values: &Form::Record(&FILE_LIMIT) };

pub(crate) static FILE_LIMIT: Record = Record {
    name: "file_limit",
    about: "what files of a path may name: `false`, or patterns; what is not mentioned is not limited",
    fields: &[
        field("members", ALLOWED, "people, by address"),
        field("teams", ALLOWED, "teams, by name"),
        field("workspaces", ALLOWED, "workspaces, by name"),
        field("grants", ALLOWED, "whom grants in workspaces are for: addresses and `team/NAME`"),
        field("api_keys", ALLOWED, "keys, by name or id"),
    ],
};

/// The words for how much a finding weighs.
pub(crate) fn severities() -> Vec<&'static str> {
    vec!["error", "warning"]
}

/// The words for what a rule is asked about.
pub(crate) fn subjects() -> Vec<&'static str> {
    vec!["people", "workspaces", "grants", "keys", "changes"]
}

/// The roles of the organization.
pub(crate) fn organization_roles() -> Vec<&'static str> {
    Role::KNOWN.iter().map(Role::as_str).collect()
}

fn all_roles() -> Vec<&'static str> {
    Role::KNOWN
        .iter()
        .map(Role::as_str)
        .chain(WorkspaceRole::KNOWN.iter().map(WorkspaceRole::as_str))
        .collect()
}
