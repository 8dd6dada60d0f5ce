//! The real network and its accidents: base URLs, redirects, certificates, broken connections, proxies' pages.
//!
//! Invariant: a credential goes to the base URL's host only, and once per try.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use httpmock::MockServer;
use orgcharter::{
    api::{
        call::{Budget, Resend},
        client::{Client, Options},
        clock::TestClock,
        credential::Credential,
        error::{ApiError, WriteError},
        http::{BaseUrl, HttpTransport, SetupError, Timeouts},
        transport::{Method, RawRequest, Transport, TransportError},
        wire::{Me, User},
    },
    secret::Secret,
};

const KEY: &str = "sk-ant-admin01-hush-hush-hush-hush";

fn transport(base: &str) -> HttpTransport {
    HttpTransport::new(BaseUrl::parse(base).unwrap(), None).unwrap()
}

fn client(base: &str, credential: Credential) -> Client {
    let clock = TestClock::new("2026-11-22T10:00:00Z".parse().unwrap());
    Client::new(Arc::new(transport(base)), credential, Arc::new(clock), Options::default())
}

fn key() -> Credential {
    Credential::Key(Secret::new(KEY.into()), "ANTHROPIC_ADMIN_KEY".into())
}

fn request(method: Method) -> RawRequest {
    let target = "/v1/organizations/me".to_owned();
    let headers = vec![("x-api-key".to_owned(), KEY.to_owned())];
    RawRequest { method, target, headers, body: None }
}

#[test]
fn a_base_url_is_https_or_on_this_machine() {
    for good in [
        "https://api.anthropic.com",
        "https://gateway.acme.com:8443/anthropic/",
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://[::1]:8080",
        "http://localhost:8080",
        " https://api.anthropic.com\n",
    ] {
        BaseUrl::parse(good).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    for plain in [
        "http://api.anthropic.com",
        "http://10.0.0.1",
        "http://localhost.acme.com",
        "http://127.0.0.1.acme.com",
        "ftp://localhost",
        "file:///etc/passwd",
    ] {
        assert!(matches!(BaseUrl::parse(plain), Err(SetupError::NotHttps(_))), "{plain}");
    }
    for bad in ["", "api.anthropic.com", "https://"] {
        assert!(
            matches!(BaseUrl::parse(bad), Err(SetupError::NotUrl(_) | SetupError::NotHttps(_))),
            "{bad}"
        );
    }
    for superfluous in [
        "https://user:hush@acme.com",
        "https://hush@acme.com",
        "https://acme.com?a=hush",
        "https://acme.com#hush",
    ] {
        let error = BaseUrl::parse(superfluous).unwrap_err();
        assert!(matches!(error, SetupError::Superfluous(_)), "{superfluous}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
    assert_eq!(BaseUrl::parse("https://acme.com/a/").unwrap().to_string(), "https://acme.com/a");
}

#[tokio::test]
async fn a_redirect_is_refused_and_names_where_it_leads() {
    let elsewhere = MockServer::start_async().await;
    let caught = elsewhere.mock(|when, then| {
        when.any_request();
        then.status(200);
    });
    let server = MockServer::start_async().await;
    for status in [301, 302, 303, 307, 308] {
        let mut mock = server.mock(|when, then| {
            when.any_request();
            then.status(status).header("location", elsewhere.url("/caught"));
        });
        let error = transport(&server.base_url()).send(request(Method::Get)).await.unwrap_err();
        assert_eq!(error, TransportError::Redirect(elsewhere.url("/caught")));
        mock.delete();
    }
    caught.assert_calls(0);
}

#[tokio::test]
async fn a_host_that_does_not_listen_cannot_be_connected_to() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = transport(&format!("http://{free}")).send(request(Method::Get)).await.unwrap_err();
    assert!(
        matches!(&error, TransportError::Connect(why) if why.starts_with("127.0.0.1: ") && why.contains("refused")),
        "{error}"
    );
    let error =
        client(&format!("http://{free}"), key()).reader().get::<Me>(&["me"]).await.unwrap_err();
    assert!(error.next_step().unwrap().starts_with("check that the host is reachable"));
}

/// Serves each connection with `serve`, and counts the request heads it reads.
fn listen(
    serve: impl Fn(&mut TcpStream, usize) -> bool + Send + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            while read_head(&mut stream) {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                if !serve(&mut stream, number) {
                    break;
                }
            }
        }
    });
    (base, seen)
}

