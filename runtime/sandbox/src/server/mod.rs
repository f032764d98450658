//! The listener: connections, limits, shutdown.
//!
//! Loopback only, and only for callers that name it as loopback, so that a web page can't reach a practice cloud through a
//! name that it controls. Does *not* know AWS: see [`http`] and [`control`].

mod activity;
mod control;
mod faults;
mod http;
mod io;
mod rest;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use escher_catalog::{Catalog, Service};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::world::{StateError, World};
use activity::Activity;
pub use activity::{MAX_ENTRIES, MAX_PARAMETERS};
use faults::Faults;
#[cfg(feature = "fuzzing")]
pub(crate) use http::PROTOCOL_PARAMETERS;
use io::Socket;

/// How long open connections may take to finish after the shutdown.
const GRACE: Duration = Duration::from_secs(2);
/// How often a changed world is written to the state file.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// How a practice cloud is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Added to every answer of a cloud.
    pub latency: Duration,
    /// Where the activity log is appended to, one JSON object a line.
    pub log: Option<PathBuf>,
    /// Where the world is written to, within a second of a change and at the end.
    pub state: Option<PathBuf>,
    /// Where the certificate of its own authority is written. With it the port takes TLS as well: Azure's tools ask for that.
    pub certificate: Option<PathBuf>,
    /// Time for the head of a request, and for an idle connection.
    pub head_timeout: Duration,
    /// Time for the body of a request.
    pub body_timeout: Duration,
    /// Most bytes of a body.
    pub max_body: usize,
    /// Most connections at a time; further ones wait.
    pub max_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            latency: Duration::ZERO,
            log: None,
            state: None,
            certificate: None,
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(20),
            max_body: 1 << 20,
            max_connections: 512,
        }
    }
}

/// Why a practice cloud can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anything but loopback.
    #[error("a practice cloud listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The listener failed.
    #[error("the listener: {0}")]
    Listener(std::io::Error),
    /// The activity log can't be opened.
    #[error("the log file {path}: {source}")]
    Log {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No certificate could be made or written.
    #[error("the certificate: {0}")]
    Certificate(String),
    /// The state can't be written at the end.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Serves a world with the default [`Options`] until `shutdown` is ready.
pub async fn serve(listener: TcpListener, world: World, shutdown: impl Future) -> Result<(), ServeError> {
    serve_with(listener, world, Options::default(), shutdown).await
}

/// Serves a world until `shutdown` is ready; then requests that came in are answered and the state is written.
pub async fn serve_with(
    listener: TcpListener,
    world: World,
    options: Options,
    shutdown: impl Future,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let activity = Activity::open(options.log.as_deref()).map_err(|source| ServeError::Log {
        path: options.log.as_deref().map(|p| p.display().to_string()).unwrap_or_default(),
        source,
    })?;
    let tls = options.certificate.as_deref().map(tls::acceptor).transpose().map_err(ServeError::Certificate)?;
    let shared = Arc::new(Shared::new(world, activity, options));
    let (stop, stopped) = watch::channel(());
    let free = Arc::new(Semaphore::new(shared.options.max_connections.max(1)));
    let mut connections = JoinSet::new();
    let mut save = tokio::time::interval(SAVE_EVERY);
    save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            _ = &mut shutdown => break,
            _ = save.tick(), if shared.options.state.is_some() => {
                if let Err(error) = shared.save() {
                    tracing::warn!(%error, "state not written");
                }
            }
            // Reaped here, or the set would grow with every connection there ever was.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (permit, accepted) = async {
                let permit = Arc::clone(&free).acquire_owned().await;
                (permit, listener.accept().await)
            } => {
                let Ok((stream, _)) = accepted else {
                    // Such as too many open files: give others time to close theirs.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                connections.spawn(connection(Arc::clone(&shared), Socket::new(stream), tls.clone(), stopped.clone(), permit.ok()));
            }
        }
    }
    drop((stop, listener));
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finish).await.is_err() {
        connections.shutdown().await;
    }
    Ok(shared.save()?)
}

/// One connection, under TLS where its first byte says so.
async fn connection(
    shared: Arc<Shared>,
    socket: Socket,
    tls: Option<tokio_rustls::TlsAcceptor>,
    stopped: watch::Receiver<()>,
    _permit: Option<tokio::sync::OwnedSemaphorePermit>,
) {
    let reset = socket.reset_switch();
    let Some(tls) = tls else { return exchange(shared, socket, reset, false, stopped).await };
    let time = shared.options.head_timeout;
    let secure = tokio::select! {
        began = tokio::time::timeout(time, socket.begins_tls()) => began,
        () = ended(stopped.clone()) => return,
    };
    match secure {
        Ok(Ok(false)) => exchange(shared, socket, reset, false, stopped).await,
        Ok(Ok(true)) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(time, tls.accept(socket)).await {
                exchange(shared, stream, reset, true, stopped).await;
            }
        }
        _ => {}
    }
}

/// Ready at shutdown: the sender is dropped then; nothing is ever sent.
async fn ended(mut stopped: watch::Receiver<()>) {
    let _ = stopped.changed().await;
}

async fn exchange(
    shared: Arc<Shared>,
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    reset: Arc<AtomicBool>,
    secure: bool,
    stopped: watch::Receiver<()>,
) {
    let head_timeout = shared.options.head_timeout;
    let service = service_fn(move |request| http::handle(Arc::clone(&shared), Arc::clone(&reset), secure, request));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // A client that has said all it has to say still gets its answer, and what it asked for is done.
        .half_close(true)
        .header_read_timeout(head_timeout)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    tokio::select! {
        _ = served.as_mut() => return,
        () = ended(stopped) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

/// A part of the catalogue, decoded when it is first asked for.
type Slot = OnceLock<Option<Arc<Service>>>;

/// What all connections share.
pub(crate) struct Shared {
    world: Mutex<World>,
    activity: Mutex<Activity>,
    faults: Mutex<Faults>,
    options: Options,
    requests: AtomicU64,
    changed: AtomicBool,
    /// By signing name; the name in the catalogue.
    services: [(&'static str, &'static str, Slot); 8],
}

impl Shared {
    fn new(world: World, activity: Activity, options: Options) -> Shared {
        let faults = Faults::none(world.seed.seed);
        Shared {
            world: Mutex::new(world),
            activity: Mutex::new(activity),
            faults: Mutex::new(faults),
            options,
            requests: AtomicU64::new(0),
            changed: AtomicBool::new(false),
            services: [
                ("ec2", "ec2", OnceLock::new()),
                ("sts", "sts", OnceLock::new()),
                ("rds", "rds", OnceLock::new()),
                ("iam", "iam", OnceLock::new()),
                ("s3", "s3", OnceLock::new()),
                ("ssm", "ssm", OnceLock::new()),
                ("secretsmanager", "secretsmanager", OnceLock::new()),
                ("monitoring", "cloudwatch", OnceLock::new()),
            ],
        }
    }

    /// A service's part of the catalogue, by signing name; decoded when it is first called.
    fn service(&self, name: &str) -> Option<Arc<Service>> {
        let (_, name, slot) = self.services.iter().find(|(signing, ..)| *signing == name)?;
        slot.get_or_init(|| Catalog::current().service("aws", name)).clone()
    }

    fn save(&self) -> Result<(), StateError> {
        use std::sync::atomic::Ordering::Relaxed;
        match &self.options.state {
            Some(path) if self.changed.swap(false, Relaxed) || !path.exists() => lock(&self.world).save(path),
            _ => Ok(()),
        }
    }
}

/// A lock whose holder can't have broken anything: no code under it panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
