//! The keys of the files, as tables: what the decoder accepts, what it suggests, and what the JSON Schema says.
//!
//! Invariant: a key stands here or it is unknown, both to the decoder and to the schema.

#[macro_use]
mod patterns;
mod fleet;
mod meaning;
mod policy;
mod words;

pub(crate) use self::fleet::{FLEET, MEMBER};
pub(crate) use self::meaning::meaning;
pub(crate) use self::patterns::{IGNORE, READ};
pub(crate) use self::policy::{
    ACCESS, ADMINS, CONTRACTORS, CUSTOM, EMAIL_DOMAINS, EXCEPTION, FILE_LIMIT, INVITE_AGE, KEY_AGE,
    NAMES, POLICY, SEPARATION, TAGS, TEST, WORKSPACE_ADMINS, organization_roles, severities,
    subjects,
};
pub(crate) use self::words::{
    geos, guard_names, kept, key_statuses, kinds, roles, states, unlisted, unlisted_word,
    workspace_geos, workspace_roles,
};

use crate::resource::desired::PlanAge;

/// A map with fixed keys.
#[derive(Debug)]
pub(crate) struct Record {
    /// Its name in the schema.
    pub(crate) name: &'static str,
    /// What it is, for a sentence and for the schema.
    pub(crate) about: &'static str,
    pub(crate) fields: &'static [Field],
}

/// One key of a [`Record`].
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) about: &'static str,
    pub(crate) form: Form,
    pub(crate) need: Need,
}

/// Whether and where a key may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// In any file.
    Optional,
    /// Wherever its record stands.
    Required,
    /// Only in the root file.
    Root,
}

