//! The baseline: hyper and nothing else, which takes every request whole and gives one answer to all.

use crate::Result;
use axum::body::Bytes;
use axum::http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use tokio::net::TcpListener;

/// The baseline as a process; dropping it ends it.
pub struct Bare {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Bare {
    /// Starts one that answers what a server has answered.
    pub fn start(content_type: &str, request_id: &str, body: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answer = json!({"type": content_type, "id": request_id, "body": body});
        // It stays open: the child leaves when this process is gone.
        let input = child.stdin.as_mut().ok_or("no way to the baseline")?;
        writeln!(input, "{answer}")?;
        let output = child.stdout.take().ok_or("no word from the baseline")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse()?;
        Ok(Self { child, address })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads its answer from the standard input, says where it listens, and serves until that input ends.
pub fn serve() -> Result {
    let mut line = String::new();
    let mut input = BufReader::new(std::io::stdin());
    input.read_line(&mut line)?;
    let answer: Value = serde_json::from_str(&line)?;
    std::thread::spawn(move || {
        let _ = input.read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    // With as many threads as the server has, which says no more than this either.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(answer_all(&answer))
}

async fn answer_all(answer: &Value) -> Result {
    let field = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let mut response = Response::new(Bytes::from(field("body")));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, field("type").parse()?);
    headers.insert("x-acs-request-id", field("id").parse()?);

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let response = response.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let response = response.clone().map(Full::new);
            async move { request.collect().await.map(|_| response) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
