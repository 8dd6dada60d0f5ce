//! What the journal keeps, and what it must not.

use std::path::Path;

use orgcharter::{
    apply::{
        Ended, Journal,
        journal::{self, JournalError, Record, Word},
        resume::Recap,
    },
    render::json::{journal_schema, json},
    sandbox::Fault,
};

use super::{dice::Dice, support::*};

async fn a_run(path: &Path) -> Org {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
    });
    let wanted = Wanted::new()
        .member("ada@acme.com", "developer")
        .member("bob@acme.com", "developer")
        .workspace_with("New", full);
    let plan = org.plan(&wanted).await;
    org.fault("POST /v1/organizations/invites", Fault::ClosedAfter);
    org.fault(
        "POST /v1/organizations/workspaces",
        refusal(400, Some("workspace_policy_violation")),
    );
    let report = org.run_with(&plan, Journal::create(path).unwrap(), &()).await;
    assert_eq!(report.ended(), Ended::Partly);
    org
}

#[tokio::test]
async fn a_journal_tells_each_step_from_its_start_to_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    a_run(&path).await;
    let lines = journal::read(&path).unwrap();
    assert!(!lines.torn && lines.open_steps().is_empty());
    let Record::Begin(begin) = &lines.records[0] else { panic!("begin first") };
    assert_eq!(begin.organization, "3f0c1b1e-0000-4000-8000-000000000000");
    assert_eq!(begin.credential, "ANTHROPIC_ADMIN_KEY");
    let steps: Vec<_> =
        begin.steps.iter().map(|it| (it.step, &*it.address, format!("{:?}", it.verb))).collect();
    assert_eq!(
        steps,
        [
            (0, "member/ada@acme.com", "Create".to_owned()),
            (1, "member/bob@acme.com", "Update".to_owned()),
            (2, "workspace/New", "Create".to_owned()),
        ]
    );
    for record in &lines.records {
        let Record::Start(start) = record else { continue };
        assert!(
            start.calls.iter().all(|call| !call.contains('{')),
            "no body stands in it: {:?}",
            start.calls
        );
    }
    let Some(Record::End(end)) = lines.records.last() else { panic!("end last") };
    assert_eq!((end.counts.done, end.counts.failed, end.ended), (2, 1, Ended::Partly));

    let mut told = Vec::new();
    for record in &lines.records {
        match record {
            Record::Start(start) => {
                let role = start.fields.get("role").cloned().unwrap_or_default();
                let text = |value: Option<serde_json::Value>| {
                    value.map(|value| value.as_str().unwrap().to_owned())
                };
                let (before, after) = (text(role.before), text(role.after));
                told.push(format!("start {} {before:?} {after:?}", start.address));
            }
            Record::Outcome(outcome) => {
                assert!(outcome.calls.iter().all(|call| call.path.starts_with("/v1/")));
                told.push(format!("{:?} {}", outcome.outcome, outcome.address));
                match outcome.outcome {
                    Word::Failed => {
                        assert_eq!(
                            outcome.error_code.as_deref(),
                            Some("workspace_policy_violation")
                        );
                        assert_eq!(outcome.calls[0].status, Some(400));
                        assert!(outcome.calls[0].request_id.is_some());
                    }
                    _ => assert_eq!(outcome.error_code, None),
                }
            }
            Record::Begin(_) | Record::Made(_) | Record::End(_) => {}
        }
    }
    told.sort();
    assert_eq!(
        told,
        [
            "Done member/ada@acme.com",
            "Done member/bob@acme.com",
            "Failed workspace/New",
            r#"start member/ada@acme.com None Some("developer")"#,
            r#"start member/bob@acme.com Some("user") Some("developer")"#,
            "start workspace/New None None",
        ]
    );
}

#[tokio::test]
async fn a_journal_has_no_secrets_and_only_its_owner_may_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    let org = a_run(&path).await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&org.sandbox.admin_key()));
    for word in ["x-api-key", "authorization", "Bearer", "anthropic-version"] {
        assert!(!text.contains(word), "{word}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(matches!(Journal::create(&path), Err(JournalError::Exists(_))));
}

#[tokio::test]
async fn a_torn_last_line_is_left_out_and_the_open_step_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    a_run(&path).await;
    let whole = std::fs::read(&path).unwrap();
    let records = journal::read(&path).unwrap().records.len();
    let mut open = std::collections::BTreeSet::new();
    let at_a_line = |end: &usize| *end > 0 && whole[*end - 1] == b'\n';
    for end in (0..whole.len()).filter(|end| end % 23 == 0 || at_a_line(end)) {
        std::fs::write(&path, &whole[..end]).unwrap();
        let lines = journal::read(&path).unwrap();
        assert!(lines.records.len() < records);
        assert_eq!(lines.torn, end > 0 && !at_a_line(&end));
        open.extend(lines.open_steps().iter().map(|start| start.address.clone()));
    }
    assert_eq!(open.len(), 3);
    std::fs::write(&path, b"{\"record\":\"end\"}\n{}\n").unwrap();
    assert!(matches!(journal::read(&path), Err(JournalError::Line { line: 1, .. })));
    std::fs::write(&path, b"{\"record\":\"begin\",\"format_version\":99}\n").unwrap();
    assert!(matches!(journal::read(&path), Err(JournalError::Version { found: 99, .. })));
}

