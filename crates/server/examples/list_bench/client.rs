//! A client that costs as little as it can: what it spends is in both of the figures that are compared.

use crate::Result;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may keep silent.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that is kept open.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    length: usize,
}

/// An answer, until the next request is sent.
pub struct Answer<'a> {
    /// Status line and headers.
    pub head: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self
            .head
            .lines()
            .skip(1)
            .filter_map(|it| it.split_once(':'));
        let found = headers.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: vec![0; 256 * 1024],
            length: 0,
        })
    }

    /// Sends a request and takes the whole answer, which has to be a good one.
    pub fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request)?;
        self.length = 0;
        let head = loop {
            self.receive()?;
            let received = &self.received[..self.length];
            if let Some(at) = received.windows(4).position(|it| it == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let whole = head + content_length(&self.received[..head])?;
        while self.length < whole {
            self.receive()?;
        }
        let answer = Answer {
            head: std::str::from_utf8(&self.received[..head])?,
            body: &self.received[head..whole],
        };
        if answer.head.starts_with("HTTP/1.1 200 ") {
            return Ok(answer);
        }
        let body = String::from_utf8_lossy(answer.body);
        Err(format!("refused: {}{body}", answer.head).into())
    }

    fn receive(&mut self) -> Result {
        match self.stream.read(&mut self.received[self.length..])? {
            0 => Err("the connection was closed, or the answer is too long".into()),
            count => {
                self.length += count;
                Ok(())
            }
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))
        .ok_or("an answer without its length")?;
    Ok(std::str::from_utf8(&line[NAME.len()..])?.trim().parse()?)
}
