//! The shim's end of the socket: lines in, lines out, never waiting for a daemon that does not read.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use nix::poll::PollFlags;

use crate::ipc::{Hello, MAX_LINE, Message, Request};

struct Connection {
    stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    open: bool,
}

pub(super) struct Server {
    listener: UnixListener,
    connections: Vec<Connection>,
    requests: VecDeque<Request>,
    /// Whether a daemon has ever connected: before that, none has gone away.
    met: bool,
}

impl Server {
    /// The listener comes as standard input; its number is freed for nobody.
    pub(super) fn from_stdin() -> io::Result<Self> {
        let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
        listener.set_nonblocking(true)?;
        Ok(Self { listener, connections: Vec::new(), requests: VecDeque::new(), met: false })
    }

    pub(super) fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = (usize, (BorrowedFd<'_>, PollFlags))> {
        self.connections.iter().enumerate().map(|(index, connection)| {
            let out = if connection.output.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
            (index, (connection.stream.as_fd(), PollFlags::POLLIN | out))
        })
    }

    /// A daemon came.
    pub(super) fn was_met(&self) -> bool {
        self.met
    }

    /// A daemon came and went.
    pub(super) fn is_deserted(&self) -> bool {
        self.met && self.connections.is_empty() && self.requests.is_empty()
    }

    pub(super) fn accept(&mut self, hello: &Hello) {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            self.met = true;
            let mut connection = Connection { stream, input: Vec::new(), output: Vec::new(), open: true };
            connection.queue(&Message::Hello(hello.clone()));
            self.connections.push(connection);
        }
    }

    pub(super) fn read(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else {
            return;
        };
        connection.fill();
        while let Some(end) = connection.input.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = connection.input.drain(..=end).collect();
            match serde_json::from_slice(&line) {
                Ok(request) => self.requests.push_back(request),
                Err(error) => super::say(format_args!("a line that is no request: {error}")),
            }
        }
        if connection.input.len() > MAX_LINE {
            connection.open = false;
        }
    }

    pub(super) fn next_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// To every daemon that listens: after an upgrade there may be two for a moment.
    pub(super) fn say(&mut self, message: &Message) {
        for connection in &mut self.connections {
            connection.queue(message);
        }
    }

    /// Sends what can be sent, and lets go of who is gone.
    pub(super) fn flush(&mut self) {
        for connection in &mut self.connections {
            connection.send();
        }
        self.connections.retain(|connection| connection.open);
    }
}

impl Connection {
    fn queue(&mut self, message: &Message) {
        match serde_json::to_writer(&mut self.output, message) {
            Ok(()) => self.output.push(b'\n'),
            Err(_) => self.open = false,
        }
        // A daemon that does not read is let go; the next one is told everything in Hello.
        if self.output.len() > MAX_LINE {
            self.open = false;
        }
    }

    fn fill(&mut self) {
        let mut portion = [0; 8 * 1024];
        loop {
            match self.stream.read(&mut portion) {
                Ok(0) => return self.open = false,
                Ok(length) => self.input.extend_from_slice(&portion[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => return self.open = false,
            }
            if self.input.len() > MAX_LINE {
                return;
            }
        }
    }

    fn send(&mut self) {
        while self.open && !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(0) => self.open = false,
                Ok(length) => drop(self.output.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.open = false,
            }
        }
    }
}
