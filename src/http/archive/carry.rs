//! Bytes between a connection and a thread that blocks: each side waits for the other, and neither keeps more than a
//! few portions. Knows nothing of archives.

use std::io::{self, BufWriter, Read, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::supervisor::{Error, Result};

/// How long the other end of a connection may send nothing, or take nothing.
pub(super) const STALLED: Duration = Duration::from_secs(60);

/// How large a portion is on its way out.
const PORTION: usize = 64 * 1024;
/// How many are under way. On the way in a portion is what the connection has read at a time, up to some 400 KiB.
const PORTIONS: usize = 2;

/// What is on its way out.
enum Piece {
    Bytes(Bytes),
    /// Nothing is missing.
    End,
}

/// A body that a thread writes. When that fails, the connection ends before the body does, so that nobody takes it for whole.
pub(super) fn out(fill: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Body {
    let (pieces, written) = mpsc::channel(PORTIONS);
    let (forward, ready) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PORTION, Outward(pieces));
        let filled = fill(&mut out).and_then(|()| out.flush());
        match filled {
            Ok(()) => drop(out.get_ref().0.blocking_send(Piece::End)),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                tracing::info!("a reader of an archive hung up, or read nothing for too long");
            }
            Err(error) => tracing::error!(%error, "an archive could not be written to its end"),
        }
        // What is left in it has nowhere to go.
        drop(out.into_parts());
    });
    tokio::spawn(pass_on(written, forward));
    Body::from_stream(stream::unfold(Some(ready), |ready| async move {
        let mut ready = ready?;
        match ready.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(ready))),
            Some(Piece::End) => None,
            None => Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), None)),
        }
    }))
}

/// Until the reader has it all, has hung up or takes nothing for too long; then the thread is told by its channel.
async fn pass_on(mut written: mpsc::Receiver<Piece>, forward: mpsc::Sender<Piece>) {
    loop {
        let piece = tokio::select! {
            piece = written.recv() => piece,
            () = forward.closed() => return,
        };
        let Some(piece) = piece else { return };
        match tokio::time::timeout(STALLED, forward.send(piece)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

struct Outward(mpsc::Sender<Piece>);

impl Write for Outward {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(PORTION);
        let piece = Piece::Bytes(Bytes::copy_from_slice(&bytes[..length]));
        self.0.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has a thread read a body. It meets `UnexpectedEof` where the connection ended, and `TimedOut` where nothing came.
pub(super) async fn inward<T: Send + 'static>(
    body: Body,
    read: impl FnOnce(&mut dyn Read) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (pieces, received) = mpsc::channel(PORTIONS);
    let reading = tokio::task::spawn_blocking(move || {
        let mut input = Inward { pieces: received, piece: Bytes::new(), ended: false };
        read(&mut input)
    });
    let rest = feed(body, pieces).await;
    let done = reading.await;
    // So that the sender of what was refused in the middle reads why.
    if let Some(rest) = rest {
        let _ = tokio::time::timeout(super::PATIENCE, drain(rest, super::DRAINED)).await;
    }
    done.unwrap_or_else(|error| {
        Err(Error::Store { what: "a file task", path: Default::default(), source: error.into() })
    })
}

/// Gives what is left of it when the reader has had enough.
async fn feed(body: Body, pieces: mpsc::Sender<Option<io::Result<Bytes>>>) -> Option<Body> {
    let mut stream = body.into_data_stream();
    loop {
        let piece = tokio::select! {
            piece = tokio::time::timeout(STALLED, stream.next()) => piece,
            () = pieces.closed() => return Some(Body::from_stream(stream)),
        };
        let (piece, over) = match piece {
            Ok(Some(Ok(bytes))) => (Some(Ok(bytes)), false),
            Ok(Some(Err(_))) => (Some(Err(io::ErrorKind::UnexpectedEof.into())), true),
            Ok(None) => (None, true),
            Err(_) => (Some(Err(io::ErrorKind::TimedOut.into())), true),
        };
        if pieces.send(piece).await.is_err() {
            return Some(Body::from_stream(stream));
        }
        if over {
            return None;
        }
    }
}

struct Inward {
    /// `None` is the body's end; a channel that ends without it is no end.
    pieces: mpsc::Receiver<Option<io::Result<Bytes>>>,
    piece: Bytes,
    ended: bool,
}

impl Read for Inward {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            if self.ended {
                return Ok(0);
            }
            match self.pieces.blocking_recv() {
                Some(Some(Ok(bytes))) => self.piece = bytes,
                Some(Some(Err(error))) => return Err(error),
                Some(None) => self.ended = true,
                // The daemon ends.
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = buffer.len().min(self.piece.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}

/// Reads it, up to a limit, and keeps nothing.
pub(super) async fn drain(body: Body, limit: usize) {
    let mut stream = body.into_data_stream();
    let mut seen = 0;
    while let Some(Ok(portion)) = stream.next().await {
        seen += portion.len();
        if seen > limit {
            return;
        }
    }
}
