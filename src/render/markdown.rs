//! A plan, a comparison or findings as Markdown, for the comment on a pull request and the summary of a pipeline's
//! step.
//!
//! Invariant: the text is never longer than it may be; counts, errors and the worst two hundred losses are in it whatever
//! else has to go, and so are the changed rules of the files unless they alone are too much: then what loosens most stays; all text that is not ours stands in fenced blocks and code spans.

mod fit;
mod sections;

use std::collections::BTreeMap;

use self::fit::fit;
use super::{
    clean::markup::{code_span, shortened},
    review::{Review, Standing},
};
use crate::{
    address::Kind,
    plan::step::{Acknowledgement, Base, LastApplied, Organization},
    resource::Verb,
};

/// The most letters of a comment: GitHub takes 65,536.
pub const COMMENT: usize = 60_000;
/// The most letters of a step's summary: GitHub takes a mebibyte, and a letter can be four bytes.
pub const SUMMARY: usize = 250_000;
/// The longest name in a head.
const NAME: usize = 120;

/// The first line of each text: by it a bot finds the comment that it made before.
pub fn marker(command: &str) -> String {
    format!("<!-- charter:{command} -->")
}

/// The text, at most `most` letters long.
pub fn markdown(review: &Review<'_>, most: usize) -> String {
    fit(&head(review), &sections::of(review), most)
}

fn head(review: &Review<'_>) -> String {
    let Review { command, passed, organization, sum, .. } = review;
    let mut out = format!("{}\n", marker(command));
    if let Some(passed) = passed {
        out.extend([format!("**{passed}**\n\n")]);
    }
    out.extend([format!("### charter {command}: {sum}\n\n")]);
    if let Some(Organization { id, name, kind, pinned }) = organization {
        let id = code_span(&shortened(id, NAME));
        match name {
            Some(name) => {
                let name = code_span(&shortened(name, NAME));
                out.extend([format!("{name} ({id}), {} {kind} organization\n\n", kind.article())]);
            }
            None => out.extend([format!("{id}, {} {kind} organization\n\n", kind.article())]),
        }
        if !pinned {
            out.push_str(
                "The files name no organization, so this cannot be applied: add `organization: {id: …}`.\n\n",
            );
        }
    }
    if let Some(Base { name, commit, .. }) = review.base {
        let name = code_span(&shortened(name, NAME));
        let at =
            commit.as_ref().map(|commit| format!(" at {}", code_span(&shortened(commit, NAME))));
        out.extend([format!("Held against {name}{}.\n\n", at.unwrap_or_default())]);
    }
    if let Some(LastApplied { commit, planned_at, .. }) = review.last_applied {
        let commit = code_span(&shortened(commit, NAME));
        let too = if review.base.is_some() { " too" } else { "" };
        out.extend([format!(
            "Held against {commit}{too}, which was applied last (plan of {planned_at}).\n\n"
        )]);
    }
    out.push_str(&counts(review));
    if let Some(Acknowledgement { digest, steps }) = review.acknowledgement {
        let steps = match steps.len() {
            1 => "1 step".to_owned(),
            many => format!("{many} steps"),
        };
        let digest = shortened(digest, NAME);
        let trailer = code_span(&format!("Charter-Ack: {digest}"));
        let option = code_span(&format!("--ack {digest}"));
        out.extend([format!(
            "**{steps} must be acknowledged:** apply with {option}, or give the merge commit the trailer {trailer}.\n\n"
        )]);
    }
    out
}

/// How many entries there are, by kind and by what becomes of them.
fn counts(review: &Review<'_>) -> String {
    const COLUMNS: [&str; 7] =
        ["create", "change", "replace", "remove", "held", "by hand", "deferred"];
    let mut rows: BTreeMap<Kind, [usize; 7]> = BTreeMap::new();
    for entry in &review.entries {
        let column = match (entry.standing, entry.verb) {
            (Standing::Ready, Verb::Create) => 0,
            (Standing::Ready, Verb::Update) => 1,
            (Standing::Ready, Verb::Replace) => 2,
            (Standing::Ready, Verb::Remove) => 3,
            (Standing::Held, _) => 4,
            (Standing::Manual, _) => 5,
            (Standing::Deferred, _) => 6,
        };
        rows.entry(entry.address.kind).or_default()[column] += 1;
    }
    if rows.is_empty() {
        return String::new();
    }
    let used: Vec<usize> =
        (0..COLUMNS.len()).filter(|column| rows.values().any(|row| row[*column] > 0)).collect();
    let mut out = "| |".to_owned();
    out.extend(used.iter().map(|column| format!(" {} |", COLUMNS[*column])));
    out.push_str("\n|:--|");
    out.extend(used.iter().map(|_| "--:|"));
    out.push('\n');
    for (kind, row) in &rows {
        let title = match kind {
            Kind::Member => "members",
            Kind::Workspace => "workspaces",
            Kind::WorkspaceMember => "grants",
            Kind::ApiKey => "API keys",
        };
        out.extend([format!("| {title} |")]);
        out.extend(used.iter().map(|column| match row[*column] {
            0 => " |".to_owned(),
            number => format!(" {number} |"),
        }));
        out.push('\n');
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests;