/// Reads up to the empty line; the requests here have no body.
fn read_head(stream: &mut impl Read) -> bool {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = String::new();
    let mut any = false;
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return false,
            Ok(_) if line == "\r\n" => return any,
            Ok(_) => any = true,
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_reply_that_is_lost_is_not_asked_for_again_by_the_transport() {
    // The second request goes over the pooled connection of the first, where clients are tempted to send again.
    let (base, seen) =
        listen(|stream, number| number == 0 && stream.write_all(OK.as_bytes()).is_ok());
    let transport = transport(&base);
    transport.send(request(Method::Post)).await.unwrap();
    let error = transport.send(request(Method::Post)).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error}");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_create_whose_reply_is_lost_is_sent_once_and_its_outcome_is_unknown() {
    let (base, seen) = listen(|_, _| false);
    let writer = client(&base, key()).writer();
    let error =
        writer.send(request(Method::Post), Resend::LookFirst, Budget::Shared).await.unwrap_err();
    assert!(matches!(error, WriteError::Unknown(ApiError::Transport { .. })), "{error}");
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_lost_reply() {
    let half = OK.replace("content-length: 2", "content-length: 200");
    let (base, _) = listen(move |stream, _| {
        let _ = stream.write_all(half.as_bytes());
        false
    });
    let error = transport(&base).send(request(Method::Get)).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error}");
}

#[tokio::test]
async fn a_body_without_end_is_given_up() {
    let (base, _) = listen(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        let chunk = vec![b' '; 1 << 20];
        while stream.write_all(&chunk).is_ok() {}
        false
    });
    let error = transport(&base).send(request(Method::Get)).await.unwrap_err();
    assert_eq!(error, TransportError::TooLarge(32 << 20));
    let error = transport(&base).send(request(Method::Post)).await.unwrap_err();
    assert_eq!(error, TransportError::TooLarge(1 << 20));
}

#[tokio::test]
async fn a_reply_that_never_comes_is_given_up() {
    assert!(Timeouts::default().whole <= Duration::from_mins(1));
    let timeouts = Timeouts { whole: Duration::from_millis(300), ..Timeouts::default() };
    // A server that is silent, and one that says a little from time to time.
    for drips in [false, true] {
        let (base, _) = listen(move |stream, _| {
            if drips {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            }
            for _ in 0..200 {
                std::thread::sleep(Duration::from_millis(20));
                if drips && stream.write_all(b" ").is_err() {
                    break;
                }
            }
            false
        });
        let base = BaseUrl::parse(&base).unwrap();
        let transport = HttpTransport::with_timeouts(base, None, timeouts).unwrap();
        let error = transport.send(request(Method::Get)).await.unwrap_err();
        assert!(matches!(error, TransportError::Lost(_)), "{drips}: {error:?}");
    }
}

#[tokio::test]
async fn of_an_error_without_end_the_beginning_is_read_and_its_status_decides() {
    let (base, _) = listen(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 500 Oh\r\nconnection: close\r\n\r\n");
        let chunk = vec![b'x'; 1 << 16];
        while stream.write_all(&chunk).is_ok() {}
        false
    });
    let response = transport(&base).send(request(Method::Get)).await.unwrap();
    assert_eq!((response.status, response.body.len()), (500, 1 << 20));
}

#[tokio::test]
async fn a_long_list_of_something_else_is_refused_without_a_copy_of_it() {
    let body = format!(r#"{{"data": [{}1], "has_more": false}}"#, "1,".repeat(8 << 20));
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let (base, _) = listen(move |stream, _| {
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body.as_bytes());
        false
    });
    let users = client(&base, key()).reader().list::<User>(&["users"], &[]).await;
    let error = users.unwrap_err().to_string();
    assert!(error.contains("unexpected answer: data[0]: invalid type: integer `1`"), "{error}");
}

