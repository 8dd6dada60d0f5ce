//! The real network: HTTP over TLS with reqwest, to one base URL.
//!
//! Invariant: a credential goes to the base URL's host and nowhere else: https only but for loopback, redirects
//! refused, loopback never through a proxy, and nothing is sent twice.

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use url::{Host, Url};

use super::{
    text,
    transport::{BoxFuture, Method, RawRequest, RawResponse, Transport, TransportError},
};

/// The longest answer to a read, after decompression.
const LONGEST: usize = 32 * 1024 * 1024;
/// The longest answer to a write; and all that is read of an error.
const LONGEST_OTHER: usize = 1024 * 1024;

/// Where the API is, if nothing else is said.
pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// Where the API is: https, or http on loopback; a path prefix is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a base URL or a transport cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// It is no URL.
    #[error("the base URL is not a URL: {0}")]
    NotUrl(String),
    /// A credential would travel in the clear.
    #[error("the base URL `{0}` is not https, and its host is not this machine")]
    NotHttps(String),
    /// It holds a part that a base URL must not have; the value is not shown, since it may be a password.
    #[error("the base URL must not have {0}")]
    Superfluous(&'static str),
    /// The extra root certificates cannot be read.
    #[error("the CA bundle cannot be used: {0}")]
    CaBundle(String),
    /// TLS or the proxy settings cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

impl SetupError {
    /// What to do next.
    pub fn next_step(&self) -> &'static str {
        match self {
            SetupError::NotUrl(_) | SetupError::NotHttps(_) | SetupError::Superfluous(_) => {
                "give `--base-url` (or `ANTHROPIC_BASE_URL`) as `https://host[:port][/prefix]`; plain http is for 127.0.0.1, [::1] and localhost"
            }
            SetupError::CaBundle(_) => "give `--ca-bundle` a file with PEM certificates",
            SetupError::Client(_) => {
                "install root certificates (the package `ca-certificates`; an image needs it too), or name a file with some in \
                 `SSL_CERT_FILE`; then check the proxy settings (`HTTPS_PROXY`)"
            }
        }
    }
}

