//! Where bytes from elsewhere come in: files, the API's answers, saved plans. Shared by the fuzz targets and the tests.
//!
//! Invariant: an entry takes any bytes and says whether they were read; a panic, or a law that does not hold, is a bug.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use jiff::{Timestamp, civil::date};
use orgcharter::{
    api::{
        client::{Client, Options},
        clock::TestClock,
        credential::Credential,
        transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError},
    },
    config::{
        load::load_sources,
        lower::lower,
        raise::{infer_kind, raise},
        write::write,
    },
    observe::{identify, me, observe},
    plan::{self, Input, again::judge_again, stale, step::Observed},
    render::{
        json,
        markdown::{COMMENT, markdown},
        review::Review,
        text,
    },
    resource::{Live, OrgKind, read_scope::ReadScope, snapshot::Coverage},
    secret::Secret,
};

/// A file: it is read or refused, and what is read survives being written.
pub(crate) fn loader(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let read = |text: &str| load_sources(vec![("charter.yaml".into(), text.into())]);
    let Ok(loaded) = read(&text) else { return false };
    let (desired, _) = lower(&loaded.document, date(2027, 1, 15));
    let written = write(&loaded.document);
    let again = match read(&written) {
        Ok(again) => again,
        Err(rejected) => panic!("{:?}\n{text}\n---\n{written}", rejected.diagnostics.first()),
    };
    let (same, _) = lower(&again.document, date(2027, 1, 15));
    let differ = plan::compare::compare(&desired, &same).changes;
    assert!(differ.is_empty(), "{differ:?}\n{text}\n---\n{written}");
    true
}

/// Answers of the API, parted by zero bytes and dealt to the listings in turn; the first byte may say a status. They are read or refused, in a
/// bounded number of requests.
pub(crate) fn wire(bytes: &[u8]) -> bool {
    let answers = bytes.split(|byte| *byte == 0).map(|answer| {
        let (status, body) = match answer.split_first() {
            Some((b'#', rest)) => (429, rest),
            Some((b'!', rest)) => (500, rest),
            Some((b'?', rest)) => (404, rest),
            _ => (200, answer),
        };
        RawResponse {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::copy_from_slice(body),
        }
    });
    let now: Timestamp = "2027-01-15T12:00:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let clock = Arc::new(TestClock::new(now));
    let answers = Arc::new(Answers::deal(answers));
    let credential = Credential::Key(
        Secret::new("sk-ant-admin01-fuzz".to_owned()),
        "ANTHROPIC_ADMIN_KEY".into(),
    );
    let options = Options { seed: 7, requests_per_minute: 100_000, ..Options::default() };
    let client = Client::new(answers, credential, clock, options);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return false };
    let live = runtime.block_on(async {
        let reader = client.reader();
        let info = identify(me(&reader).await, &reader, OrgKind::Console).ok()?;
        observe(&reader, &info, &ReadScope::everything(), &|_| false, now).await.ok()
    });
    let Some(live) = live else { return false };
    let (document, _) = raise(&live, infer_kind(&live));
    // What was seen can be written down, and then differs in nothing that a file can say.
    let written = write(&document);
    if let Ok(loaded) = load_sources(vec![("charter.yaml".into(), written.as_str().into())]) {
        let (desired, notes) = lower(&loaded.document, date(2027, 1, 15));
        plan::make(Input {
            desired: &desired,
            live: &live,
            now,
            notes,
            observed: Observed::default(),
            only: &[],
            allow: &BTreeMap::new(),
            asked: &|_| false,
            applied: None,
        });
    }
    true
}

/// A saved plan: it is refused, or survives everything that apply and the renderers do before the first call.
pub(crate) fn plan(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(mut saved) = json::read_plan(&text) else { return false };
    let live = Live {
        organization: saved.organization.id.as_str().into(),
        organization_name: None,
        objects: Vec::new(),
        archived: Vec::new(),
        history: BTreeMap::new(),
        coverage: Coverage {
            members: true,
            workspaces: true,
            api_keys: true,
            ..Coverage::default()
        },
    };
    let _ = stale::read_scope(&saved);
    let _ = stale::foreign_calls(&saved);
    let _ = stale::stale_facts(&saved, &live);
    judge_again(&mut saved, &live, &BTreeMap::new());
    let _ = text::plan(&saved, text::Options::default());
    let _ = markdown(&Review::of_plan("plan", &saved), COMMENT);
    // What is said of one apply is no part of the file.
    saved.passed_when_saved = None;
    let first = json::json(&saved);
    let again = first.as_ref().ok().and_then(|text| json::read_plan(text).ok());
    assert_eq!(again.as_ref(), Some(&saved), "a plan that was read does not survive being written");
    true
}

/// The answers to each listing, one after the other, and then none.
struct Answers([Mutex<VecDeque<RawResponse>>; 7]);

impl Answers {
    /// Dealt out in turn, so that it does not matter which listing is asked for first.
    fn deal(answers: impl Iterator<Item = RawResponse>) -> Self {
        let dealt = Self(Default::default());
        for (number, answer) in answers.enumerate() {
            dealt.of(number).push_back(answer);
        }
        dealt
    }

    fn of(&self, number: usize) -> MutexGuard<'_, VecDeque<RawResponse>> {
        self.0[number % self.0.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Answers {
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        let path = request.target.split('?').next().unwrap_or_default();
        let listing = match path.rsplit('/').next() {
            Some("me") => 0,
            Some("users") => 1,
            Some("invites") => 2,
            Some("workspaces") if request.target.contains("include_default") => 6,
            Some("workspaces") => 3,
            Some("members") => 4,
            _ => 5,
        };
        let next = self.of(listing).pop_front();
        Box::pin(async move {
            next.ok_or_else(|| TransportError::Connect("no more answers".to_owned()))
        })
    }
}
