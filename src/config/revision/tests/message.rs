//! Trailers in the messages that people, Git and the platforms write.
//!
//! Invariant: messages are those of the platforms' own defaults.

use super::*;

/// The values that count, and why the others do not.
fn read(message: &str) -> (Vec<String>, Vec<Why>) {
    let Trailers { values, unread } = Trailers::of(message, "Charter-Ack");
    (values, unread.into_iter().map(|one| one.why).collect())
}

fn values(message: &str) -> Vec<String> {
    let (values, unread) = read(message);
    assert_eq!(unread, [], "{message}");
    values
}

#[test]
fn a_trailer_stands_in_the_last_paragraph() {
    assert_eq!(values("Merge #1\n\nCharter-Ack: abc\n"), ["abc"]);
    let several = "Merge #1\n\nWhy.\n\ncharter-ack:  abc\nSigned-off-by: x\nCharter-Ack: d\n\n";
    assert_eq!(values(several), ["abc", "d"]);
    // As a form on a web page sends it.
    assert_eq!(values("Merge #1\r\n \r\nCharter-Ack: abc\r\n"), ["abc"]);
    assert_eq!(values(""), [""; 0]);
    assert_eq!(values("Merge #1\n\n  Charter-Ack: abc\n"), [""; 0], "a line that goes on");
}

#[test]
fn a_trailer_elsewhere_is_found_and_does_not_count() {
    for (message, why) in [
        ("Charter-Ack: abc\n", Why::Subject),
        ("Archive (#1)\nCharter-Ack: abc\n", Why::Subject),
        ("Merge #1\n\nCharter-Ack: abc\n\nand more\n", Why::NotLast),
        (
            "Archive (#1)\n\n* Archive\n\nCharter-Ack: abc\n\n---------\n\nCo-authored-by: Kim <kim@acme.com>\n",
            Why::NotLast,
        ),
    ] {
        assert_eq!(read(message), (Vec::new(), vec![why]), "{message}");
    }
}

#[test]
fn the_title_of_a_request_is_never_read() {
    let github = "Merge pull request #7 from acme/topic\n\n";
    let gitlab = "Merge branch 'topic' into 'main'\n\n";
    let bitbucket = "Merged in topic (pull request #7)\n\n";
    let see = "See merge request acme/charter!7\n";
    let title = "Charter-Ack: abc\n";
    for (message, platform) in [
        (format!("{github}{title}"), "GitHub"),
        (format!("{github}{title}\nWhy.\n"), "GitHub"),
        (format!("{gitlab}{title}\n{see}"), "GitLab"),
        (format!("{gitlab}{title}"), "GitLab"),
        (format!("{bitbucket}{title}"), "Bitbucket"),
        (format!("{bitbucket}{title}\nApproved-by: Kim\n"), "Bitbucket"),
    ] {
        assert_eq!(read(&message), (Vec::new(), vec![Why::Title(platform)]), "{message}");
        let reviewed = format!("{message}\nCharter-Ack: def\n");
        assert_eq!(read(&reviewed), (vec!["def".to_owned()], vec![Why::Title(platform)]));
    }
    // Git's own message, written where somebody merges by hand.
    assert_eq!(values("Merge branch 'topic' into live\n\nCharter-Ack: abc\n"), ["abc"]);
    assert_eq!(values("Merge branch 'topic'\n\nCharter-Ack: abc\n"), ["abc"]);
}
