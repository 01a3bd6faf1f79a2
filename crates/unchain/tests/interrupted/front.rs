//! A lab behind a port, between which and the program stands somebody who can kill the program and spoil answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::http::{Request, Response, form};
use unchain_lab::world::World;

/// What is done to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program is killed; the lab never sees the request.
    KilledBefore,
    /// The lab does it, and the program is killed before the answer.
    KilledAfter,
    /// There were too many calls; the next attempt passes.
    Throttled,
    /// The service fails, five times.
    Failing,
    /// The lab does it, and says that it failed.
    FailedAfter,
    /// The connection is closed; the lab never sees the request.
    ClosedBefore,
    /// The lab does it, and the connection is closed without an answer.
    ClosedAfter,
    /// The caller may not.
    Denied,
    /// Ctrl-C while the request is on its way; it is answered.
    Interrupted,
    /// Something else happens while the request is on its way; it is answered.
    Meanwhile,
}

impl Fault {
    /// To how many requests it happens: the program sends one again up to four times.
    fn lasts(self) -> usize {
        if self == Self::Failing { 5 } else { 1 }
    }

    /// Whether the lab sees the request.
    fn passes(self) -> bool {
        use Fault::{ClosedAfter, FailedAfter, Interrupted, KilledAfter, Meanwhile};
        matches!(
            self,
            KilledAfter | FailedAfter | ClosedAfter | Interrupted | Meanwhile
        )
    }
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The action.
    pub(crate) action: String,
    /// What it was about: the body, without what differs from run to run.
    pub(crate) about: String,
    /// Whether the lab carried it out.
    pub(crate) done: bool,
}

impl Seen {
    pub(crate) fn changes(&self) -> bool {
        let reads = ["Get", "List", "Describe", "Generate", "AssumeRole"];
        !reads.iter().any(|read| self.action.starts_with(read))
    }
}

/// What happens at [`Fault::Meanwhile`].
pub(crate) type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Run {
    fault: Option<(usize, Fault)>,
    meanwhile: Vec<Meanwhile>,
    seen: Vec<Seen>,
    child: Option<Child>,
}

struct Shared {
    lab: Lab,
    run: Mutex<Run>,
    /// One request at a time, so that the n-th is the n-th.
    turn: Mutex<()>,
    over: AtomicBool,
}

/// A lab behind a port, until it is dropped.
pub(crate) struct Front {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// The machine's clock, with which the program signs.
pub(crate) fn clock() -> Timestamp {
    Timestamp::from_seconds(jiff::Timestamp::now().as_second())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Front {
    pub(crate) fn new(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            lab: Lab::new(world),
            run: Mutex::default(),
            turn: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || own.listen(&listener));
        Self { shared, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn world(&self) -> World {
        self.shared.lab.world().clone()
    }

    /// What is to happen in the next run.
    pub(crate) fn meanwhile(&self, what: Meanwhile) {
        locked(&self.shared.run).meanwhile.push(what);
    }

    /// Runs the program; gives its exit code, if it came to one, and what it asked for.
    pub(crate) fn watch(
        &self,
        command: &mut Command,
        fault: Option<(usize, Fault)>,
    ) -> (Option<i32>, String, Vec<Seen>) {
        let mut errors = {
            let mut run = locked(&self.shared.run);
            let mut child = command.spawn().unwrap();
            let errors = child.stderr.take().unwrap();
            run.fault = fault;
            run.child = Some(child);
            errors
        };
        let mut said = String::new();
        errors.read_to_string(&mut said).unwrap();
        // A request in hand is brought to its end, whether or not anybody waits for the answer.
        let _turn = locked(&self.shared.turn);
        let mut run = locked(&self.shared.run);
        let status = run.child.take().unwrap().wait().unwrap();
        (status.code(), said, std::mem::take(&mut run.seen))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let (own, stream) = (Arc::clone(self), stream.unwrap());
            std::thread::spawn(move || own.serve(&stream));
        }
    }

    /// Answers requests until either side closes.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream);
        loop {
            let request = read(&mut reader)?;
            let response = {
                let _turn = locked(&self.turn);
                self.answer(&request)?
            };
            write(stream, &response)?;
        }
    }

    /// The answer; none where there is to be none.
    fn answer(&self, request: &Request) -> Option<Response> {
        let mut run = locked(&self.run);
        let place = run.seen.len();
        let fault = run
            .fault
            .filter(|(at, fault)| (*at..*at + fault.lasts()).contains(&place));
        let fault = fault.map(|(_, fault)| fault);
        if fault == Some(Fault::KilledBefore) {
            kill(&mut run);
        }
        let passes = fault.is_none_or(Fault::passes);
        let response = passes.then(|| self.lab.handle(request, clock()));
        let (action, about) = named(request);
        let done = response
            .as_ref()
            .is_some_and(|response| response.status < 300);
        run.seen.push(Seen {
            action,
            about,
            done,
        });
        let refused = |status, code| Some(refusal(request, status, code));
        match fault {
            None => response,
            Some(Fault::KilledBefore | Fault::ClosedBefore | Fault::ClosedAfter) => None,
            Some(Fault::KilledAfter) => {
                kill(&mut run);
                None
            }
            Some(Fault::Throttled) => refused(400, "Throttling"),
            Some(Fault::Failing | Fault::FailedAfter) => refused(503, "ServiceUnavailable"),
            Some(Fault::Denied) => refused(403, "AccessDenied"),
            Some(Fault::Meanwhile) => {
                for what in run.meanwhile.drain(..) {
                    what();
                }
                response
            }
            Some(Fault::Interrupted) => {
                let id = run.child.as_ref()?.id().to_string();
                let sent = Command::new("kill").args(["-INT", &id]).status();
                assert!(sent.unwrap().success());
                response
            }
        }
    }
}

/// Kills the program, and comes back when it is dead.
fn kill(run: &mut Run) {
    let child = run.child.as_mut().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The action of a request, and its body without the ids that a lab makes up.
fn named(request: &Request) -> (String, String) {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    if let Some(target) = request.header("x-amz-target") {
        let action = target.rsplit('.').next().unwrap_or_default();
        return (action.to_owned(), without_ids(&body));
    }
    let fields = form(&body);
    let action = fields.iter().find(|(name, _)| name == "Action");
    let action = action.map_or_else(|| request.path.clone(), |(_, action)| action.clone());
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (action, fields.join(" "))
}

/// A text in which every id of a policy of an organization is the same.
pub(crate) fn without_ids(text: &str) -> String {
    let mut parts = text.split("\"p-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        text + "\"p-" + rest
    })
}

/// A refusal in the form of the service that was asked.
fn refusal(request: &Request, status: u16, code: &str) -> Response {
    let (kind, body) = match request.header("x-amz-target") {
        Some(_) => (
            "application/x-amz-json-1.1",
            format!("{{\"__type\":\"{code}Exception\",\"message\":\"no\"}}"),
        ),
        None => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
            ),
        ),
    };
    Response {
        status,
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        body: body.into_bytes(),
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
    let length = request
        .header("content-length")
        .unwrap_or("0")
        .parse()
        .ok()?;
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn write(mut stream: &TcpStream, response: &Response) -> Option<()> {
    let mut head = format!("HTTP/1.1 {} -\r\n", response.status);
    for (name, value) in &response.headers {
        if !name.eq_ignore_ascii_case("content-length") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", response.body.len()));
    let whole = [head.as_bytes(), &response.body].concat();
    stream.write_all(&whole).ok()
}