/// What stands at a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// Exactly this whole number.
    Number(u8),
    /// A whole number from 0 up.
    Count,
    /// `YYYY-MM-DD`.
    Date,
    /// One of some words.
    Word(fn() -> Vec<&'static str>),
    /// Text that matches a pattern, of at most so many characters. Validators of the schema have ECMA 262, RE2 or Rust's
    /// `regex`, so a pattern has only what all of them know: no look-around, no back-reference, no `\u`.
    Text { pattern: &'static str, max: usize },
    /// The same, that does not match another pattern.
    TextBut { pattern: &'static str, never: &'static str, max: usize },
    /// A list.
    List(&'static Form),
    /// A map with free keys, of the form of a text.
    Map { keys: &'static Form, values: &'static Form },
    /// A map with fixed keys.
    Record(&'static Record),
    /// `true` or `false`.
    Truth,
    /// Any of these.
    Either(&'static [Form]),
}

impl Record {
    /// The field of this key.
    pub(crate) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The keys that a user may write.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.key)
    }
}

impl Form {
    /// How "none wanted" is written, where that can be said.
    pub(crate) fn empty(self) -> Option<&'static str> {
        match self {
            Form::Map { .. } => Some("{}"),
            Form::List(_) => Some("[]"),
            _ => None,
        }
    }
}

/// Names of workspaces: no control characters.
pub(crate) const MAX_WORKSPACE_NAME: usize = 255;
/// What older versions of the API accepted.
pub(crate) const LONG_WORKSPACE_NAME: usize = 40;
/// Names of keys.
pub(crate) const MAX_KEY_NAME: usize = 500;
/// Notes, reasons and the like.
pub(crate) const MAX_TEXT: usize = 2_000;
/// Ids as the API gives them.
pub(crate) const MAX_ID: usize = 200;

// The program refuses more; an editor shows the marks that are pasted around an address.
const EMAIL: &str = r#"^\s*[^@\s<>()\[\]{}:;,"`*?\\“”„«»‘’]+@[^@\s<>()\[\]{}:;,"`*?\\“”„«»‘’.。．｡]+([.。．｡][^@\s<>()\[\]{}:;,"`*?\\“”„«»‘’.。．｡]+)+\s*$"#;
const SOME: &str = r"^[\s\S]";
const NAME: &str = r"^[^\x00-\x1f\x7f]+$";
const UUID: &str = r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";
const ID: &str = "^[A-Za-z0-9_-]+$";

/// What is decided about keys of maps is told by their pattern alone.
const ANY_LENGTH: usize = usize::MAX;
const EMAIL_KEY: Form = Form::Text { pattern: EMAIL, max: ANY_LENGTH };
const NAME_KEY: Form = Form::Text { pattern: NAME, max: ANY_LENGTH };
const TEAM_KEY: Form = Form::Text { pattern: ID, max: ANY_LENGTH };
const TAG_KEY: Form = Form::TextBut { pattern: "^", never: "^anthropic", max: ANY_LENGTH };
const GRANTEE_KEY: Form =
    Form::Text { pattern: r"^(team/[A-Za-z0-9_-]+|\s*[^@\s]+@[^@\s]+\s*)$", max: ANY_LENGTH };

const EMAIL_FORM: Form = Form::Text { pattern: EMAIL, max: 320 };
const NOTE: Form = Form::Text { pattern: SOME, max: MAX_TEXT };
const WORKSPACE_NAME: Form = Form::Text { pattern: NAME, max: MAX_WORKSPACE_NAME };

/// What `until` says everywhere.
const UNTIL: &str = "the last day it holds, to the end of that day UTC";
/// What `note` says everywhere.
const NOTE_ABOUT: &str = "a note for reviewers; never sent";

const fn field(key: &'static str, form: Form, about: &'static str) -> Field {
    Field { key, about, form, need: Need::Optional }
}

const fn required(key: &'static str, form: Form, about: &'static str) -> Field {
    Field { key, about, form, need: Need::Required }
}

const fn root(key: &'static str, form: Form, about: &'static str) -> Field {
    Field { key, about, form, need: Need::Root }
}

/// One file.
pub(crate) static FILE: Record = Record {
    name: "file",
    about: "a charter file",
    fields: &[
        root("version", Form::Number(1), "the version of this format; required in the root file"),
        root("organization", Form::Record(&ORGANIZATION), "which organization the files are for"),
        field(
            "members",
            Form::Map {
                keys: &EMAIL_KEY,
                values: &Form::Either(&[Form::Word(roles), Form::Record(&PERSON)]),
            },
            "the people of the organization, by e-mail; without it people are not managed",
        ),
        field(
            "teams",
            Form::Map { keys: &TEAM_KEY, values: &Form::List(&EMAIL_FORM) },
            "lists of people, for grants; they exist only in the files",
        ),
        field(
            "workspaces",
            Form::Map { keys: &NAME_KEY, values: &Form::Record(&WORKSPACE) },
            "the workspaces, by name; without it workspaces are not managed",
        ),
        field("api_keys", KEYS, "keys of the Default Workspace and organization-wide keys"),
        root(
            "manage",
            Form::Record(&MANAGE),
            "what becomes of live objects that a list leaves out",
        ),
        root("guard", Form::Record(&GUARD), "limits on one plan; the defaults hold without it"),
        root("policy", Form::Record(&policy::POLICY), "rules on the organization"),
        root("tests", policy::TESTS, "who must and must not have which access"),
        root("files", policy::FILES, of_paths!("what files may name, by patterns of their path")),
        root("read", Form::Record(&READ), "which files of the folder are read"),
    ],
};

pub(crate) static ORGANIZATION: Record = Record {
    name: "organization",
    about: "the organization",
    fields: &[
        field(
            "id",
            Form::Text { pattern: UUID, max: 36 },
            "its id: any other organization is refused; required to apply",
        ),
        field("kind", Form::Word(kinds), "what sort of organization it is; console by default"),
    ],
};

pub(crate) static PERSON: Record = Record {
    name: "person",
    about: "a person in its long form",
    fields: &[
        required("role", Form::Word(roles), "the role in the organization"),
        field("until", Form::Date, UNTIL),
        field("note", NOTE, NOTE_ABOUT),
        field("previously", Form::List(&EMAIL_FORM), "addresses that the same person had"),
        field("id", Form::Text { pattern: ID, max: MAX_ID }, "the id of the user, `user_…`"),
    ],
};

pub(crate) static WORKSPACE: Record = Record {
    name: "workspace",
    about: "a workspace",
    fields: &[
        field("name", WORKSPACE_NAME, "its name, where the key is only a label"),
        field("id", Form::Text { pattern: ID, max: MAX_ID }, "the id of the workspace, `wrkspc_…`"),
        field(
            "previously",
            Form::List(&WORKSPACE_NAME),
            "names it had: a rename is an update; `[]` says that it is new",
        ),
        field("state", Form::Word(states), "`archived` archives it, for ever; needs the id"),
        field(
            "display_color",
            Form::Text { pattern: "^#[0-9A-Fa-f]{6}$", max: 7 },
            "`\"#RRGGBB\"`",
        ),
        field(
            "tags",
            Form::Map { keys: &TAG_KEY, values: &Form::Text { pattern: "^", max: MAX_TEXT } },
            "all of its tags: others are deleted",
        ),
        field("data_residency", Form::Record(&RESIDENCY), "where its data may go"),
        field(
            "external_key_id",
            Form::Text { pattern: SOME, max: MAX_TEXT },
            "the customer-managed encryption key; it can be set once",
        ),
        field(
            "user_profile_id",
            Form::Text { pattern: SOME, max: MAX_ID },
            "the user profile; it can be set once",
        ),
        field("note", NOTE, NOTE_ABOUT),
        field(
            "members",
            Form::Map {
                keys: &GRANTEE_KEY,
                values: &Form::Either(&[Form::Word(workspace_roles), Form::Record(&GRANT)]),
            },
            "who may do what in it, by e-mail or `team/NAME`; without it grants are not managed",
        ),
        field("api_keys", KEYS, "its keys; without it keys are not managed"),
    ],
};

pub(crate) static RESIDENCY: Record = Record {
    name: "data_residency",
    about: "where the data of a workspace may go",
    fields: &[
        field("workspace_geo", Form::Word(workspace_geos), "where data rests; fixed once made"),
        field("default_inference_geo", Form::Word(geos), "where inference runs by default"),
        field(
            "allowed_inference_geos",
            Form::Either(&[Form::Word(|| vec!["unrestricted"]), Form::List(&Form::Word(geos))]),
            "where inference may run: `unrestricted`, or a list",
        ),
    ],
};

pub(crate) static GRANT: Record = Record {
    name: "grant",
    about: "a grant in its long form",
    fields: &[
        required("role", Form::Word(workspace_roles), "the role in the workspace"),
        field("until", Form::Date, UNTIL),
        field("note", NOTE, NOTE_ABOUT),
    ],
};

const KEYS: Form = Form::Map {
    keys: &NAME_KEY,
    values: &Form::Either(&[Form::Word(key_statuses), Form::Record(&KEY)]),
};

pub(crate) static KEY: Record = Record {
    name: "api_key",
    about: "an API key in its long form",
    fields: &[
        field("name", Form::Text { pattern: NAME, max: MAX_KEY_NAME }, "its name"),
        field("status", Form::Word(key_statuses), "whether it works"),
        field("note", NOTE, NOTE_ABOUT),
        field("until", Form::Date, "the last day it works; then it is inactive"),
    ],
};

pub(crate) static MANAGE: Record = Record {
    name: "manage",
    about: "what becomes of live objects that a list leaves out",
    fields: &[
        field("members", Form::Word(unlisted), "people that `members` leaves out"),
        field(
            "workspace_members",
            Form::Word(unlisted),
            "grants that a workspace's `members` leaves out",
        ),
        field("workspaces", Form::Word(kept), "workspaces that `workspaces` leaves out"),
        field("api_keys", Form::Word(kept), "keys that `api_keys` leaves out"),
        field("ignore", Form::List(&Form::Record(&IGNORE)), "what is never touched"),
    ],
};

const LIMIT_FORM: Form = Form::Either(&[Form::Count, SHARE, Form::Record(&LIMIT)]);
const SHARE: Form = Form::Text { pattern: r"^(100|[0-9]{1,2}) ?%$", max: 5 };

pub(crate) static GUARD: Record = Record {
    name: "guard",
    about: "limits on one plan",
    fields: &[
        field("removals", Form::Record(&REMOVALS), "people and grants removed"),
        field(
            "expirations",
            LIMIT_FORM,
            "people, grants and keys that end by a passed `until`; default 10% and 20",
        ),
        field("downgrades", LIMIT_FORM, "role changes to less"),
        field("invites", LIMIT_FORM, "invites sent"),
        field("returns", LIMIT_FORM, "invites to somebody who was a member before"),
        field("archives", LIMIT_FORM, "workspaces and keys archived"),
        field("deactivations", LIMIT_FORM, "keys switched off"),
        field("dying_keys", LIMIT_FORM, "active listed keys that die by another step"),
        field("dying_unlisted_keys", LIMIT_FORM, "other active keys that die by another step"),
        field(
            "acknowledge",
            Form::List(&Form::Word(guard_names)),
            "guards whose steps need `--ack`, as archives always do",
        ),
        field(
            "max_plan_age",
            Form::Text { pattern: PlanAge::PATTERN, max: 7 },
            "how old a saved plan may be when it is applied: `30m`, `4h`, `7d`, `2w`",
        ),
    ],
};

pub(crate) static REMOVALS: Record = Record {
    name: "removals",
    about: "limits on removals",
    fields: &[
        field("members", LIMIT_FORM, "people removed"),
        field("workspace_members", LIMIT_FORM, "grants removed, per workspace and over all"),
    ],
};

pub(crate) static LIMIT: Record = Record {
    name: "limit",
    about: "a limit in its long form: both must hold",
    fields: &[
        required("share", SHARE, "a share of the live objects"),
        required("count", Form::Count, "an absolute count"),
    ],
};
