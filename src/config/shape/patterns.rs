//! What is told of patterns, and the keys of `read` and `ignore`, which hold them.
//!
//! Invariant: every key that takes a pattern tells the same of it.

use super::{Form, MAX_TEXT, NOTE, Record, SOME, field, required};

/// The text of a key that takes patterns of names or addresses.
macro_rules! of_names {
    ($about:literal) => {
        concat!(
            $about,
            ". A pattern is matched against the whole text: `*` stands for any text, `?` for one character, `[ab]` and `{a,b}` for either"
        )
    };
}

/// The text of a key that takes patterns of paths.
macro_rules! of_paths {
    ($about:literal) => {
        concat!(
            $about,
            ". A pattern is matched against the whole path: `*` stands for any text within one folder, `**` as a whole part for any number of folders, `?` for one character, `[ab]` and `{a,b}` for either"
        )
    };
}

const PATHS: Form = Form::List(&Form::Text { pattern: SOME, max: MAX_TEXT });

pub(crate) static READ: Record = Record {
    name: "read",
    about: "which files of the folder are read, by their path below it",
    fields: &[
        field(
            "include",
            PATHS,
            of_paths!("only these, as `people/**`; any other that has sections is an error"),
        ),
        field("exclude", PATHS, of_paths!("none of these, as `charts/**`; they are not opened")),
    ],
};

pub(crate) static IGNORE: Record = Record {
    name: "ignore",
    about: "an entry of `ignore`",
    fields: &[
        field("members", NOTE, of_names!("a pattern of addresses")),
        field("workspaces", NOTE, of_names!("a pattern of names of workspaces")),
        field("api_keys", NOTE, of_names!("a pattern of names and ids of keys")),
        required("reason", NOTE, "why it is not touched"),
        field("until", Form::Date, "when to look at it again; it protects past that day too"),
    ],
};
