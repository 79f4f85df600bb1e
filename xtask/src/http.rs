//! The smallest HTTP/1.1 client that can talk to our own server on the loopback address.
//!
//! One request per connection; the answer ends where the server closes. Redirects, compression and TLS
//! are absent on purpose.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::{Context, Result, bail};

/// How long the server may keep silent.
const TIMEOUT: Duration = Duration::from_secs(30);
/// More than any answer of ours.
const LARGEST_ANSWER: u64 = 64 << 20;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, decoded if it came in chunks.
    pub body: Vec<u8>,
}

/// A request with everything but the framing.
pub struct Ask<'a> {
    /// GET or POST.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Headers besides those of the framing.
    pub headers: &'a [(String, String)],
    /// The body, possibly empty.
    pub body: &'a [u8],
}

/// GETs a path.
pub fn get(address: SocketAddr, target: &str) -> Result<Answer> {
    send(
        address,
        &Ask {
            method: "GET",
            target,
            headers: &[],
            body: &[],
        },
    )
}

/// Sends one request and reads the whole answer.
pub fn send(address: SocketAddr, ask: &Ask<'_>) -> Result<Answer> {
    let doing = || format!("{} http://{address}{}", ask.method, ask.target);
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).context(doing)?;
    stream.set_read_timeout(Some(TIMEOUT)).context(doing)?;
    stream.set_nodelay(true).context(doing)?;
    stream.write_all(&framed(address, ask)).context(doing)?;
    let mut bytes = Vec::new();
    stream
        .take(LARGEST_ANSWER)
        .read_to_end(&mut bytes)
        .context(doing)?;
    parse(&bytes).context(doing)
}

fn framed(address: SocketAddr, ask: &Ask<'_>) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nconnection: close\r\n",
        ask.method, ask.target
    );
    if !ask
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in ask.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if ask.method == "POST" {
        head.push_str(&format!("content-length: {}\r\n", ask.body.len()));
    }
    head.push_str("\r\n");
    [head.as_bytes(), ask.body].concat()
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let split = find(bytes, b"\r\n\r\n").context(|| "the answer has no end of its head".into())?;
    let head = String::from_utf8_lossy(&bytes[..split]);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok());
    let status = status.context(|| {
        format!(
            "the answer begins with `{}`",
            head.lines().next().unwrap_or("")
        )
    })?;
    let chunked =
        lines.any(|line| line.to_ascii_lowercase().replace(' ', "") == "transfer-encoding:chunked");
    let body = &bytes[split + 4..];
    let body = if chunked {
        dechunk(body)?
    } else {
        body.to_vec()
    };
    Ok(Answer { status, body })
}

fn dechunk(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n").context(|| "a chunk has no size".into())?;
        let line = String::from_utf8_lossy(&rest[..end]);
        let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16);
        let size = size.context(|| format!("a chunk has size `{line}`"))?;
        if size == 0 {
            return Ok(body);
        }
        let Some(chunk) = rest.get(end + 2..end + 2 + size) else {
            bail!("the answer ends inside a chunk")
        };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..).unwrap_or_default();
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_answer_is_read_to_its_end() {
        let answer =
            parse(b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\n\r\nno").unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (403, b"no".as_slice())
        );
    }

    #[test]
    fn a_chunked_answer_is_put_together() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
        assert_eq!(answer.unwrap().body, b"abcde");
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(parse(b"garbage\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_names_its_host_once() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        let headers = [("Host".to_owned(), "signed.example".to_owned())];
        let ask = Ask {
            method: "POST",
            target: "/?a=1",
            headers: &headers,
            body: b"x=1",
        };
        let text = String::from_utf8(framed(address, &ask)).unwrap();
        assert_eq!(text.to_lowercase().matches("host:").count(), 1);
        assert!(text.ends_with("content-length: 3\r\n\r\nx=1"), "{text}");
    }
}
