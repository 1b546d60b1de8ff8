//! The load generator: one thread, many connections, each with one request under way.
//!
//! Requests are bytes made beforehand, so that the generator's core does little but read and write.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use memchr::memmem;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::Outcome;

/// Enough that a server whose answers wait for the disk, in groups, still has work meanwhile.
const CONNECTIONS: usize = 256;

/// How requests follow each other.
#[derive(Clone, Copy, PartialEq)]
pub enum Pace {
    /// The next as soon as an answer is there.
    Closed,
    /// The same, until each request has been sent once, however long that takes.
    Once,
    /// So many per second, whether answers keep up or not. Latency counts from when a request was due.
    Open(f64),
}

/// What came of a run.
pub struct Run {
    /// Answers with status 200.
    pub answered: usize,
    /// How long it took.
    pub length: Duration,
    /// Of each answer, in no order.
    latencies: Vec<Duration>,
}

impl Run {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.answered as f64 / self.length.as_secs_f64()
    }

    /// The latency that this share of answers did not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or_default()
    }
}

/// Connections to one server, and the requests they go through in turn.
pub struct Load<'a> {
    requests: &'a [Vec<u8>],
    next: usize,
    poll: Poll,
    connections: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    request: usize,
    sent: usize,
    received: Vec<u8>,
    due: Option<Instant>,
}

impl<'a> Load<'a> {
    /// Connects. The requests are gone through in order, over and over, across all runs.
    pub fn new(server: SocketAddr, requests: &'a [Vec<u8>]) -> Outcome<Load<'a>> {
        let told = |error: std::io::Error| format!("{server}: {error}");
        let poll = Poll::new().map_err(told)?;
        let mut connections = Vec::new();
        for number in 0..CONNECTIONS {
            let stream = std::net::TcpStream::connect(server).map_err(told)?;
            stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).map_err(told)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)
                .map_err(told)?;
            let received = Vec::with_capacity(16 * 1024);
            connections.push(Connection { stream, request: 0, sent: 0, received, due: None });
        }
        Ok(Load { requests, next: 0, poll, connections })
    }

    /// Runs for `length`.
    ///
    /// # Errors
    /// A connection is lost, or an answer has another status than 200: then nothing was measured.
    pub fn run(&mut self, length: Duration, pace: Pace) -> Outcome<Run> {
        let start = Instant::now();
        let end = start + length;
        let mut run = Run { answered: 0, length, latencies: Vec::with_capacity(1 << 20) };
        let mut events = Events::with_capacity(CONNECTIONS * 2);
        let mut idle: Vec<usize> = (0..CONNECTIONS).collect();
        let mut due = start;
        let mut left = if pace == Pace::Once { self.requests.len() } else { usize::MAX };
        loop {
            let now = Instant::now();
            match pace {
                Pace::Closed | Pace::Once if left > 0 && (now < end || pace == Pace::Once) => {
                    while left > 0
                        && let Some(number) = idle.pop()
                    {
                        self.send(number, now)?;
                        left -= 1;
                    }
                }
                Pace::Open(rate) if now < end => {
                    while due <= now
                        && let Some(number) = idle.pop()
                    {
                        self.send(number, due)?;
                        due += Duration::from_secs_f64(1.0 / rate);
                    }
                }
                _ if idle.len() == CONNECTIONS => break,
                _ => {}
            }
            // An open pace spins: the core is ours, and sleeping would only add to the latency.
            let patience = match pace {
                Pace::Closed | Pace::Once => Some(Duration::from_secs(10)),
                Pace::Open(_) => Some(Duration::ZERO),
            };
            self.poll.poll(&mut events, patience).map_err(|error| error.to_string())?;
            if events.is_empty() && now > end + Duration::from_secs(10) {
                return Err("the server no longer answers".into());
            }
            for event in &events {
                let number = event.token().0;
                if event.is_writable() {
                    self.flush(number)?;
                }
                if event.is_readable() && self.receive(number)? {
                    let due = self.connections[number].due.take();
                    run.latencies.push(due.map_or(Duration::ZERO, |due| due.elapsed()));
                    run.answered += 1;
                    idle.push(number);
                }
            }
        }
        run.length = start.elapsed();
        Ok(run)
    }

    fn send(&mut self, number: usize, due: Instant) -> Outcome {
        let connection = &mut self.connections[number];
        connection.request = self.next;
        connection.sent = 0;
        connection.due = Some(due);
        self.next = (self.next + 1) % self.requests.len();
        self.flush(number)
    }

    fn flush(&mut self, number: usize) -> Outcome {
        let connection = &mut self.connections[number];
        let request = &self.requests[connection.request];
        while connection.due.is_some() && connection.sent < request.len() {
            match connection.stream.write(&request[connection.sent..]) {
                Ok(written) => connection.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(format!("a connection was lost: {error}")),
            }
        }
        Ok(())
    }

    /// Reads what is there; true when the answer is complete.
    fn receive(&mut self, number: usize) -> Outcome<bool> {
        let connection = &mut self.connections[number];
        let mut chunk = [0; 16 * 1024];
        loop {
            match connection.stream.read(&mut chunk) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(read) => {
                    connection.received.extend_from_slice(&chunk[..read]);
                    if complete(&connection.received)? {
                        connection.received.clear();
                        return Ok(true);
                    }
                    if read < chunk.len() {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(format!("a connection was lost: {error}")),
            }
        }
    }
}

fn complete(answer: &[u8]) -> Outcome<bool> {
    let Some(end) = memmem::find(answer, b"\r\n\r\n") else { return Ok(false) };
    let head = &answer[..end];
    let length = memmem::find(head, b"content-length: ").map(|at| &head[at + 16..]);
    let digits = length.unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    if answer.len() < end + 4 + length {
        return Ok(false);
    }
    if head.get(9..12) == Some(b"200") {
        Ok(true)
    } else {
        Err(format!("an answer that is not 200: {}", String::from_utf8_lossy(answer)))
    }
}
