//! Many readers at once, over a real port of this machine.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

#[expect(dead_code, reason = "the other tests ask without a network")]
#[path = "../web/common.rs"]
mod common;

use common::{ledger, setting, story};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use tokio::net::TcpListener;
use unchain_web::{Access, SECRET_BYTES, serve, with_workers};

/// Readers at once.
const READERS: usize = 1000;
/// What each of them reads, each beginning at another.
const ADDRESSES: [&str; 8] = [
    "/incidents",
    "/api/v1/tokens?limit=5",
    "/tokens",
    "/api/v1/edges",
    "/principals",
    "/api/v1/findings?severity=high",
    "/coverage",
    "/api/v1/lineage",
];
/// What serving all of them may take at most, with the readers themselves, in KiB.
const MEMORY: u64 = 400 << 10;

/// Both ends of each connection are files of this process, and many systems allow only 1,024 unless asked.
fn allow_files(wanted: u64) {
    let known = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    assert!(
        enough(known.maximum),
        "the system allows {:?} files",
        known.maximum
    );
    if !enough(known.current) {
        let raised = Rlimit {
            current: Some(wanted),
            ..known
        };
        setrlimit(Resource::Nofile, raised).unwrap();
    }
}

/// The most memory that this process has had so far, in KiB; none where the system does not tell.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Sends a whole request on a connection that stays open, and reads the answer to its end. Its status and how many bytes
/// it has.
fn ask(stream: &mut BufReader<TcpStream>, path: &str, who: &str) -> (u16, usize) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{who}\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "{path}: lost");
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest.get(..3).unwrap().parse().unwrap();
        }
        if let Some(rest) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = rest.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let read = std::io::copy(&mut stream.take(length), &mut std::io::sink()).unwrap();
    assert_eq!(read, length, "{path}: cut off");
    (status, usize::try_from(length).unwrap())
}

/// All readers: each waits until all are connected, then reads everything.
fn read_all(address: SocketAddr, token: &str, cookie: &str) {
    let all_here = Barrier::new(READERS);
    thread::scope(|scope| {
        for number in 0..READERS {
            let all_here = &all_here;
            let read = move || {
                let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
                all_here.wait();
                for n in 0..ADDRESSES.len() {
                    let path = ADDRESSES[(number + n) % ADDRESSES.len()];
                    let who = match path.starts_with("/api/") {
                        true => format!("Authorization: Bearer {token}"),
                        false => format!("Cookie: {cookie}"),
                    };
                    let (status, length) = ask(&mut stream, path, &who);
                    assert_eq!(status, 200, "{path}");
                    assert!(length > 50, "{path}");
                }
            };
            let small = thread::Builder::new().stack_size(128 << 10);
            small.spawn_scoped(scope, read).unwrap();
        }
    });
}

/// The cookie that the token is exchanged for.
fn cookie(address: SocketAddr, token: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /enter?token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let lines = answer.lines();
    let line = lines
        .map(str::to_owned)
        .find(|line| line.to_ascii_lowercase().starts_with("set-cookie:"));
    let line = line.unwrap();
    let (_, cookie) = line.split_once(':').unwrap();
    cookie.split(';').next().unwrap().trim().to_owned()
}

/// Connections that say half of what they want, and then nothing.
fn half_asked(address: SocketAddr) -> Vec<TcpStream> {
    let half = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /tokens HTTP/1.1\r\nHost: 127.0")
            .unwrap();
        stream
    };
    (0..READERS).map(half).collect()
}

#[test]
fn a_thousand_readers_are_all_served_beside_a_thousand_that_never_ask() {
    allow_files(5 * READERS as u64);
    with_workers(&ledger(&story().records()), setting(), |asker| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let access = Access::new([7; SECRET_BYTES], address);
        let url = access.url();
        let (_, token) = url.split_once('=').unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = runtime.spawn(serve(listener, (access, asker.into()), async {
            let _ = stopped.await;
        }));
        let cookie = cookie(address, token);
        let before = memory();
        let slow = half_asked(address);
        read_all(address, token, &cookie);
        let grown = memory().zip(before).map(|(after, before)| after - before);
        assert!(grown.is_none_or(|grown| grown < MEMORY), "{grown:?} KiB");
        drop(slow);
        stop.send(()).unwrap();
        runtime.block_on(served).unwrap();
    });
}
