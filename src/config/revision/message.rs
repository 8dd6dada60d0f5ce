//! The trailers of a commit's message, and why some of them do not count.
//!
//! Invariant: a trailer counts only in the last paragraph, and never in one that a platform takes from the title of a
//! request: its author writes that.

use std::fmt;

/// What a message has of one trailer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    /// The values that count, in order.
    pub values: Vec<String>,
    /// Those that do not.
    pub unread: Vec<Unread>,
}

/// A trailer that was found and does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its value.
    pub value: String,
    /// Why it does not count.
    pub why: Why,
}

/// Why a trailer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It stands in the first paragraph: the subject, which is the title of the request after a squash.
    Subject,
    /// It stands in the paragraph that this platform takes from the title of the request.
    Title(&'static str),
    /// Another paragraph comes after it, such as the co-authors that a squash adds.
    NotLast,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Subject => {
                f.write_str("it stands in the subject, which may be the title of the request")
            }
            Why::Title(platform) => write!(
                f,
                "it stands in the paragraph that {platform} takes from the title of the request"
            ),
            Why::NotLast => {
                f.write_str("another paragraph comes after it, and only the last one is read")
            }
        }
    }
}

impl Trailers {
    /// Lines `Token: value` of a message.
    pub(super) fn of(message: &str, token: &str) -> Self {
        let paragraphs = paragraphs(message);
        let titled = paragraphs.first().and_then(|lines| titled(lines.first()?));
        let mut trailers = Self::default();
        for (at, lines) in paragraphs.iter().enumerate() {
            let why = match (at, titled) {
                (0, _) => Some(Why::Subject),
                (1, Some(platform)) => Some(Why::Title(platform)),
                _ if at + 1 < paragraphs.len() => Some(Why::NotLast),
                _ => None,
            };
            for value in values(lines, token) {
                match why {
                    None => trailers.values.push(value),
                    Some(why) => trailers.unread.push(Unread { value, why }),
                }
            }
        }
        trailers
    }
}

/// The lines of each paragraph.
fn paragraphs(message: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = message.lines().collect();
    lines
        .split(|line| line.trim().is_empty())
        .filter(|lines| !lines.is_empty())
        .map(<[&str]>::to_vec)
        .collect()
}

fn values(lines: &[&str], token: &str) -> Vec<String> {
    lines
        .iter()
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.trim_end().eq_ignore_ascii_case(token))
        .map(|(_, value)| value.trim().to_owned())
        .collect()
}

/// The platform that writes the title of a request into the paragraph after a subject like this one. Azure DevOps,
/// Bitbucket Data Center and Gitea write it into the subject itself, as every platform does when it squashes.
fn titled(subject: &str) -> Option<&'static str> {
    let numbered = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
    let github = subject.strip_prefix("Merge pull request #").is_some_and(numbered);
    // Git itself writes the branch that is merged into without quotation marks.
    let gitlab = subject.starts_with("Merge branch '") && subject.contains("' into '");
    let bitbucket = subject.starts_with("Merged in ") && subject.contains(" (pull request #");
    match (github, gitlab, bitbucket) {
        (true, ..) => Some("GitHub"),
        (_, true, _) => Some("GitLab"),
        (.., true) => Some("Bitbucket"),
        _ => None,
    }
}
