//! The few styles that texts use.
//!
//! Invariant: a style only repeats what a word or a symbol beside it says already.

use anstyle::{AnsiColor, Effects, Style};

/// Nothing.
pub const PLAIN: Style = Style::new();
/// Headings and names.
pub const BOLD: Style = Style::new().effects(Effects::BOLD);
/// Places, ids and other small print.
pub const DIM: Style = Style::new().effects(Effects::DIMMED);
/// What comes.
pub const ADD: Style = AnsiColor::Green.on_default();
/// What changes.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// What goes.
pub const REMOVE: Style = AnsiColor::Red.on_default();
/// What somebody has to look at.
pub const ATTENTION: Style = AnsiColor::Cyan.on_default();
/// An error.
pub const ERROR: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
/// A warning.
pub const WARNING: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);

/// The text in a style.
pub fn paint(style: Style, text: &str) -> String {
    if style == PLAIN || text.is_empty() {
        return text.to_owned();
    }
    format!("{style}{text}{style:#}")
}
