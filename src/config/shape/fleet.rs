//! The keys of a fleet file.
//!
//! Invariant: none of them can hold a credential: a variable is named, and only charter looks into it.

use super::{Form, MAX_ID, MAX_TEXT, Record, UUID, required};

/// What the name of an environment variable looks like.
const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
/// A path below the fleet file: it does not begin at the root, and no part of it goes up.
const BELOW: Form =
    Form::TextBut { pattern: super::SOME, never: r"^/|(^|/)\.\.(/|$)", max: MAX_TEXT };
/// The id of an organization.
const ID: Form = Form::Text { pattern: UUID, max: 36 };

pub(crate) static FLEET: Record = Record {
    name: "fleet",
    about: "a fleet file",
    fields: &[
        required("version", Form::Number(1), "the version of this format"),
        required(
            "organizations",
            Form::Map { keys: &ID, values: &Form::Record(&MEMBER) },
            "the organizations, by id, in the order in which they are shown",
        ),
    ],
};

pub(crate) static MEMBER: Record = Record {
    name: "organization",
    about: "an organization of the fleet",
    fields: &[
        required(
            "folder",
            BELOW,
            "the folder with its files, below that of the fleet file; its `organization.id` must be this one",
        ),
        required(
            "credential",
            Form::Text { pattern: VARIABLE, max: MAX_ID },
            "the name of the environment variable that holds its credential",
        ),
    ],
};
