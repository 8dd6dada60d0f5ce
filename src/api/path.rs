//! Paths of requests: built from segments, and looked at before they are sent.
//!
//! Invariant: a path that is sent means what it says.

use super::call::encode_segment;

/// The target of a read: segments below `/v1/organizations`, and a query.
pub(super) fn target(path: &[&str], query: &[(&str, &str)]) -> String {
    let mut target = String::from("/v1/organizations");
    for segment in path {
        target.push('/');
        target.push_str(&encode_segment(segment));
    }
    for (index, (key, value)) in query.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(&encode_segment(key));
        target.push('=');
        target.push_str(&encode_segment(value));
    }
    target
}

/// Whether a path means what it says: a URL parser would drop `.` and `..`, and an empty id would ask for the list.
pub(super) fn is_plain(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|path| {
        path.split('/').all(|segment| {
            let dots = segment.to_ascii_lowercase().replace("%2e", ".");
            !matches!(dots.as_str(), "" | "." | "..")
        })
    })
}
