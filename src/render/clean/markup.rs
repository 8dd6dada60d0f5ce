//! Makes text fit for Markdown, XML, workflow commands and URIs.
//!
//! Invariant: what comes out stays inside the element, attribute, fence or command it is put into, whatever it holds,
//! and is [`clean`] besides: it never starts a line.

use std::{borrow::Cow, fmt::Write as _};

use super::clean;

/// One piece of text as a code span of Markdown: nothing inside one is a link, a mention, a reference or markup, on
/// GitHub and GitLab alike.
pub fn code_span(text: &str) -> String {
    let text = fenced(text);
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // A space at both ends is taken away again, and keeps a backtick at an end apart from the fence.
    let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Text for a line inside a fenced block of Markdown.
///
/// An HTML comment cannot start in it either, so that nothing passes for the marker by which a bot finds its comment.
pub fn fenced(text: &str) -> Cow<'_, str> {
    let text = clean(text);
    if text.contains("<!--") { Cow::Owned(text.replace("<!--", "<!\\u{2d}-")) } else { text }
}

/// A fenced block of Markdown around lines; its fence is longer than any run of backticks in them.
pub fn fence<'a>(language: &str, lines: impl Iterator<Item = &'a str> + Clone) -> String {
    let longest = lines.clone().map(|line| longest_run(line, '`')).max().unwrap_or_default();
    let fence = "`".repeat((longest + 1).max(3));
    let mut out = format!("{fence}{language}\n");
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(&fence);
    out.push('\n');
    out
}

/// Text inside an element or an attribute of XML or HTML.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in clean(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Letters that XML 1.0 cannot hold, not even escaped.
            '\u{fffe}' | '\u{ffff}' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out
}

/// The message of a workflow command.
pub fn command_message(text: &str) -> String {
    clean(text).replace('%', "%25")
}

/// The value of a property of a workflow command.
pub fn command_property(text: &str) -> String {
    command_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// A path as a URI reference: every letter but the unreserved ones and `/` is percent-encoded.
pub fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The text, or its head and `…` if it is longer than `most` letters.
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let head: String = text.chars().take(most.saturating_sub(1)).collect();
            Cow::Owned(format!("{}…", head.trim_end()))
        }
    }
}

fn longest_run(text: &str, of: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_span_is_longer_than_the_backticks_in_it() {
        assert_eq!(code_span("Production"), "`Production`");
        assert_eq!(code_span("a`b"), "``a`b``");
        assert_eq!(code_span("``"), "``` `` ```");
        assert_eq!(code_span(" x "), "`  x  `");
        assert_eq!(code_span("\n<!-- x -->"), "`\\n<!\\u{2d}- x -->`");
        assert_eq!(code_span(""), "` `");
    }

    #[test]
    fn each_target_has_its_own_escapes() {
        assert_eq!(xml("a<b>&\"']]>\u{ffff}"), "a&lt;b&gt;&amp;&quot;&apos;]]&gt;\\u{ffff}");
        assert_eq!(command_message("50%\n::x"), "50%25\\n:\\u{3a}x");
        assert_eq!(command_property("a,b:c%\r"), "a%2Cb%3Ac%25\\r");
        assert_eq!(uri("teams/a b#?:ü.yaml"), "teams/a%20b%23%3F%3A%C3%BC.yaml");
    }

    #[test]
    fn what_is_too_long_says_so() {
        assert_eq!(shortened("Production", 10), "Production");
        assert_eq!(shortened("Production", 5), "Prod…");
        assert_eq!(shortened("工程工程", 3), "工程…");
    }

    proptest! {
        #[test]
        fn a_fence_is_not_closed_from_within(lines in prop::collection::vec("[`~ a]{0,8}", 0..4)) {
            let text = fence("diff", lines.iter().map(String::as_str));
            let mut shown = text.lines();
            let open = shown.next().unwrap_or_default().trim_end_matches("diff").to_owned();
            let body: Vec<&str> = shown.collect();
            prop_assert_eq!(body.len(), lines.len() + 1);
            let closes = |line: &&str| line.trim().starts_with(&open);
            prop_assert_eq!(body.iter().position(closes), Some(lines.len()));
        }

        #[test]
        fn a_code_span_ends_where_it_ends(text in "[` |a\\n\\\\]{0,9}") {
            let span = code_span(&text);
            let open = span.chars().take_while(|letter| *letter == '`').count();
            let fence = "`".repeat(open);
            let inner = span.trim_start_matches('`');
            // The first run of exactly that many backticks is the last one.
            let runs: Vec<&str> = inner.split(|c| c != '`').filter(|run| !run.is_empty()).collect();
            let first = runs.iter().position(|run| **run == *fence);
            prop_assert_eq!(first, Some(runs.len() - 1));
            prop_assert!(span.ends_with(&fence));
        }
    }
}
