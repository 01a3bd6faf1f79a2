//! Calls per second over loopback: `cargo run --release -p unchain-lab --example throughput -- [CALLS] [THREADS]`.
//! Threads sign by hand and mix `GetCallerIdentity`, `AssumeRole` and `PutObject`, one connection each.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use support::Signer;
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::http::Request;
use unchain_lab::server::{Reach, Server, loopback};
use unchain_lab::world::{Settings, World};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn clock() -> Timestamp {
    Timestamp::from_seconds(jiff::Timestamp::now().as_second())
}

struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: SocketAddr) -> Result<Self, Failure> {
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

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C\
                     %22Principal%22%3A%7B%22AWS%22%3A%22111122223333%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D";
const ALL: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C\
                   %22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";

/// A user who may do everything, a role, a bucket.
fn prepare(client: &mut Client, root: &Signer, lab: &Lab) -> Result<Signer, Failure> {
    let iam = root.of("iam");
    for body in [
        "Action=CreateUser&UserName=bench&Version=2010-05-08".to_owned(),
        format!(
            "Action=PutUserPolicy&UserName=bench&PolicyName=all&PolicyDocument={ALL}&Version=2010-05-08"
        ),
        format!(
            "Action=CreateRole&RoleName=bench&AssumeRolePolicyDocument={TRUST}&Version=2010-05-08"
        ),
        format!(
            "Action=PutRolePolicy&RoleName=bench&PolicyName=all&PolicyDocument={ALL}&Version=2010-05-08"
        ),
    ] {
        client.call(&iam.form(&body, clock()))?;
    }
    client.call(&root.of("s3").s3("PUT", "/throughput", b"", clock()))?;
    let made = lab.handle(
        &iam.form(
            "Action=CreateAccessKey&UserName=bench&Version=2010-05-08",
            clock(),
        ),
        clock(),
    );
    let text = String::from_utf8(made.body)?;
    Ok(Signer {
        key: support::element(&text, "AccessKeyId").ok_or("no key")?,
        secret: support::element(&text, "SecretAccessKey").ok_or("no secret")?,
        token: None,
        service: "sts".to_owned(),
    })
}

fn work(
    address: SocketAddr,
    user: &Signer,
    (thread, calls): (usize, usize),
) -> Result<(), Failure> {
    let mut client = Client::connect(address)?;
    let s3 = user.of("s3");
    let assume = "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fbench&RoleSessionName=s&\
                  Version=2011-06-15";
    for call in 0..calls {
        let request = match call % 3 {
            0 => user.form("Action=GetCallerIdentity&Version=2011-06-15", clock()),
            1 => user.form(assume, clock()),
            _ => s3.s3(
                "PUT",
                &format!("/throughput/{thread}/{}", call % 300),
                b"a small object",
                clock(),
            ),
        };
        client.call(&request)?;
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let calls: usize = arguments.next().map_or(Ok(30_000), |text| text.parse())?;
    let threads: usize = arguments.next().map_or(Ok(4), |text| text.parse())?;
    let mut world = World::new(1, Settings::default());
    let (key, secret) = world.add_account("111122223333", "lab");
    let root = Signer {
        key,
        secret,
        token: None,
        service: "sts".to_owned(),
    };
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
    let user = prepare(&mut Client::connect(address)?, &root, &lab)?;
    let start = Instant::now();
    let each = calls / threads.max(1);
    thread::scope(|scope| {
        let user = &user;
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || work(address, user, (thread, each))))
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let done = u32::try_from(each * threads)?;
    println!(
        "{done} calls in {seconds:.2} s: {:.0} calls/s",
        f64::from(done) / seconds
    );
    Ok(())
}
