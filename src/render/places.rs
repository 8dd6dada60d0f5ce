//! Turns paths as the user gave them into paths below the root of a repository, which is what reviews point into.
//!
//! Invariant: looks at texts only, never at a disk; a path that lies outside the root stays readable as it is.

/// Where a command runs, and where its repository starts. Empty: nothing is known of either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The working directory, absolute.
    pub here: String,
    /// The repository's root, absolute.
    pub root: String,
}

impl Places {
    /// The path below the root, without `.` and `..`.
    pub fn path(&self, path: &str) -> String {
        let absolute = is_absolute(path);
        let full = if absolute || self.here.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.here)
        };
        let full = parts(&full);
        let root = parts(&self.root);
        let known = absolute || !self.here.is_empty();
        match full.strip_prefix(&root[..]) {
            Some(below) if known && !root.is_empty() && !below.is_empty() => below.join("/"),
            _ if absolute => format!("/{}", full.join("/")),
            _ => parts(path).join("/"),
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

    #[test]
    fn a_path_is_given_below_the_root_of_the_repository() {
        let places = Places { here: "/srv/repo/infra".into(), root: "/srv/repo".into() };
        for (path, below) in [
            ("charter.yaml", "infra/charter.yaml"),
            ("./teams/../charter.yaml", "infra/charter.yaml"),
            ("../access/charter.yaml", "access/charter.yaml"),
            ("/srv/repo/charter.yaml", "charter.yaml"),
            ("/etc/charter.yaml", "/etc/charter.yaml"),
            ("../../other/charter.yaml", "../../other/charter.yaml"),
        ] {
            assert_eq!(places.path(path), below, "{path}");
        }
        assert_eq!(Places::default().path("./a/charter.yaml"), "a/charter.yaml");
    }
}
