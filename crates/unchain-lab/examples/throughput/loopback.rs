//! Calls per second over loopback, a connection for each of four threads.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::http::Request;
use unchain_lab::server::{Reach, Server, loopback};

use super::support::Signer;
use super::{Failure, calls};

const CLIENTS: usize = 4;

fn clock() -> Timestamp {
    Timestamp::from_seconds(jiff::Timestamp::now().as_second())
}

/// Prints how many of `calls` are answered in a second.
pub(super) fn measure(calls: usize) -> Result<(), Failure> {
    let (world, root) = super::world();
    let lab = Arc::new(Lab::new(world));
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(loopback(0))?;
    let address = listener.local_addr()?;
    let server = Server {
        lab: Arc::clone(&lab),
        clock,
        state: None,
        reach: Reach::Loopback,
    };
    runtime.spawn(server.serve(listener, std::future::pending()));
    let user = calls::prepare(&lab, &root, clock())?;
    let start = Instant::now();
    let each = calls / CLIENTS;
    thread::scope(|scope| {
        let user = &user;
        let running: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || work(address, user, (client, each))))
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let done = u32::try_from(each * CLIENTS)?;
    let cores = thread::available_parallelism()?;
    println!(
        "{done} signed calls over loopback by {CLIENTS} clients in {seconds:.2} s: {:.0} calls/s ({cores} cores, \
         clients among them)",
        f64::from(done) / seconds
    );
    Ok(())
}

fn work(
    address: SocketAddr,
    user: &Signer,
    (client, calls): (usize, usize),
) -> Result<(), Failure> {
    let mut connection = Connection::open(address)?;
    (0..calls).try_for_each(|number| connection.call(&calls::call(user, (client, number), clock())))
}

struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    fn call(&mut self, request: &Request) -> Result<(), Failure> {
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
        let mut bytes = head.into_bytes();
        bytes.extend(&request.body);
        self.stream.get_mut().write_all(&bytes)?;
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if status.contains(" 200 ") {
            return Ok(());
        }
        Err(format!("{status}{}", String::from_utf8_lossy(&body)).into())
    }
}
