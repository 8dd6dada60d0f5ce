//! Patterns: `*`, `?`, `[ab]`, `{a,b}` and `**`, with the same meaning wherever a pattern is written.
//!
//! Invariant: `**` is a whole part of a path or refused, since elsewhere it would match less than it seems to.

use globset::{Glob, GlobBuilder};

/// A pattern of paths, ready to match.
///
/// # Errors
/// If it cannot be read.
pub fn of_paths(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

/// Whether a pattern may match a path below a folder: one that begins at a root, leaves the folder, or is meant to take
/// back what another one matches, never does.
pub fn is_below(pattern: &str) -> bool {
    !pattern.starts_with(['/', '!']) && !pattern.starts_with("./") && !pattern.contains("..")
}

/// What a pattern is matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Paths: `*` stays within a folder, `**` spans folders.
    Paths,
    /// Names and addresses: `*` stands for any text.
    Names,
}

/// The pattern with each `**` that is not a whole part of a path replaced by what was probably meant; `None`: it has none.
pub fn misplaced_stars(pattern: &str, of: Of) -> Option<String> {
    let letters: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 4);
    let mut misplaced = false;
    let mut in_class = false;
    let mut at = 0;
    while at < letters.len() {
        let c = letters[at];
        match c {
            '\\' => {
                out.push(c);
                out.extend(letters.get(at + 1));
                at += 2;
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        let run = letters[at..].iter().take_while(|c| **c == '*').count();
        if in_class || run < 2 {
            out.push(c);
            at += 1;
            continue;
        }
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + run).copied();
        let starts = matches!(before, None | Some('/' | '{' | ','));
        let ends = matches!(after, None | Some('/' | '}' | ','));
        match (of, starts, ends) {
            (_, true, true) if run == 2 => out.push_str("**"),
            (Of::Names, ..) => out.push('*'),
            (Of::Paths, true, true) => out.push_str("**"),
            (Of::Paths, true, false) => out.push_str("**/*"),
            (Of::Paths, false, true) => out.push_str("*/**"),
            (Of::Paths, false, false) => out.push_str("*/**/*"),
        }
        misplaced |= run != 2 || !starts || !ends;
        at += run;
    }
    misplaced.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_that_are_no_whole_part_are_found_and_what_was_meant_is_said() {
        for (pattern, meant) in [
            ("teams/**.yaml", "teams/**/*.yaml"),
            ("teams**", "teams*/**"),
            ("a**/b", "a*/**/b"),
            ("a/b**c/d", "a/b*/**/*c/d"),
            ("***", "**"),
            ("{teams/**.yaml,x}", "{teams/**/*.yaml,x}"),
        ] {
            assert_eq!(misplaced_stars(pattern, Of::Paths).as_deref(), Some(meant), "{pattern}");
            assert_eq!(misplaced_stars(meant, Of::Paths), None, "{meant}");
        }
        assert_eq!(misplaced_stars("**@acme.com", Of::Names).as_deref(), Some("*@acme.com"));
        for whole in
            ["**", "teams/**", "**/a", "a/**/b", "{**,a}", "{a,**/b}", "[**]x", r"\**", "*", "a*b*"]
        {
            assert_eq!(misplaced_stars(whole, Of::Paths), None, "{whole}");
        }
    }

    #[test]
    fn what_is_accepted_spans_folders_and_what_is_refused_would_not() -> Result<(), globset::Error>
    {
        let matches = |pattern: &str, path: &str| {
            Ok::<bool, globset::Error>(of_paths(pattern)?.compile_matcher().is_match(path))
        };
        assert!(!matches("teams/**.yaml", "teams/ml/deep/a.yaml")?);
        assert!(matches("teams/**/*.yaml", "teams/ml/deep/a.yaml")?);
        assert!(matches("{teams/**,x}", "teams/ml/deep/a.yaml")?);
        Ok(())
    }
}
