//! Markers that a merge leaves behind.
//!
//! Invariant: at the left margin every marker counts; deeper, where a text may show one, only a whole conflict does.

use super::{Mark, small};

/// The first line of a conflict, and how many markers there are.
pub(super) fn find(text: &str) -> Option<Mark> {
    if !["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| text.contains(marker)) {
        return None;
    }
    let mut start = 0;
    // Where an indented conflict opened, and whether its middle was met.
    let mut open: Option<(Mark, bool)> = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let trimmed = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - trimmed.len();
        if let Some(marker) = marker(trimmed) {
            let at = start + indent;
            let mark = Mark {
                line: small(index + 1),
                column: small(indent + 1),
                bytes: (small(at), small(at + 7)),
            };
            if indent == 0 {
                return Some(open.map_or(mark, |(first, _)| first));
            }
            match (marker, &mut open) {
                ('<', open) => *open = Some((mark, false)),
                ('=', Some((_, middle))) => *middle = true,
                ('>', Some((first, true))) => return Some(*first),
                _ => {}
            }
        }
        start += line.len();
    }
    None
}

/// The letter of a marker: seven of it, then a blank or the end of the line.
fn marker(line: &str) -> Option<char> {
    let letter = line.chars().next().filter(|c| matches!(c, '<' | '=' | '>' | '|'))?;
    let rest = line.trim_start_matches(letter);
    let seven = line.len() - rest.len() == 7;
    let bare = rest.trim_end_matches(['\r', '\n']).is_empty();
    let named = letter != '=' && rest.starts_with(' ');
    (seven && (bare || named)).then_some(letter)
}