#[tokio::test]
async fn a_proxys_page_is_told_from_the_apis_answers() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.any_request();
        then.status(403).header("content-type", "text/html").body("<html><title>Blocked</title>");
    });
    let error = client(&server.base_url(), key()).reader().get::<Me>(&["me"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /v1/organizations/me: status 403, but the answer is not the API's JSON: `<html><title>Blocked</title>`"
    );
}

/// A server for `name` whose certificate is signed by an authority of its own; gives the authority's PEM.
fn listen_tls(name: &str) -> (String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .signed_by(&leaf_key, &issuer)
        .unwrap();

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = rustls::pki_types::PrivateKeyDer::try_from(leaf_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let session = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::StreamOwned::new(session, stream);
            if read_head(&mut tls) {
                let _ = tls.write_all(OK.as_bytes());
                let _ = tls.flush();
            }
        }
    });
    (format!("https://localhost:{port}"), pem)
}

#[tokio::test]
async fn an_unknown_authority_is_refused_and_a_given_one_is_trusted() {
    let (base, pem) = listen_tls("localhost");
    let error = transport(&base).send(request(Method::Get)).await.unwrap_err();
    assert!(matches!(error, TransportError::Certificate(_)), "{error}");
    let trusting =
        HttpTransport::new(BaseUrl::parse(&base).unwrap(), Some(pem.as_bytes())).unwrap();
    assert_eq!(trusting.send(request(Method::Get)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (base, pem) = listen_tls("api.acme.com");
    let trusting =
        HttpTransport::new(BaseUrl::parse(&base).unwrap(), Some(pem.as_bytes())).unwrap();
    let error = trusting.send(request(Method::Get)).await.unwrap_err();
    assert!(matches!(error, TransportError::Certificate(_)), "{error}");
}

/// A proxy that leads every tunnel to one address; gives its URL, and the heads it was sent.
fn listen_proxy(leads_to: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = heads.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut near) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && near.read(&mut byte).is_ok_and(|n| n > 0) {
                head.push(byte[0]);
            }
            seen.lock().unwrap().push(String::from_utf8(head).unwrap());
            let mut far = TcpStream::connect(&leads_to).unwrap();
            near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let (mut from_far, mut to_near) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from_far, &mut to_near));
            std::thread::spawn(move || std::io::copy(&mut near, &mut far));
        }
    });
    (url, heads)
}

#[test]
fn a_proxy_of_the_environment_is_asked_for_a_tunnel_and_never_sees_the_credential() {
    let (tls, pem) = listen_tls("api.acme.com");
    let (proxy, heads) = listen_proxy(tls.replace("https://localhost", "127.0.0.1"));
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("authority.pem");
    std::fs::write(&bundle, pem).unwrap();
    let run = |variable: &str, bundle: Option<&std::path::Path>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_charter"));
        command.args(["import", "--base-url", "https://api.acme.com"]).env_clear();
        command.args(bundle.iter().flat_map(|path| ["--ca-bundle".as_ref(), path.as_os_str()]));
        command.env(variable, &proxy).env("ANTHROPIC_ADMIN_KEY", KEY);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    for variable in ["HTTPS_PROXY", "https_proxy"] {
        let said = run(variable, Some(&bundle));
        // The request came through the tunnel to the server, which answers with an object of no kind.
        assert!(said.contains("/v1/organizations/me: unexpected answer"), "{said}");
        let heads = std::mem::take(&mut *heads.lock().unwrap());
        assert!(heads[0].starts_with("CONNECT api.acme.com:443 HTTP/1.1\r\n"), "{heads:?}");
        assert!(heads.iter().all(|head| !head.contains("sk-ant")), "{heads:?}");
    }
    // Whoever answers at the end of the tunnel still has to be the host.
    let said = run("HTTPS_PROXY", None);
    assert!(said.contains("certificate"), "{said}");
    assert!(!said.contains("sk-ant"), "{said}");
}

#[test]
fn a_ca_bundle_without_certificates_is_refused() {
    let base = BaseUrl::parse("https://api.anthropic.com").unwrap();
    for bundle in ["", "not PEM", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
        let error = HttpTransport::new(base.clone(), Some(bundle.as_bytes())).unwrap_err();
        assert!(matches!(error, SetupError::CaBundle(_)), "{bundle}: {error}");
    }
}
