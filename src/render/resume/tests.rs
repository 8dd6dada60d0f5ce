//! How an earlier run is told.
//!
//! Invariant: texts from a journal change no more than themselves.

use super::*;
use crate::{
    address::RemoteId,
    apply::journal::{Applied, Origin, Planned, Start},
};

fn at() -> jiff::Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn outcome(outcome: Word, detail: &str) -> OutcomeLine {
    OutcomeLine {
        at: at(),
        step: 0,
        address: format!("member/{detail}"),
        verb: Verb::Create,
        outcome,
        detail: Some(detail.to_owned()),
        error_code: None,
        id: None,
        calls: Vec::new(),
        took_ms: 1,
    }
}

fn unclear(text: &str, outcome: Option<OutcomeLine>, seen: Option<Seen>) -> Unclear {
    let start = Start {
        at: at(),
        step: 0,
        address: format!("workspace/{text}"),
        verb: Verb::Update,
        id: None,
        fields: std::collections::BTreeMap::new(),
        calls: Vec::new(),
    };
    Unclear { start, outcome, made: None, seen }
}

/// A run that knows every way to end, with this text wherever a journal can hold one.
fn full(text: &str) -> Recap {
    let there = |id: Option<&str>| Some(Seen::There { id: id.map(RemoteId::new) });
    Recap {
        begin: Begin {
            format_version: 1,
            charter_version: text.to_owned(),
            at: at(),
            planned_at: at(),
            planned_by: text.to_owned(),
            organization: text.to_owned(),
            organization_name: Some(text.to_owned()),
            api_date: None,
            credential: text.to_owned(),
            origin: Some(Origin {
                of: Applied::Files,
                path: text.to_owned(),
                form: 1,
                plan_digest: text.to_owned(),
                only: Vec::new(),
                rev: None,
                last_applied: None,
                base_rev: None,
                base_path: None,
                resumes: None,
                done: Vec::new(),
            }),
            steps: Vec::new(),
            allows: Vec::new(),
        },
        torn: true,
        end: None,
        done: vec![
            outcome(Word::Done, text),
            OutcomeLine { detail: None, ..outcome(Word::Done, text) },
        ],
        not_done: [Word::Failed, Word::Skipped, Word::Manual, Word::Waiting]
            .map(|word| outcome(word, text))
            .to_vec(),
        unclear: vec![
            unclear(text, None, there(Some("wrkspc_1"))),
            unclear(text, None, there(None)),
            unclear(text, Some(outcome(Word::Unknown, text)), Some(Seen::Not)),
            unclear(
                text,
                Some(outcome(Word::Failed, text)),
                Some(Seen::Otherwise(text.to_owned())),
            ),
        ],
        never: vec![Planned { step: 9, address: text.to_owned(), verb: Verb::Remove }],
    }
}

fn shown(recap_of: &Recap) -> String {
    anstream::adapter::strip_str(&recap(recap_of, Path::new("j.jsonl"), 1000)).to_string()
}

#[test]
fn every_step_is_told_with_what_is_known_of_it() {
    assert_eq!(
        shown(&full("it")),
        "\
resumed: the run of 2026-11-22T10:00:00Z on it in it, by charter it, as j.jsonl tells it
  it was cut off: its journal has no end, and the last line is torn and left out
  done: 2
    = create member/it  it
    = create member/it
  unknown: 4
    ? update workspace/it  started 2026-11-22T10:00:00Z, and the journal has no outcome; its effect is there (wrkspc_1)
    ? update workspace/it  started 2026-11-22T10:00:00Z, and the journal has no outcome; its effect is there
    ? update workspace/it  it; its effect is not there
    ? update workspace/it  part of it was done: it; seen instead: it
  not done: 4
    x create member/it  failed: it
    - create member/it  skipped: it
    ! create member/it  by hand: it
    ~ create member/it  waits: it
  never started: 1
    . remove it

"
    );
}

#[test]
fn hostile_texts_add_no_line_and_no_control_character() {
    let lines = shown(&full("it")).lines().count();
    for text in
        ["a\nb", "\u{1b}[2Jgone", "a\r\n  done: 9", "\u{202e}txt", "\u{7}\u{0}", "::error::x"]
    {
        let told = shown(&full(text));
        assert_eq!(told.lines().count(), lines, "{text:?}");
        assert!(!told.chars().any(|c| c != '\n' && c.is_control()), "{text:?}");
        assert!(!told.contains('\u{202e}'), "{text:?}");
    }
}
