//! A client that hangs up cancels nothing. hyper drops the handler of a connection that has ended, even one
//! that it has not begun to run; so what changes anything runs in a task of its own, and that a connection has
//! ended is told when that task has begun.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::Phase;

pub(super) async fn from_client(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The daemon has ended.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}

/// A listener whose connections tell their end one turn late, and that takes none when it is not the phase to.
pub(super) struct Patient<L> {
    listener: L,
    phase: watch::Receiver<Phase>,
    silent: watch::Sender<usize>,
}

impl<L> Patient<L> {
    /// `silent` counts the connections that have said nothing yet.
    pub(super) fn new(listener: L, phase: watch::Receiver<Phase>, silent: watch::Sender<usize>) -> Self {
        Self { listener, phase, silent }
    }
}

impl<L: Listener> Listener for Patient<L> {
    type Io = Connection<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let over = async {
            let _ = self.phase.wait_for(|phase| !phase.accepts()).await;
        };
        tokio::select! {
            biased;
            () = over => {}
            (io, address) = self.listener.accept() => {
                let silence = Some(Silence::begin(self.silent.clone()));
                return (Connection { io, end: End::Ahead, silence }, address);
            }
        }
        std::future::pending().await
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

pub(super) struct Connection<I> {
    io: I,
    end: End,
    /// Until the first byte, or the end.
    silence: Option<Silence>,
}

impl<I> Connection<I> {
    /// What it is a connection of.
    pub(super) fn of(connection: &Self) -> &I {
        &connection.io
    }

    /// Another one, with what is spoken on this one: until something is said there, silence is kept.
    pub(super) fn around<J>(io: J, silence: Option<Silence>) -> Connection<J> {
        Connection { io, end: End::Ahead, silence }
    }

    pub(super) fn take_silence(&mut self) -> Option<Silence> {
        self.silence.take()
    }
}

pub(super) struct Silence(watch::Sender<usize>);

impl Silence {
    fn begin(silent: watch::Sender<usize>) -> Self {
        silent.send_modify(|silent| *silent += 1);
        Self(silent)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.send_modify(|silent| *silent -= 1);
    }
}

enum End {
    Ahead,
    /// To be told with the next turn. Between the two hyper runs the handler of what it has read.
    Seen(io::Result<()>),
    Told,
}

impl<I: AsyncRead + Unpin> AsyncRead for Connection<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match std::mem::replace(&mut self.end, End::Told) {
            End::Seen(end) => return Poll::Ready(end),
            End::Told => {}
            End::Ahead => {
                let before = buffer.filled().len();
                let read = Pin::new(&mut self.io).poll_read(context, buffer);
                if read.is_ready() {
                    self.silence = None;
                }
                match read {
                    Poll::Ready(end) if buffer.filled().len() == before => {
                        self.end = End::Seen(end);
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    read => {
                        self.end = End::Ahead;
                        return read;
                    }
                }
            }
        }
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Connection<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
