//! What expressions of the files are about: people, workspaces, grants, keys and changes, with their fields.
//!
//! Invariant: a field stands here or no expression can name it; `docs/policy.md` shows the same fields.

use super::types::{Schema, Type};

/// What a rule is asked about, one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// People.
    People,
    /// Workspaces.
    Workspaces,
    /// Grants.
    Grants,
    /// Keys.
    Keys,
    /// Changes of the plan.
    Changes,
}

impl Subject {
    /// All of them.
    pub const ALL: [Subject; 5] =
        [Subject::People, Subject::Workspaces, Subject::Grants, Subject::Keys, Subject::Changes];

    /// The word in the files, which is also the variable for all of them.
    pub fn as_str(self) -> &'static str {
        match self {
            Subject::People => "people",
            Subject::Workspaces => "workspaces",
            Subject::Grants => "grants",
            Subject::Keys => "keys",
            Subject::Changes => "changes",
        }
    }

    /// The variable for one of them.
    pub fn one(self) -> &'static str {
        self.schema().name
    }

    /// The fields of one of them.
    pub fn schema(self) -> &'static Schema {
        match self {
            Subject::People => &PERSON,
            Subject::Workspaces => &WORKSPACE,
            Subject::Grants => &GRANT,
            Subject::Keys => &KEY,
            Subject::Changes => &CHANGE,
        }
    }

    /// The variables of an expression: what there is of everything, the day, whether live was looked at, and the one
    /// it is asked about.
    pub fn variables(about: Option<Subject>) -> Vec<(&'static str, Type)> {
        let mut variables = vec![
            ("people", Type::List(&PERSONS)),
            ("workspaces", Type::List(&WORKSPACES)),
            ("grants", Type::List(&GRANTS)),
            ("keys", Type::List(&KEYS)),
            ("changes", Type::List(&CHANGES)),
            ("today", Type::Date),
            ("live", Type::Bool),
        ];
        variables.extend(about.map(|about| (about.one(), Type::Record(about.schema()))));
        variables
    }
}

static PERSONS: Type = Type::Record(&PERSON);
static WORKSPACES: Type = Type::Record(&WORKSPACE);
static GRANTS: Type = Type::Record(&GRANT);
static KEYS: Type = Type::Record(&KEY);
static CHANGES: Type = Type::Record(&CHANGE);

/// A person.
pub static PERSON: Schema = Schema {
    name: "person",
    noun: "a person",
    fields: &[
        ("email", Type::Text, "the address, in lower case"),
        ("domain", Type::Text, "what stands after the `@`"),
        ("role", Type::Text, "the role in the organization; null: not known"),
        ("pending", Type::Bool, "invited, and not in yet"),
        ("until", Type::Date, "the last day, as the files say; null: none"),
        ("note", Type::Text, "the note of the files; null: none"),
        ("listed", Type::Bool, "the files list the person"),
        ("grants", Type::List(&Type::Record(&GRANT)), "grants of their own"),
        (
            "access",
            Type::Map(&Type::Text),
            "the role in each workspace by its name, inherited ones included",
        ),
    ],
};

/// A workspace.
pub static WORKSPACE: Schema = Schema {
    name: "workspace",
    noun: "a workspace",
    fields: &[
        ("name", Type::Text, "the name"),
        ("tags", Type::Map(&Type::Text), "the tags"),
        ("geo", Type::Text, "where inference runs by default; null: not known"),
        ("listed", Type::Bool, "the files list it"),
        ("grants", Type::List(&Type::Record(&GRANT)), "its grants"),
        (
            "access",
            Type::Map(&Type::Text),
            "the role of each person by address, inherited ones included",
        ),
        ("keys", Type::List(&Type::Record(&KEY)), "its keys"),
    ],
};

/// A grant.
pub static GRANT: Schema = Schema {
    name: "grant",
    noun: "a grant",
    fields: &[
        ("person", Type::Text, "the address of the person"),
        ("workspace", Type::Text, "the name of the workspace"),
        ("role", Type::Text, "the role in it"),
        ("until", Type::Date, "the last day, as the files say; null: none"),
        ("note", Type::Text, "the note of the files; null: none"),
        ("listed", Type::Bool, "the files list it"),
    ],
};

/// A key.
pub static KEY: Schema = Schema {
    name: "key",
    noun: "a key",
    fields: &[
        ("name", Type::Text, "the name; null: not known"),
        ("id", Type::Text, "the id; null: not known"),
        ("status", Type::Text, "`active`, `inactive`, `archived` or `expired`; null: not known"),
        ("workspace", Type::Text, "the name of its workspace; null: none of its own"),
        ("created", Type::Date, "the day it was made; null: not known"),
        ("expires", Type::Date, "the day it lapses; null: never, or not known"),
        ("until", Type::Date, "the last day, as the files say; null: none"),
        ("note", Type::Text, "the note of the files; null: none"),
        ("listed", Type::Bool, "the files list it"),
    ],
};

/// A change of the plan.
pub static CHANGE: Schema = Schema {
    name: "change",
    noun: "a change",
    fields: &[
        ("kind", Type::Text, "`member`, `workspace`, `workspace_member` or `api_key`"),
        ("verb", Type::Text, "`create`, `update`, `replace` or `remove`"),
        ("state", Type::Text, "`ready`, `deferred`, `manual` or `held`"),
        ("cause", Type::Text, "`listed`, `accepted`, `none`, `expired`, `archived` or `unlisted`"),
        ("what", Type::Text, "what it is about: an address, or a name"),
        ("person", Type::Text, "the address, of a person or a grant; else null"),
        ("workspace", Type::Text, "the workspace, of a grant, a key or a workspace; else null"),
        ("before", Type::Text, "the role or status before; null: none"),
        ("after", Type::Text, "the role or status after; null: none"),
    ],
};
