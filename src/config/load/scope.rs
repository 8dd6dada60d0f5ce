//! Which paths of a folder are read, as `read` in its root file says.
//!
//! Invariant: a path below an excluded folder is excluded; without `read` everything is in scope.

use globset::{GlobMatcher, GlobSet, GlobSetBuilder};

use super::outside::Listed;
use crate::{
    config::document::{Text, reading::Reading},
    glob::{is_below, of_paths},
};

/// Which paths are read. Paths are below the folder of the root file, with `/`.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    include: Option<Include>,
    /// What is excluded, whatever it is.
    exclude: GlobSet,
    /// Folders of which everything is excluded: of each pattern two.
    folders: GlobSet,
    patterns: Vec<Text>,
    listed: Listed,
}

#[derive(Debug)]
struct Include {
    files: GlobSet,
    /// Each pattern, folder by folder; a pattern that cannot be taken apart may match anywhere.
    parts: Vec<Vec<GlobMatcher>>,
}

impl Scope {
    /// What `read` says. Patterns that the decoder refused are left out.
    pub(crate) fn of(reading: Option<&Reading>) -> Self {
        let Some(Reading { place: _, include, exclude }) = reading else { return Self::default() };
        let texts = |list: &[Text]| -> Vec<String> {
            list.iter().map(|text| text.value.trim_end_matches('/').to_owned()).collect()
        };
        let include = include.as_ref().map(|list| {
            let patterns = texts(&list.value);
            let parts = patterns.iter().map(|pattern| parts(pattern)).collect();
            Include { files: set(patterns), parts }
        });
        let listed = if exclude.is_some() { Listed::Exclude } else { Listed::Read };
        // The decoder refused the others.
        let readable = |text: &&Text| is_below(&text.value) && of_paths(&text.value).is_ok();
        let patterns: Vec<Text> =
            exclude.iter().flat_map(|list| &list.value).filter(readable).cloned().collect();
        let exclude = texts(&patterns);
        let folders = exclude
            .iter()
            .flat_map(|pattern| {
                let folder = pattern.strip_suffix("/**").unwrap_or(pattern);
                [pattern.clone(), folder.to_owned()]
            })
            .collect();
        Self { include, exclude: set(exclude), folders: set(folders), patterns, listed }
    }

    /// What the root file says under `read`.
    pub(in crate::config) fn listed(&self) -> Listed {
        self.listed
    }

    /// The patterns that leave files out, in the order of [`Scope::excluded_by`].
    pub(in crate::config) fn patterns(&self) -> &[Text] {
        &self.patterns
    }

    /// Whether an entry is excluded by itself; the folders around it are judged before.
    pub(crate) fn excludes(&self, path: &str, may_be_folder: bool) -> bool {
        self.exclude.is_match(path) || (may_be_folder && self.folders.is_match(path))
    }

    /// The patterns that exclude an entry by itself, by their places in the list.
    pub(in crate::config) fn excluded_by(&self, path: &str, may_be_folder: bool) -> Vec<usize> {
        let mut found = self.exclude.matches(path);
        if may_be_folder {
            // Each pattern is there twice: as it is, and as the folder itself.
            found.extend(self.folders.matches(path).into_iter().map(|at| at / 2));
        }
        found
    }

    /// Whether a file is among those that `include` names.
    pub(crate) fn includes(&self, path: &str) -> bool {
        self.include.as_ref().is_none_or(|include| include.files.is_match(path))
    }

    /// Whether a folder may hold files that `include` names.
    pub(crate) fn may_hold(&self, folder: &str) -> bool {
        let Some(Include { files: _, parts }) = &self.include else { return true };
        parts.iter().any(|pattern| {
            let mut names = folder.split('/');
            for part in pattern {
                match names.next() {
                    None => return true,
                    Some(_) if part.glob().glob() == "**" => return true,
                    Some(name) if part.is_match(name) => {}
                    Some(_) => return false,
                }
            }
            // The pattern ends where the folder begins, or before.
            pattern.is_empty()
        })
    }

    /// Whether a file is read, whatever folders it is in.
    pub(crate) fn reads(&self, path: &str) -> bool {
        self.includes(path) && !self.is_excluded(path)
    }

    /// Whether a file, or a folder that it is in, is excluded.
    pub(crate) fn is_excluded(&self, path: &str) -> bool {
        let mut around = path.match_indices('/').map(|(at, _)| &path[..at]);
        self.excludes(path, false) || around.any(|folder| self.excludes(folder, true))
    }
}

fn set(patterns: Vec<String>) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        if let Ok(glob) = of_paths(&pattern) {
            builder.add(glob);
        }
    }
    builder.build().unwrap_or_default()
}

/// The parts of a pattern between its `/`; none if they cannot be told.
fn parts(pattern: &str) -> Vec<GlobMatcher> {
    let parts: Result<Vec<_>, _> =
        pattern.split('/').map(|part| of_paths(part).map(|glob| glob.compile_matcher())).collect();
    parts.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::document::{Place, Sp};

    fn scope(include: Option<&[&str]>, exclude: &[&str]) -> Scope {
        let list = |patterns: &[&str]| {
            Sp::new(patterns.iter().map(|one| Sp::new((*one).into())).collect())
        };
        Scope::of(Some(&Reading {
            place: Place(None),
            include: include.map(list),
            exclude: Some(list(exclude)),
        }))
    }

    #[test]
    fn a_folder_is_excluded_with_everything_below_it() {
        let scope =
            scope(None, &["charts/**", "**/node_modules", "compose.yaml", "*/gen/**", "out/"]);
        for path in [
            "charts/a.yaml",
            "charts/b/c.yaml",
            "node_modules/x.yaml",
            "web/node_modules/y/z.yml",
            "compose.yaml",
            "a/gen/b.yaml",
            "out/x.yaml",
        ] {
            assert!(!scope.reads(path), "{path}");
        }
        for path in
            ["people/a.yaml", "web/compose.yaml", "gen/b.yaml", "chartsmore/a.yaml", "charts.yaml"]
        {
            assert!(scope.reads(path), "{path}");
        }
        assert!(scope.excludes("charts", true) && !scope.excludes("charts", false));
    }

    #[test]
    fn a_folder_may_hold_what_a_pattern_could_reach_in_it() {
        let scope =
            scope(Some(&["people/**", "teams/*/members.yaml", "*.yaml", "a{b,c/d}/e.yaml"]), &[]);
        assert!(scope.includes("people/x/y.yaml") && scope.includes("x.yaml"));
        assert!(!scope.includes("web/x.yaml"));
        // The last pattern cannot be taken apart.
        assert!(scope.may_hold("anything"));
        let scope = self::scope(Some(&["people/**", "teams/*/members.yaml", "*.yaml"]), &[]);
        for folder in ["people", "people/a", "teams", "teams/ml"] {
            assert!(scope.may_hold(folder), "{folder}");
        }
        for folder in ["web", "teams/ml/deep", "bin"] {
            assert!(!scope.may_hold(folder), "{folder}");
        }
    }
}
