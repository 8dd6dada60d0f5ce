//! The organization over real HTTP on loopback, with faults that really break connections.
//!
//! Invariant: what is answered is decided by [`super::handle`] alone; this file only moves bytes.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State as Shared, connect_info::Connected},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
    serve::{IncomingStream, Listener},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use super::{
    handle::{Exchange, Wire, method_not_allowed},
    shared::Sandbox,
    state::State,
};
use crate::api::transport::{Method, RawRequest, RawResponse};

const MAX_BODY: usize = 4 * 1024 * 1024;
/// After this long a connection that gets no reply is closed, so that a stopped server ends.
const SILENCE: Duration = Duration::from_mins(10);

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    sandbox: Sandbox,
    // Dropping it tells the server to stop.
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves an organization; port 0 takes a free one. Only loopback addresses are accepted.
    pub async fn start(state: State, address: SocketAddr) -> io::Result<Self> {
        Self::share(Sandbox::new(state), address).await
    }

    /// Serves an organization that others hold too.
    pub async fn share(sandbox: Sandbox, address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!("`{address}` is not a loopback address");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = Doors(TcpListener::bind(address).await?);
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new().fallback(answer).with_state(sandbox.clone());
        let service = app.into_make_service_with_connect_info::<Door>();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            // An error means that the sender was dropped, which is a stop too.
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move {
            // Accepting never fails for good (see `Doors::accept`).
            let _ = server.await;
        });
        Ok(Self { address, sandbox, stop: Some(stop), task })
    }

    /// The address it is bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The organization it serves.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Stops accepting, waits for the requests in flight, and gives the organization back.
    pub async fn stop(mut self) -> Sandbox {
        drop(self.stop.take());
        // The task ends by itself; a panic in it would have been a handler's, already answered.
        let _ = (&mut self.task).await;
        self.sandbox.clone()
    }
}

/// Accepts connections that can be broken on purpose.
struct Doors(TcpListener);

impl Listener for Doors {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Small replies should not wait for more; without it they are only slower.
                    let _ = stream.set_nodelay(true);
                    return (Connection { stream, door: Door::default() }, address);
                }
                // Such as too many open files: others may close soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Breaks its connection once it is slammed.
#[derive(Clone, Debug, Default)]
struct Door(Arc<AtomicBool>);

impl Door {
    fn slam(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, Doors>> for Door {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        stream.io().door.clone()
    }
}

struct Connection {
    stream: TcpStream,
    door: Door,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.door.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.door.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.door.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A request as the sandbox takes it.
///
/// # Errors
/// With the status that refuses it: an unknown method, or a body that is too large.
pub async fn taken(request: Request) -> Result<RawRequest, StatusCode> {
    let (parts, body) = request.into_parts();
    let method = match parts.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
    };
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let body = (!body.is_empty()).then_some(body);
    Ok(RawRequest { method, target, headers: headers.collect(), body })
}

async fn answer(
    Shared(sandbox): Shared<Sandbox>,
    ConnectInfo(door): ConnectInfo<Door>,
    request: Request,
) -> Response {
    let method = request.method().as_str().to_owned();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let request = match taken(request).await {
        Ok(request) => request,
        Err(StatusCode::METHOD_NOT_ALLOWED) => {
            return whole(&sandbox.with(|state| method_not_allowed(state, &method, &target)));
        }
        Err(status) => return plain(status),
    };
    let Exchange { response, wire, delay } = sandbox.exchange(&request);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match wire {
        Wire::Whole => whole(&response),
        Wire::Closed => {
            door.slam();
            // It is never written: the door is shut.
            plain(StatusCode::OK)
        }
        Wire::Silent => {
            tokio::time::sleep(SILENCE).await;
            door.slam();
            plain(StatusCode::OK)
        }
        Wire::Truncated => {
            let half = response.body.slice(..response.body.len() / 2);
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            pieces(&response, vec![Ok(half), Err(broken)], Duration::from_millis(5))
        }
        Wire::Drip(drip) => {
            let body = response.body.clone();
            let parts = body.chunks(drip.bytes.max(1)).map(|part| Ok(Bytes::copy_from_slice(part)));
            pieces(&response, parts.collect(), Duration::from_millis(drip.pause_ms))
        }
    }
}

/// A reply of the sandbox, whole and at once.
pub fn whole(response: &RawResponse) -> Response {
    let body = Body::from(response.body.clone());
    head(response, body)
}

/// A reply whose body comes in pieces, with a pause before each; the length is announced whole.
fn pieces(response: &RawResponse, parts: Vec<io::Result<Bytes>>, pause: Duration) -> Response {
    let stream = stream::unfold(parts.into_iter(), move |mut parts| async move {
        let part = parts.next()?;
        tokio::time::sleep(pause).await;
        Some((part, parts))
    });
    let mut reply = head(response, Body::from_stream(stream));
    let length = HeaderValue::from(response.body.len());
    reply.headers_mut().insert(axum::http::header::CONTENT_LENGTH, length);
    reply
}

fn head(response: &RawResponse, body: Body) -> Response {
    let mut reply = Response::new(body);
    *reply.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            reply.headers_mut().append(name, value);
        }
    }
    reply
}

fn plain(status: StatusCode) -> Response {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = status;
    reply
}
