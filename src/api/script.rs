//! For the tests of this module: a transport that answers from a script, and shortcuts to build one.
//!
//! Invariant: a request beyond the script fails the test.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{
    client::{Client, Options},
    clock::TestClock,
    credential::Credential,
    transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError},
};
use crate::secret::Secret;

pub(crate) type Answer = Result<RawResponse, TransportError>;

pub(crate) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<RawRequest>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, requests: Mutex::default() })
    }

    pub(crate) fn requests(&self) -> Vec<RawRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// `GET /v1/organizations/me` for each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(|request| format!("{request:?}")).collect()
    }

    pub(crate) fn left(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

impl Transport for Script {
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Answer> {
        self.requests.lock().unwrap().push(request.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(
            async move { answer.unwrap_or_else(|| panic!("{request:?} is beyond the script")) },
        )
    }
}

pub(crate) fn header<'a>(request: &'a RawRequest, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(key, _)| key == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "`{name}` is sent twice");
    value
}

#[expect(clippy::unnecessary_wraps, reason = "a script is made of answers")]
pub(crate) fn raw(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Ok(RawResponse { status, headers, body: body.to_owned().into() })
}

pub(crate) fn ok(body: &Value) -> Answer {
    raw(200, &[("request-id", "req_ok")], &body.to_string())
}

pub(crate) fn refusal(status: u16, code: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let details = code.map(|code| json!({"error_code": code}));
    let error = json!({"type": "some_error", "message": "words", "details": details});
    raw(
        status,
        headers,
        &json!({"type": "error", "error": error, "request_id": "req_body"}).to_string(),
    )
}

pub(crate) fn lost() -> Answer {
    Err(TransportError::Lost("reset by peer".into()))
}

pub(crate) fn clock() -> TestClock {
    TestClock::new("2026-11-22T10:00:00Z".parse().unwrap())
}

pub(crate) fn key() -> Credential {
    Credential::Key(Secret::new("sk-ant-admin01-test".into()), "ANTHROPIC_ADMIN_KEY".into())
}

pub(crate) fn client(script: &Arc<Script>, clock: &TestClock) -> Client {
    let options = Options { seed: 7, ..Options::default() };
    Client::new(script.clone(), key(), Arc::new(clock.clone()), options)
}