#[tokio::test]
async fn lines_that_do_not_fit_together_are_refused_with_their_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    a_run(&path).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let refused = |lines: &[&str]| {
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        match journal::read(&path) {
            Err(JournalError::Line { line, why, .. }) => (line, why),
            other => panic!("{other:?}"),
        }
    };
    let torn: Vec<&str> =
        [lines[0], &lines[1][..30]].into_iter().chain(lines[2..].iter().copied()).collect();
    assert_eq!(refused(&torn).0, 2);
    assert_eq!(refused(&lines[1..]), (1, "a journal starts with `begin`".to_owned()));
    let twice = [&lines[..], &lines[..]].concat();
    assert_eq!(refused(&twice), (lines.len() + 1, "a second `begin`".to_owned()));
    let foreign = lines[1].replace("\"step\":", "\"step\":7");
    assert_eq!(refused(&[lines[0], &foreign]), (2, "a step of another plan".to_owned()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_that_is_still_written_is_no_journal_to_resume() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    let journal = Journal::create(&path).unwrap();
    assert!(matches!(journal::read(&path), Err(JournalError::Running(_))));
    drop(journal);
    assert_eq!(journal::read(&path).unwrap().records, []);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let org = Org::new(|_| {});
    let plan = org.plan(&Wanted::new().member("ada@acme.com", "user")).await;
    let full = Path::new("/dev/full");
    let file = std::fs::OpenOptions::new().write(true).open(full).unwrap();
    let report = org.run_with(&plan, Journal::in_file(file, full), &()).await;
    assert_eq!(report.ended(), Ended::Failed);
    assert!(report.halted.unwrap().starts_with("cannot write the journal `/dev/full`: "));
    assert_eq!(org.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn every_line_of_a_journal_fits_its_schema() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    a_run(&path).await;
    let validator = jsonschema::validator_for(&journal_schema()).unwrap();
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let errors: Vec<_> = validator.iter_errors(&line).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
}

#[test]
fn the_committed_schema_is_the_one_the_program_has() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/journal.schema.json");
    let current = json(&journal_schema()).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, current,
        "schema/journal.schema.json is out of date: run `UPDATE_GOLDEN=1 cargo test --test apply_run journal`"
    );
}

/// A journal with every sort of record and field, as this form has them: what is committed must stay readable.
const SAMPLE: &str = include_str!("journal.jsonl");

#[test]
fn the_committed_journal_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    std::fs::write(&path, SAMPLE).unwrap();
    let lines = journal::read(&path).unwrap();
    let validator = jsonschema::validator_for(&journal_schema()).unwrap();
    assert_eq!(lines.records.len(), SAMPLE.lines().count());
    for (record, line) in lines.records.iter().zip(SAMPLE.lines()) {
        assert_eq!(serde_json::to_string(record).unwrap(), line);
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&line), "{line}");
    }
    let other =
        SAMPLE.lines().next().unwrap().replace("\"format_version\":1", "\"format_version\":2");
    assert!(!validator.is_valid(&serde_json::from_str(&other).unwrap()));
    let recap = Recap::of(&lines).unwrap();
    let numbers = [recap.done.len(), recap.unclear.len(), recap.not_done.len(), recap.never.len()];
    assert_eq!(numbers, [1, 2, 1, 2]);
}

#[test]
fn whatever_stands_in_a_journal_it_is_read_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let mut below = |end: usize| usize::try_from(dice.below(end as u64)).unwrap();
    let (mut read, mut refused) = (0, 0);
    for number in 0..1_000 {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for _ in 0..=below(3) {
            let (at, other) = (below(bytes.len()), below(bytes.len()));
            match below(5) {
                0 => bytes[at] = u8::try_from(below(256)).unwrap(),
                1 => drop(bytes.drain(at.min(other)..at.max(other))),
                2 => bytes.truncate(at.max(1)),
                3 => bytes.swap(at, other),
                _ => bytes.insert(at, b'\n'),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        // A file that is written over waits for the disk on some systems; a new one does not.
        let path = dir.path().join(format!("{number}.jsonl"));
        std::fs::write(&path, &bytes).unwrap();
        match journal::read(&path) {
            Ok(lines) => {
                let _ = Recap::of(&lines).map(|recap| (recap.scope(), recap.done_steps()));
                read += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty() && !error.next_step().is_empty());
                refused += 1;
            }
        }
    }
    assert!(read > 50 && refused > 100, "{read} {refused}");
}
