//! Connections served: each until it ends, takes too long to ask or to be answered, has to make room for another, or the
//! phase is over. What axum::serve does, with limits.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tower_service::Service;

use super::callers::Peer;
use super::detach::{Connection, Patient};
use super::gate::Slot;
use super::limits::InUse;
use super::paced::Paced;
use super::{Limits, Phase};

/// How long what was answered may take to leave a connection that is to make room.
const FLUSH: Duration = Duration::from_secs(1);

/// How long, and how much, is read and thrown away of who was refused while they still sent: else they would meet a closed
/// connection before they read why.
const LINGER: Duration = Duration::from_secs(2);
const LINGERED: u64 = 16 * 1024 * 1024;

/// How long who is let in to be told that they are too many may take to ask.
const TOLD: Duration = Duration::from_secs(5);

/// What every connection is served with.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) router: Router,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) in_use: InUse,
}

/// Why a connection is no longer served as before.
enum Why {
    /// It has ended.
    Ended(hyper::Result<()>),
    /// The phase is.
    Over,
    /// Another is to have its place.
    MakesRoom,
}

/// Until the phase is [`Phase::Ending`]; then those that are open may finish. `peer_of` asks whose the other end is, and
/// `greet` does what comes before the first request.
pub(super) async fn serve<L, I, F>(
    mut listener: Patient<L>,
    peer_of: fn(&L::Io) -> Peer,
    greet: impl Fn(Connection<L::Io>, Peer) -> F + Clone + Send + 'static,
    served: Served,
) where
    L: Listener,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Option<(I, Peer)>> + Send + 'static,
{
    let (open, ended) = watch::channel(());
    let mut phase = served.phase.clone();
    loop {
        let io = tokio::select! {
            // Nobody sends any more: this one was given up.
            _ = phase.wait_for(|phase| *phase == Phase::Ending) => break,
            (io, _) = listener.accept() => io,
        };
        let peer = peer_of(Connection::of(&io));
        // Whom there are too many of to be told is let go.
        let Some((slot, leave)) = served.in_use.gate.admit(peer.whose()) else { continue };
        let (greet, served, ended) = (greet.clone(), served.clone(), ended.clone());
        tokio::spawn(async move {
            attend(greet(io, peer), slot, leave, served).await;
            drop(ended);
        });
        // What has come by one connection is read before the next but one is taken: of thousands that come at once, one that
        // asks would have to make room for those behind it before it was seen to ask.
        tokio::task::yield_now().await;
    }
    drop((listener, ended));
    open.closed().await;
}

/// Nothing comes before.
pub(super) async fn plain<I>(io: Connection<I>, peer: Peer) -> Option<(Connection<I>, Peer)> {
    Some((io, peer))
}

async fn attend<I>(
    greeting: impl Future<Output = Option<(I, Peer)>>,
    slot: Slot,
    leave: oneshot::Receiver<()>,
    served: Served,
) where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let Served { router, mut phase, in_use } = served;
    let slot = Arc::new(slot);
    let limits = &in_use.limits;
    let mut leave = pin!(async {
        // Nobody tells one that is let in only to be told something.
        if leave.await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    let greeted = tokio::select! {
        greeted = timeout(limits.head_time, greeting) => greeted.ok().flatten(),
        () = &mut leave => None,
    };
    let Some((io, peer)) = greeted else { return };
    let asked = Arc::clone(&slot);
    let service =
        service_fn(move |request| answer(router.clone(), peer.clone(), Arc::clone(&asked), request));
    let io = TokioIo::new(Paced::new(io, limits.stall_time));
    let mut connection = builder(limits, &slot).serve_connection(io, service);
    let over = async {
        // Without a sender this phase was given up.
        let _ = phase.wait_for(|phase| *phase == Phase::Ending).await;
    };
    let why = tokio::select! {
        ended = &mut connection => Why::Ended(ended),
        () = over => Why::Over,
        () = &mut leave => Why::MakesRoom,
    };
    let ended = match why {
        Why::Ended(ended) => ended,
        Why::Over => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
        // hyper would wait for a first request.
        Why::MakesRoom if !slot.was_asked() => return,
        Why::MakesRoom => {
            Pin::new(&mut connection).graceful_shutdown();
            match timeout(FLUSH, &mut connection).await {
                Ok(ended) => ended,
                // Asked in the same moment: it is answered.
                Err(_) if slot.is_held() => (&mut connection).await,
                Err(_) => return,
            }
        }
    };
    let refused = slot.full.is_some() || ended.is_err_and(|error| error.is_parse_too_large());
    if refused {
        linger(connection.into_parts().io.into_inner()).await;
    }
}

fn builder(limits: &Limits, slot: &Slot) -> http1::Builder {
    let mut builder = http1::Builder::new();
    let patience = if slot.full.is_some() { TOLD } else { limits.head_time };
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_header_size(limits.head);
    builder
}

async fn answer(
    mut router: Router,
    peer: Peer,
    slot: Arc<Slot>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    slot.ask();
    let is_told = slot.full.is_some();
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(slot);
    let mut response = router.call(request).await?;
    if is_told {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn linger(io: impl AsyncRead + Unpin) {
    let mut rest = io.take(LINGERED);
    let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}
