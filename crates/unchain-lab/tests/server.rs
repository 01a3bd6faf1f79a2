//! The lab behind a port.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod support;

use std::sync::Arc;

use support::Signer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::http::Request;
use unchain_lab::server::{Reach, ServeError, Server, loopback};
use unchain_lab::state::Folder;
use unchain_lab::world::{Settings, World};

fn clock() -> Timestamp {
    Timestamp::from_seconds(1_795_333_766)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Runs a client against a server over a world, then stops the server.
async fn with_server<T, F: Future<Output = T>>(
    world: World,
    state: Option<Folder>,
    client: impl FnOnce(TcpStream) -> F,
) -> T {
    let listener = loopback(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server {
        lab: Arc::new(Lab::new(world)),
        clock,
        state,
        reach: Reach::Loopback,
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(listener, async { stopped.await.unwrap_or(()) }));
    let answer = client(TcpStream::connect(address).await.unwrap()).await;
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    answer
}

fn wire(request: &Request, more: &str) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n{more}", request.method, request.path);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend(&request.body);
    bytes
}

/// One answer: reads to the end of its body.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        text.extend(&part[..read]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        let done = whole.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            head.starts_with("HTTP/1.1 100")
                || length.is_some_and(|length| body.len() >= length.parse().unwrap())
        });
        if done || read == 0 {
            return whole;
        }
    }
}

fn world() -> (World, Signer) {
    let mut world = World::new(1, Settings::default());
    let (key, secret) = world.add_account("111122223333", "one");
    (
        world,
        Signer {
            key,
            secret,
            token: None,
            service: "sts".to_owned(),
        },
    )
}

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[test]
fn a_connection_serves_many_calls_and_waits_for_leave_to_send_a_body() {
    let (world, signer) = world();
    run(with_server(world, None, async |mut stream| {
        for _ in 0..3 {
            stream
                .write_all(&wire(&signer.form(WHO, clock()), ""))
                .await
                .unwrap();
            let text = answer(&mut stream).await;
            assert!(
                text.starts_with("HTTP/1.1 200") && text.contains("111122223333"),
                "{text}"
            );
        }
        let request = signer.form(WHO, clock());
        let bytes = wire(&request, "expect: 100-continue\r\n");
        let (head, body) = bytes.split_at(bytes.len() - request.body.len());
        stream.write_all(head).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 100"));
        stream.write_all(body).await.unwrap();
        let text = answer(&mut stream).await;
        assert_eq!(
            support::element(&text, "Account").as_deref(),
            Some("111122223333")
        );
    }));
}

#[test]
fn a_forwarded_address_is_not_believed() {
    let (world, _) = world();
    run(with_server(world, None, async |mut stream| {
        let headers = [("host", "127.0.0.1"), ("x-forwarded-for", "198.51.100.7")];
        let headers = headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        let request = Request {
            path: "/_lab/status".to_owned(),
            headers,
            ..Request::default()
        };
        stream.write_all(&wire(&request, "")).await.unwrap();
        assert!(
            answer(&mut stream).await.starts_with("HTTP/1.1 200"),
            "the peer is this machine"
        );
    }));
}

#[test]
fn the_world_is_kept_when_the_server_stops() {
    let temp = tempfile::tempdir().unwrap();
    let (world, signer) = world();
    let folder = Folder::open(temp.path()).unwrap();
    let bucket = signer.of("s3").s3(("PUT", "/kept"), b"", clock());
    run(with_server(world, Some(folder), async |mut stream| {
        stream.write_all(&wire(&bucket, "")).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    }));
    let folder = Folder::open(temp.path()).unwrap();
    let world = folder
        .world(|| unreachable!("the folder holds a world"))
        .unwrap();
    assert!(world.s3.buckets.contains_key("kept"));
}

#[test]
fn other_machines_are_not_let_in_unless_asked_for() {
    let (world, _) = world();
    run(async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        let server = Server {
            lab: Arc::new(Lab::new(world)),
            clock,
            state: None,
            reach: Reach::Loopback,
        };
        let refused = server.serve(listener, async {}).await;
        assert!(matches!(refused, Err(ServeError::Exposed(_))));
    });
}
