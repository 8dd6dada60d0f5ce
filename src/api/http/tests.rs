//! What a log may show of a request.

use super::*;

#[test]
fn credentials_are_marked_so_that_no_log_of_the_connection_shows_them() {
    let pairs = [
        ("authorization", "Bearer secret-1"),
        ("x-api-key", "secret-2"),
        ("user-agent", "orgcharter"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let shown = format!("{:?}", headers(&pairs).unwrap());
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("orgcharter"), "{shown}");
}
