//! The page of the built program: raw records come from the files, and no secret with them.

use crate::common::{NOON, Room, log, scenario};
use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// The fixed beginning of the session tokens that our trails have.
const TOKEN_MARKER: &str = "IQoJb3JpZ2lu";
/// Pages that one crawl looks at.
const PAGES: usize = 400;

/// A server that ends with the test.
struct Server {
    child: Child,
    address: String,
    cookie: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(room: &Room, arguments: &[&str]) -> Self {
        let mut child = room
            .command(&["serve", "--at", NOON])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let rest = line.trim().strip_prefix("http://").unwrap();
        let (address, path) = rest.split_once('/').unwrap();
        let mut server = Self {
            child,
            address: address.to_owned(),
            cookie: String::new(),
        };
        let (head, _) = server.ask(&format!("/{path}"));
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "));
        server.cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
        server
    }

    /// Head and body of an answer.
    fn ask(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, cookie) = (&self.address, &self.cookie);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    fn page(&self, path: &str) -> String {
        let (head, body) = self.ask(path);
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        body
    }
}

/// The addresses to which a page leads.
fn links(body: &str) -> Vec<String> {
    let begun = body.split("href=\"").skip(1);
    let links = begun.filter_map(|rest| rest.split('"').next());
    let links = links.filter(|link| link.starts_with('/'));
    links.map(|link| link.replace("&amp;", "&")).collect()
}

#[test]
fn no_page_holds_a_session_token() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    assert!(log(&trail.records()).contains(TOKEN_MARKER));
    let server = Server::start(&room, &["--source", "logs"]);
    let mut waiting = VecDeque::from(["/incidents".to_owned()]);
    let (mut seen, mut records, mut struck) = (BTreeSet::new(), 0, 0);
    while let Some(path) = waiting.pop_front() {
        let is_window = path.contains("from=") || path.contains("open=") || path.contains("sort=");
        if seen.len() == PAGES || is_window || !seen.insert(path.clone()) {
            continue;
        }
        let (head, body) = server.ask(&path);
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(!body.contains(TOKEN_MARKER), "{path}");
        records += usize::from(path.contains("/records"));
        struck += usize::from(body.contains(unchain_source::STRUCK_OUT));
        // Records first: they are what holds tokens.
        for link in links(&body) {
            if link.contains("/records") {
                waiting.push_front(link);
            } else {
                waiting.push_back(link);
            }
        }
    }
    assert!(
        records > 50 && struck > 3,
        "{records} pages of records, {struck} with a token"
    );
}

#[test]
fn raw_records_come_from_the_files_of_a_case_while_they_are_there() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    assert_eq!(room.run(&["scan", "logs"]).code, 0);
    let server = Server::start(&room, &[]);
    let findings = server.page("/findings");
    let finding = links(&findings)
        .into_iter()
        .find(|link| link.starts_with("/findings/f-"));
    let records = format!("{}/records", finding.unwrap());
    let shown = server.page(&records);
    assert!(
        shown.contains("trail.json") && shown.contains("&quot;eventID&quot;"),
        "{shown}"
    );
    std::fs::remove_file(room.path().join("logs/trail.json")).unwrap();
    let gone = server.page(&records);
    assert!(
        gone.contains("trail.json") && gone.contains("gone since the scan"),
        "{gone}"
    );
    assert!(gone.contains("Not found in the files") && !gone.contains("eventVersion"));
}
