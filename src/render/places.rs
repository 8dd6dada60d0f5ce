//! Turns paths as the user gave them into paths below the root of a repository, which is what reviews point into.
//!
//! Invariant: looks at texts only, never at a disk; a path that lies outside the root is absolute, where that is known.

use crate::diagnostic::Span;

/// Where a command runs, what it was given, and where the repository of that starts. Empty: nothing is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The working directory, absolute.
    pub here: String,
    /// The path that the command was given.
    pub given: String,
    /// Where that path leads, absolute and without links.
    pub real: String,
    /// The file that a finding without a place is about, as a span names it.
    pub root_file: String,
    /// The root of the repository that holds `real`, absolute.
    pub root: String,
    /// Revisions that files were read from to compare with: spans name those files `REVISION:PATH`.
    pub revisions: Vec<String>,
}

impl Places {
    /// The path of a file below the root, without `.`, `..` and revision; of a file that lies outside, the absolute path.
    pub fn path(&self, file: &str) -> String {
        let (_, file) = self.split(file);
        let Some(full) = self.full(file) else { return parts(file).join("/") };
        let root = parts(&self.root);
        match full.strip_prefix(&root[..]) {
            Some(below) if !root.is_empty() && !below.is_empty() => below.join("/"),
            _ => format!("/{}", full.join("/")),
        }
    }

    /// The revision that a file was read from, if it is not the one that is reviewed.
    pub fn revision<'s>(&'s self, file: &'s str) -> Option<&'s str> {
        self.split(file).0
    }

    /// The line of a place; `None`: it is a line of another revision, and says nothing about the file under review.
    pub fn line(&self, span: &Span) -> Option<u32> {
        self.revision(&span.file).is_none().then_some(span.line)
    }

    /// A place in words, with its revision if it has one.
    pub fn shown(&self, span: &Span) -> String {
        let Span { file, line, column, bytes: _ } = span;
        let revision = self.revision(file).map(|rev| format!("{rev}:")).unwrap_or_default();
        format!("{revision}{}:{line}:{column}", self.path(file))
    }

    /// The path of the file that a finding without a place is about.
    pub fn default_path(&self) -> String {
        self.path(&self.root_file)
    }

    fn split<'s>(&'s self, file: &'s str) -> (Option<&'s str>, &'s str) {
        let of = |rev: &'s String| Some((&**rev, file.strip_prefix(&**rev)?.strip_prefix(':')?));
        match self.revisions.iter().filter_map(of).min_by_key(|(_, path)| path.len()) {
            Some((rev, path)) => (Some(rev), path),
            None => (None, file),
        }
    }

    /// The segments of the absolute path, if it is known.
    fn full(&self, file: &str) -> Option<Vec<String>> {
        let absolute = is_absolute(file);
        if !self.real.is_empty() && absolute == is_absolute(&self.given) {
            let file = parts(file);
            if let Some(below) = file.strip_prefix(&parts(&self.given)[..]) {
                return Some(parts(&format!("{}/{}", self.real, below.join("/"))));
            }
        }
        match (absolute, self.here.is_empty()) {
            (true, _) => Some(parts(file)),
            (false, false) => Some(parts(&format!("{}/{file}", self.here))),
            (false, true) => None,
        }
    }
}

fn is_absolute(path: &str) -> bool {
    // Elsewhere `a:b` is a name like any other.
    path.starts_with('/') || cfg!(windows) && path.as_bytes().get(1) == Some(&b':')
}

/// The segments of a path, with `.` and `..` resolved as far as they can be.
fn parts(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split(['/', std::path::MAIN_SEPARATOR]) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| last != "..") => _ = parts.pop(),
            part => parts.push(part.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(given: &str, real: &str) -> Places {
        Places {
            here: "/srv/repo/infra".into(),
            given: given.into(),
            real: real.into(),
            root_file: format!("{given}/charter.yaml"),
            root: "/srv/repo".into(),
            revisions: vec!["HEAD^".into(), "HEAD^{/a: b}".into()],
        }
    }

    #[test]
    fn a_path_is_given_below_the_root_of_the_repository() {
        let places = places(".", "/srv/repo/infra");
        for (path, below) in [
            ("charter.yaml", "infra/charter.yaml"),
            ("./teams/../charter.yaml", "infra/charter.yaml"),
            ("../access/charter.yaml", "access/charter.yaml"),
            ("/srv/repo/charter.yaml", "charter.yaml"),
            ("/etc/charter.yaml", "/etc/charter.yaml"),
            ("../../other/charter.yaml", "/srv/other/charter.yaml"),
        ] {
            assert_eq!(places.path(path), below, "{path}");
        }
        assert_eq!(places.default_path(), "infra/charter.yaml");
        assert_eq!(Places::default().path("./a/charter.yaml"), "a/charter.yaml");
    }

    #[test]
    fn a_link_to_the_files_is_followed() {
        for given in ["../link", "/tmp/link", "access"] {
            let places = places(given, "/srv/repo/real");
            assert_eq!(places.path(&format!("{given}/people.yaml")), "real/people.yaml");
            assert_eq!(places.path(given), "real");
        }
    }

    #[test]
    fn a_file_of_another_revision_keeps_its_path_and_loses_its_line() {
        let places = places("access", "/srv/repo/infra/access");
        for rev in ["HEAD^", "HEAD^{/a: b}"] {
            let file = format!("{rev}:access/charter.yaml");
            assert_eq!(places.path(&file), "infra/access/charter.yaml");
            assert_eq!(places.revision(&file), Some(rev));
            let span = Span { file: file.into(), line: 3, column: 5, bytes: (0, 0) };
            assert_eq!(places.line(&span), None);
            assert_eq!(places.shown(&span), format!("{rev}:infra/access/charter.yaml:3:5"));
        }
        // A colon alone tells of no revision.
        assert_eq!(places.revision("access/a:b.yaml"), None);
    }
}
