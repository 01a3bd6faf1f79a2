//! A browser without a window, for the page of a program that runs: it lets itself in, reads, and sends forms.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};

/// A program that serves a page, until it is dropped, and who was let in.
pub(crate) struct Browser {
    child: Child,
    host: String,
    cookie: String,
}

/// What the page answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Server-sent events, as they come.
pub(crate) struct News(BufReader<TcpStream>);

impl News {
    /// The next event; none where the server ended.
    pub(crate) fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some((_, data)) = line.split_once("data: ") {
                return Some(data.trim().to_owned());
            }
        }
    }
}

impl Browser {
    /// Starts the program, whose output must be a pipe, and opens the address that it prints.
    pub(crate) fn open(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim().strip_prefix("http://").unwrap();
        let (host, path) = url.split_once('/').unwrap();
        let mut browser = Self {
            child,
            host: host.to_owned(),
            cookie: String::new(),
        };
        let entered = browser.get(&format!("/{path}"));
        let cookie = entered.header("set-cookie").unwrap();
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// Sends the form that a page has for an address.
    pub(crate) fn send(&self, (page, address): (&str, &str), fields: &str) -> Answer {
        let body = self.get(page).body;
        let form = body.split_once(&format!("action=\"{address}\""));
        let token = form.and_then(|(_, form)| form.split_once("name=\"token\" value=\""));
        let token = token.map_or("none", |(_, token)| token.split('"').next().unwrap());
        self.post(address, &format!("token={token}&{fields}"))
    }

    /// Sends something as a form of this site.
    pub(crate) fn post(&self, address: &str, body: &str) -> Answer {
        let headers = format!(
            "origin: http://{}\r\ncontent-type: application/x-www-form-urlencoded\r\n",
            self.host
        );
        self.ask(&format!("POST {address}"), &headers, body)
    }

    /// Waits for news.
    pub(crate) fn news(&self) -> News {
        let stream = self.request("GET /live", "", "");
        News(BufReader::new(stream))
    }

    fn request(&self, what: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let (host, cookie, length) = (&self.host, &self.cookie, body.len());
        let text = format!(
            "{what} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\
             content-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    fn ask(&self, what: &str, headers: &str, body: &str) -> Answer {
        let mut text = String::new();
        let mut stream = self.request(what, headers, body);
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// Asks the program to stop, and waits for its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
