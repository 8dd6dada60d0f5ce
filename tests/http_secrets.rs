//! Logs at the highest level, of this crate and those it sends with, searched for credentials.
//!
//! Invariant: neither a key, nor an identity token, nor a minted token is ever logged.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use orgcharter::{
    api::{
        client::{Client, Options},
        clock::TestClock,
        credential::{Credential, IdentityToken, WorkloadIdentity},
        http::{BaseUrl, HttpTransport},
        wire::Me,
    },
    secret::Secret,
};

const KEY: &str = "sk-ant-admin01-hush-hush-hush-hush";
const MINTED: &str = "sk-ant-oat01-hush-hush-hush-hush";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJodXNoIjoiaHVzaCJ9.aHVzaA";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Mints a token, and answers all else with an error that repeats every secret.
fn listen() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let mut reader = BufReader::new(stream);
            while let Some(line) = read(&mut reader) {
                let (status, body) = if line.starts_with("POST /v1/oauth/token ") {
                    ("200 OK", format!(r#"{{"access_token": "{MINTED}", "expires_in": 3600}}"#))
                } else {
                    ("500 Oh", format!("{KEY} {JWT} {MINTED}"))
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nrequest-id: req_1\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    base
}

/// Reads one request; gives its first line.
fn read(reader: &mut impl BufRead) -> Option<String> {
    let mut first = None;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            reader.take(length).read_to_end(&mut Vec::new()).ok()?;
            return first;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        first.get_or_insert(line);
    }
}

#[tokio::test]
async fn no_credential_is_logged_at_any_level() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let identity = Credential::WorkloadIdentity(WorkloadIdentity {
        federation_rule_id: "fdrl_1".into(),
        organization_id: "org-1".into(),
        service_account_id: None,
        workspace_id: None,
        cache: None,
        identity: IdentityToken::Literal(Secret::new(JWT.into())),
    });
    let key = Credential::Key(Secret::new(KEY.into()), "ANTHROPIC_ADMIN_KEY".into());
    for credential in [key, identity] {
        let transport = HttpTransport::new(BaseUrl::parse(&listen()).unwrap(), None).unwrap();
        let clock = TestClock::new("2026-11-22T10:00:00Z".parse().unwrap());
        let client =
            Client::new(Arc::new(transport), credential, Arc::new(clock), Options::default());
        let error = client.reader().get::<Me>(&["me"]).await.unwrap_err();
        assert_eq!(error.status(), Some(500), "{error}");
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // The log is there, with what a person needs, and with what the crates below say.
    for wanted in ["path=\"/v1/organizations/me\"", "req_1", "token exchange", "hyper_util"] {
        assert!(log.contains(wanted), "no `{wanted}` in {log}");
    }
    for secret in [KEY, JWT, MINTED, "hush-hush", "aHVzaA"] {
        assert!(!log.contains(secret), "`{secret}` in {log}");
    }
}
