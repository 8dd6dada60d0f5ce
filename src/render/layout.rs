//! Breaks styled text into lines that fit a width.
//!
//! Invariant: a line is longer than the width only where one word is; no line ends in a space.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::{clean::clean, style::paint};

/// The width of lines where nothing else is known.
pub const WIDTH: usize = 80;

/// How wide a text stands on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text, filled up with spaces to a width.
pub fn pad(text: &str, to: usize) -> String {
    let missing = to.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// Pieces of text, one after the other, that break between pieces (and, in prose, between words).
#[derive(Clone, Debug, Default)]
pub struct Flow(Vec<Piece>);

#[derive(Clone, Debug)]
struct Piece {
    text: String,
    style: Style,
    /// Spaces between it and what stands before it on the line.
    gap: usize,
}

impl Flow {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A piece that is not broken, `gap` spaces after the last one. The text is cleaned.
    #[must_use]
    pub fn solid(mut self, gap: usize, style: Style, text: &str) -> Self {
        self.0.push(Piece { text: clean(text).into_owned(), style, gap });
        self
    }

    /// Prose: breaks between words. The text is cleaned.
    #[must_use]
    pub fn words(mut self, gap: usize, style: Style, text: &str) -> Self {
        let mut gap = gap;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            self.0.push(Piece { text: clean(word).into_owned(), style, gap });
            gap = 1;
        }
        self
    }

    /// The lines: the first after `lead` (which stands on `lead_width` columns), the others after `hang` spaces.
    pub fn lines(self, lead: &str, lead_width: usize, hang: usize, most: usize) -> String {
        let mut out = lead.to_owned();
        let mut at = lead_width;
        let mut fresh = true;
        for Piece { text, style, gap } in self.0 {
            let long = width(&text);
            if !fresh && at + gap + long > most {
                out.push('\n');
                out.push_str(&" ".repeat(hang));
                at = hang;
                fresh = true;
            }
            if !fresh {
                out.push_str(&" ".repeat(gap));
                at += gap;
            }
            out.push_str(&paint(style, &text));
            at += long;
            fresh = false;
        }
        out.push('\n');
        out
    }
}

/// One line that is never broken; its text is clean, and may have styles.
pub fn line(indent: usize, text: &str) -> String {
    format!("{}{text}\n", " ".repeat(indent))
}

/// A paragraph with a hanging indent.
pub fn paragraph(indent: usize, text: &str, most: usize) -> String {
    let flow = Flow::new().words(0, super::style::PLAIN, text);
    flow.lines(&" ".repeat(indent), indent, indent, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::style::{BOLD, DIM, PLAIN};

    #[test]
    fn words_wrap_under_the_hang_and_solid_pieces_do_not_break() {
        let flow = Flow::new().words(0, PLAIN, "one two three").solid(2, DIM, "a file:1:2");
        let shown = anstream::adapter::strip_str(&flow.lines("- ", 2, 4, 12)).to_string();
        assert_eq!(shown, "- one two\n    three\n    a file:1:2\n");
    }

    #[test]
    fn wide_letters_count_twice() {
        assert_eq!(pad("工程", 6), "工程  ");
        let flow = Flow::new().solid(0, BOLD, "工程").solid(1, PLAIN, "ab");
        assert_eq!(
            anstream::adapter::strip_str(&flow.lines("", 0, 1, 6)).to_string(),
            "工程\n ab\n"
        );
    }
}
