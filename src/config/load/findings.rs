//! What is said about files that are not read, each with the lines to write.
//!
//! Invariant: names of the repository are shown as they are spelled in the files, and long lists are counted.

use std::{
    collections::BTreeSet,
    iter,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{MAX_ENTRIES, MAX_FILES, ROOT_FILE, outside::Outside};
use crate::{
    config::document::{Document, Text},
    diagnostic::{Diagnostic, Span},
};

/// So many names are shown in one message.
const SHOWN: usize = 5;
/// So many folders above are looked at for a root file.
const ABOVE: usize = 8;
/// The top of a file.
pub(super) fn top(name: &Arc<str>) -> Span {
    Span { file: Arc::clone(name), line: 1, column: 1, bytes: (0, 0) }
}

/// A name without what could end a line.
fn plain(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            (!c.is_control()).then_some(c).into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

/// The first names of a list in backticks, and how many more there are.
pub(super) fn names(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", plain(name))).collect();
    match (names.len(), shown.as_slice()) {
        (0, _) | (_, []) => "none".to_owned(),
        (_, [one]) => one.clone(),
        (count, _) if count > SHOWN => {
            format!("{} and {} more", shown.join(", "), count - SHOWN)
        }
        (_, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
    }
}

/// The fewest patterns that match all of `other` and none of `ours`.
pub(super) fn patterns(other: &[String], ours: &[&str]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for path in other {
        let folder = path
            .match_indices('/')
            .map(|(at, _)| &path[..=at])
            .find(|folder| !ours.iter().any(|ours| ours.starts_with(folder)));
        found.insert(match folder {
            Some(folder) => format!("{}**", globset::escape(folder)),
            None => globset::escape(path),
        });
    }
    found.into_iter().collect()
}

/// Why every file has to be known: a list that removes whoever no file names.
pub(super) fn removes(document: &Document) -> Option<&'static str> {
    use crate::resource::desired::Unlisted;

    let removes = |rule: Option<&crate::config::document::Sp<Unlisted>>| {
        rule.is_some_and(|rule| rule.value == Unlisted::Remove)
    };
    let manage = &document.manage;
    if removes(manage.members.as_ref()) && document.members.is_some() {
        return Some("manage.members");
    }
    let has_grants = || {
        document
            .workspaces
            .iter()
            .flat_map(|section| section.values())
            .any(|workspace| workspace.members.is_some())
    };
    (removes(manage.workspace_members.as_ref()) && has_grants())
        .then_some("manage.workspace_members")
}

/// Files that name no section of charter. `paths` are below the folder.
pub(super) fn foreign(
    root: &Arc<str>,
    paths: &[String],
    patterns: Vec<String>,
    removes: Option<&str>,
) -> Outside {
    let (name, not_read) =
        if paths.len() == 1 { ("names", "it is not read") } else { ("name", "they are not read") };
    let mut message = format!("{} {name} no section of charter, so {not_read}", names(paths));
    let before = format!(
        "if charter has nothing to do with {}, ",
        if paths.len() == 1 { "it" } else { "them" }
    );
    let finding = match removes {
        Some(rule) => {
            message.push_str(&format!(
                "; under `{rule}: remove` a file that is left out by mistake removes people, so each has to be excluded"
            ));
            Diagnostic::error("config/foreign-file", message).recent()
        }
        None => Diagnostic::warning("config/foreign-file", message),
    };
    Outside::foreign(finding.at(&top(root)), before, patterns, "")
}

/// Roots of other organizations below the folder.
pub(super) fn nested_roots(root: &Arc<str>, paths: &[String]) -> Outside {
    let folders: Vec<String> = paths
        .iter()
        .filter_map(|path| path.strip_suffix(ROOT_FILE))
        .map(|folder| format!("{}**", globset::escape(folder)))
        .collect();
    let (is, folder) = if paths.len() == 1 {
        ("is the root file of another organization", "its folder is")
    } else {
        ("are root files of other organizations", "their folders are")
    };
    let said = Diagnostic::error(
        "config/nested-root",
        format!("{} {is}, and {folder} not read with this one", names(paths)),
    );
    let after = "; a file of this organization has any name but `charter.yaml`";
    Outside::foreign(said.at(&top(root)).recent(), "", folders, after)
}

/// Files of other organizations among those of this one.
pub(super) fn alone(root: &Arc<str>, paths: &[String]) -> Outside {
    let (has, not_read) = if paths.len() == 1 {
        (
            "has `version` and `organization`",
            "it is a file of its own and is not read with this one",
        )
    } else {
        (
            "have `version` and `organization`",
            "they are files of their own and are not read with this one",
        )
    };
    let patterns: Vec<String> = paths.iter().map(|path| globset::escape(path)).collect();
    let said =
        Diagnostic::error("config/nested-root", format!("{} {has}, so {not_read}", names(paths)));
    let after = "; a part of this organization has neither";
    Outside::foreign(said.at(&top(root)).recent(), "", patterns, after)
}

/// A file with sections whose name keeps it from being read.
pub(super) fn misnamed(name: &Arc<str>, path: &str, json: bool) -> Outside {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.trim().rsplit_once('.').map_or(file.trim(), |(stem, _)| stem.trim());
    let why =
        if json { "it ends in `.json`" } else { "its name ends neither in `.yaml` nor in `.yml`" };
    let also = if json { " (YAML reads JSON as it is)" } else { "" };
    let said = Diagnostic::error(
        "config/file-name",
        format!("`{}` has sections of charter, and is not read because {why}", plain(path)),
    );
    let before = format!("rename it to `{stem}.yaml`{also}; if it does not belong here, ");
    Outside::maybe_ours(said.at(&top(name)).recent(), before, globset::escape(path))
}

/// A file whose name keeps it from being read, and that cannot be looked into either.
pub(super) fn not_looked_into(name: &Arc<str>, path: &str, why: &str) -> Outside {
    let said = Diagnostic::error(
        "config/file-name",
        format!(
            "`{}` is not read because its name ends neither in `.yaml` nor in `.yml`, and whether it has sections of \
             charter is not known: {why}",
            plain(path)
        ),
    );
    let before = "if it belongs here, save it as UTF-8 under a name that ends in `.yaml`; else ";
    Outside::maybe_ours(said.at(&top(name)).recent(), before, globset::escape(path))
}

/// A file outside `include` that names a section.
pub(super) fn not_included(name: &Arc<str>, path: &str) -> Diagnostic {
    Diagnostic::error(
        "config/not-included",
        format!("`{}` has sections of charter, and `read.include` does not name it", plain(path)),
    )
    .at(&top(name))
    .help(format!(
        "add it to `read.include` in `{ROOT_FILE}`, or to `read.exclude` if it does not belong to this organization"
    ))
    .recent()
}

/// A file that is meant as the root and is called otherwise.
pub(in crate::config) fn misspelled_root(path: &str, beside: bool) -> Diagnostic {
    let help = if beside {
        format!(
            "remove it if `{ROOT_FILE}` replaces it; else rename it so that it is not taken for the root, as `people.yaml`"
        )
    } else {
        format!("rename `{path}` to `{ROOT_FILE}`")
    };
    let message = if beside {
        format!("`{path}` looks like a second root file beside `{ROOT_FILE}`")
    } else {
        format!("`{path}` is not read: the root file of a folder is called exactly `{ROOT_FILE}`")
    };
    let finding = Diagnostic::error("config/root-name", message).at(&top(&path.into())).help(help);
    if beside { finding.recent() } else { finding }
}

/// A link that is not read.
pub(super) fn link(shown: &str, path: &str, why: &str) -> Outside {
    let said = Diagnostic::error(
        "config/link-not-read",
        format!("the link `{shown}` {why}, so it is not read and the files may be incomplete"),
    );
    let before =
        "put the file itself into the folder, or remove the link; if it does not belong here, ";
    Outside::maybe_ours(said.at(&top(&shown.into())).recent(), before, globset::escape(path))
}

/// A root file that is a link to something else.
pub(in crate::config) fn root_link(shown: &str, why: &str) -> Diagnostic {
    Diagnostic::error(
        "config/link-not-read",
        format!("the root file `{shown}` is a link that {why}"),
    )
    .at(&top(&shown.into()))
    .help("put the file itself there, or link it to a `*.yaml` file inside the folder")
}

/// Whether a folder above has a root file, so that this one may be part of it.
pub(super) fn has_root_above(folder: &Path) -> bool {
    (1..=ABOVE)
        .map(|levels| iter::repeat_n("..", levels).chain([ROOT_FILE]).collect::<PathBuf>())
        .any(|root| folder.join(root).is_file())
}

/// A folder without a root file. `twin` is a file that is meant as one, `below` a folder that has one, and `above`
/// tells whether a folder above has one.
pub(in crate::config) fn no_root(
    folder: &str,
    files: &[String],
    twin: Option<&str>,
    below: Option<&str>,
    above: bool,
) -> Diagnostic {
    let help = match (twin, below) {
        (Some(twin), _) => format!("rename `{twin}` to `{ROOT_FILE}`"),
        (None, Some(below)) => format!("give the folder that has one, as `{below}`"),
        (None, None) if above => format!(
            "a folder above has a `{ROOT_FILE}`: if this one is part of it, give the folder above; else put a `{ROOT_FILE}` with `version: 1` here"
        ),
        (None, None) if files.is_empty() => {
            format!("put a `{ROOT_FILE}` there; `charter import` writes a first one")
        }
        (None, None) => format!(
            "put a `{ROOT_FILE}` with `version: 1` beside the other files, or give one file"
        ),
    };
    let message = if files.is_empty() && twin.is_none() {
        format!("the folder `{folder}` has no YAML files")
    } else {
        format!("the folder `{folder}` has no `{ROOT_FILE}`")
    };
    Diagnostic::error("config/no-root", message).help(help)
}

/// A submodule.
pub(super) fn submodule(shown: &str, path: &str) -> Outside {
    let said = Diagnostic::error(
        "config/link-not-read",
        format!(
            "`{shown}` is a submodule, whose files are not read, so the files may be incomplete"
        ),
    );
    let before = "put the files themselves there; if it does not belong here, ";
    let pattern = format!("{}/**", globset::escape(path));
    Outside::maybe_ours(said.at(&top(&shown.into())).recent(), before, pattern)
}

/// More of a sort than is shown.
pub(super) fn more(count: usize, what: &str) -> Diagnostic {
    Diagnostic::error("config/link-not-read", format!("{count} more {what} are not read either"))
        .help(format!("leave their folders out with `read: {{exclude: […]}}` in `{ROOT_FILE}`"))
        .recent()
}

/// Something that is no file, where one is expected.
pub(in crate::config) fn no_file(shown: &str, what: &str) -> Diagnostic {
    Diagnostic::error(
        "config/not-a-file",
        format!("`{shown}` is {what}, and only regular files are read"),
    )
    .at(&top(&shown.into()))
    .help("put the file itself there")
}

/// Files of the folder that Git's index has and the work tree does not.
pub(super) fn not_checked_out(root: &Arc<str>, paths: &[String]) -> Diagnostic {
    let (is, what) = if paths.len() == 1 { ("is", "it") } else { ("are", "them") };
    Diagnostic::error(
        "config/not-checked-out",
        format!("{} {is} in the repository and {is} not checked out here (sparse checkout), so the files are incomplete", names(paths)),
    )
    .at(&top(root))
    .help(format!("check {what} out with `git sparse-checkout add …` or `git sparse-checkout disable`"))
    .recent()
}

/// A sandbox's state or a fleet file among the files.
pub(super) fn of_charter(root: &Arc<str>, paths: &[String], what: &str) -> Outside {
    let (is, not_read) =
        if paths.len() == 1 { ("is", "is not part of") } else { ("are", "are not part of") };
    let said = Diagnostic::note(
        "config/not-part",
        format!("{} {is} {what}, and {not_read} the organization's files", names(paths)),
    );
    let patterns = paths.iter().map(|path| globset::escape(path)).collect();
    Outside::foreign(said.at(&top(root)), "to leave out this note, ", patterns, "")
}

/// A pattern of `read.exclude` that leaves nothing out.
pub(super) fn excludes_nothing(pattern: &Text) -> Diagnostic {
    Diagnostic::note(
        "config/read-matches-nothing",
        format!("`{}` under `read.exclude` matches nothing here", plain(&pattern.value)),
    )
    .at_opt(pattern.span.as_ref())
    .help(
        "patterns are of paths below the folder of the root file, as in `charts/**`; what begins with a dot is never read",
    )
}

pub(super) fn too_many_entries(folder: &str) -> Diagnostic {
    too_large(format!("the folder `{folder}` has more than {MAX_ENTRIES} entries"))
}

pub(super) fn too_many_files(folder: &str) -> Diagnostic {
    too_large(format!("the folder `{folder}` has more than {MAX_FILES} YAML files"))
}

pub(super) fn too_deep(folder: &str) -> Diagnostic {
    too_large(format!(
        "the folder `{folder}` has folders nested more than {} deep",
        super::walk::MAX_DEPTH
    ))
}

fn too_large(message: String) -> Diagnostic {
    Diagnostic::error("config/too-large", message).help(format!(
        "give the folder that holds the charter files only, or leave large folders out with `read: {{exclude: […]}}` in `{ROOT_FILE}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_file_of_charter_is_left_out_whole() {
        let other = [
            "charts/a/x.yaml",
            "charts/b.yaml",
            "compose.yaml",
            "people/gen/y.yaml",
            "a[b]/c.yaml",
        ];
        let other = other.map(str::to_owned);
        let ours = ["charter.yaml", "people/eng.yaml"];
        assert_eq!(
            patterns(&other, &ours),
            ["a[[]b[]]/**", "charts/**", "compose.yaml", "people/gen/**"]
        );
    }
}