impl BaseUrl {
    /// Checks a base URL.
    pub fn parse(text: &str) -> Result<Self, SetupError> {
        let mut url =
            Url::parse(text.trim()).map_err(|error| SetupError::NotUrl(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SetupError::Superfluous("a user or password"));
        }
        if url.query().is_some() {
            return Err(SetupError::Superfluous("a query"));
        }
        if url.fragment().is_some() {
            return Err(SetupError::Superfluous("a fragment"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(SetupError::NotHttps(text::message(url.as_str()))),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    fn join(&self, target: &str) -> Result<Url, url::ParseError> {
        Url::parse(&format!("{}{target}", self.0.as_str().trim_end_matches('/')))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// How long an exchange may take before its reply counts as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// From the request to the end of the reply's body.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_mins(1) }
    }
}

/// Sends over the network.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    base: BaseUrl,
    ca_bundle: Option<Arc<[u8]>>,
    timeouts: Timeouts,
    /// With the connections that are open; none after a rest.
    client: Arc<Mutex<Option<reqwest::Client>>>,
}

impl HttpTransport {
    /// A transport to `base`; `ca_bundle` is PEM text with root certificates beside the system's.
    pub fn new(base: BaseUrl, ca_bundle: Option<&[u8]>) -> Result<Self, SetupError> {
        Self::with_timeouts(base, ca_bundle, Timeouts::default())
    }

    /// The same, more or less patient.
    pub fn with_timeouts(
        base: BaseUrl,
        ca_bundle: Option<&[u8]>,
        timeouts: Timeouts,
    ) -> Result<Self, SetupError> {
        let client = Self::connected(&base, ca_bundle, timeouts)?;
        let ca_bundle = ca_bundle.map(Arc::from);
        Ok(Self { base, ca_bundle, timeouts, client: Arc::new(Mutex::new(Some(client))) })
    }

    fn connected(
        base: &BaseUrl,
        ca_bundle: Option<&[u8]>,
        timeouts: Timeouts,
    ) -> Result<reqwest::Client, SetupError> {
        let Timeouts { connect, whole } = timeouts;
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(connect)
            .timeout(whole);
        if is_loopback(&base.0) {
            // Nothing in between, and no name server asked who `localhost` is.
            let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let here = here.map(|address| SocketAddr::new(address, 0));
            builder = builder.no_proxy().resolve_to_addrs("localhost", &here);
        }
        if base.0.scheme() == "https" {
            builder = builder.https_only(true);
            if let Some(pem) = ca_bundle {
                builder = builder.tls_certs_merge(certificates(pem)?);
            }
        } else {
            builder = builder.tls_certs_only([]); // saves reading the system's
        }
        builder.build().map_err(|error| SetupError::Client(root(&error)))
    }

    /// The client, made anew after a rest.
    fn client(&self) -> Result<reqwest::Client, TransportError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = Self::connected(&self.base, self.ca_bundle.as_deref(), self.timeouts)
            .map_err(|error| TransportError::Connect(error.to_string()))?;
        Ok(client.insert(made).clone())
    }

    async fn exchange(&self, request: RawRequest) -> Result<RawResponse, TransportError> {
        let url = self.base.join(&request.target);
        let url = url.map_err(|error| TransportError::Connect(error.to_string()))?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.client()?.request(method, url).headers(headers(&request.headers)?);
        match request.body {
            Some(body) => builder = builder.body(body),
            // Some proxies refuse a POST that does not say that it has no body.
            None if request.method == Method::Post => builder = builder.header(CONTENT_LENGTH, 0),
            None => {}
        }
        let response = builder.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status();
        if status.is_redirection()
            && let Some(location) = response.headers().get(LOCATION)
        {
            let location = String::from_utf8_lossy(location.as_bytes());
            return Err(TransportError::Redirect(text::message(&location)));
        }
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let is_read = request.method == Method::Get;
        let body = self.body(response, is_read).await?;
        Ok(RawResponse { status: status.as_u16(), headers, body })
    }

    /// Reads a body; an error is told by its beginning, whatever follows.
    async fn body(
        &self,
        mut response: reqwest::Response,
        is_read: bool,
    ) -> Result<Bytes, TransportError> {
        let is_error = !response.status().is_success();
        let longest = if is_read && !is_error { LONGEST } else { LONGEST_OTHER };
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if body.len() + chunk.len() > longest {
                if is_error {
                    body.extend_from_slice(&chunk[..longest - body.len()]);
                    break;
                }
                return Err(TransportError::TooLarge(longest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// Tells what certainly was not sent from what may have been.
    fn failure(&self, error: &reqwest::Error) -> TransportError {
        let host = self.base.0.host_str().unwrap_or_default();
        let why = if error.is_timeout() { "no answer in time".to_owned() } else { root(error) };
        let why = format!("{host}: {why}");
        if refused_certificate(error) {
            TransportError::Certificate(why)
        } else if error.is_connect() || error.is_builder() {
            TransportError::Connect(why)
        } else {
            TransportError::Lost(why)
        }
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        Box::pin(self.exchange(request))
    }

    fn base(&self) -> String {
        self.base.to_string()
    }

    fn rest(&self) {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, SetupError> {
    let found = reqwest::Certificate::from_pem_bundle(pem)
        .map_err(|error| SetupError::CaBundle(root(&error)))?;
    if found.is_empty() {
        return Err(SetupError::CaBundle("it holds no certificate".into()));
    }
    Ok(found)
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, TransportError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let unfit = |_| TransportError::Connect(format!("the header `{name}` cannot be sent"));
        let mut value = HeaderValue::from_str(value).map_err(|error| unfit(error.to_string()))?;
        let name = HeaderName::from_bytes(name.as_bytes());
        let name = name.map_err(|error| unfit(error.to_string()))?;
        value.set_sensitive(name == AUTHORIZATION || name == "x-api-key");
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The innermost cause, which says most to a person.
fn root(error: &reqwest::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = cause(deepest) {
        deepest = source;
    }
    // Without a cause the error would name the URL, which the message has elsewhere.
    text::message(&deepest.to_string())
}

fn refused_certificate(error: &reqwest::Error) -> bool {
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
        next = cause(error);
    }
    false
}

/// `io::Error` passes over the error it wraps when asked for its source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests;
