//! The ways to a lab: in this process, over HTTP, or with the AWS CLI as the client.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Map, Value};
use unchain_core::time::Timestamp;

use super::answer::Answer;
use super::cli;
use super::keys::{self, Keys, Scope};
use super::request::{self, Ask};
use crate::Lab;
use crate::control::PREFIX;
use crate::http::{Request, Response};
use crate::service::Service;

/// Where the lab is.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In this process.
    Here(&'a Lab),
    /// Behind an address.
    There(SocketAddr),
}

/// What makes the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// The player's own requests.
    Own,
    /// A program with the AWS CLI's arguments; it needs a lab behind an address.
    AwsCli(String),
}

/// A way to a lab.
#[derive(Debug, Clone)]
pub struct Wire<'a> {
    /// Where the lab is.
    pub place: Place<'a>,
    /// What makes the calls.
    pub client: Client,
    /// The host's time, UTC.
    pub now: fn() -> Timestamp,
}

impl Wire<'_> {
    /// Makes a call; without keys it is not signed.
    pub(super) fn call(&self, ask: &Ask, keys: Option<&Keys>) -> Answer {
        match (&self.client, self.place) {
            (Client::AwsCli(program), Place::There(address)) if cli::knows(ask) => {
                return cli::call((program, address), ask, keys);
            }
            _ => {}
        }
        match self.signed(ask, keys) {
            Ok(response) => Answer::of(&response),
            Err(error) => Answer::failure("NoAnswer", &error.to_string()),
        }
    }

    /// Makes a call as a client of the service does, in us-east-1, and gives the response as it came. The parameters have
    /// the API's names; without keys it is not signed.
    ///
    /// # Errors
    ///
    /// The lab cannot be reached.
    pub fn ask(
        &self,
        (service, operation): (Service, &str),
        params: Map<String, Value>,
        keys: Option<&Keys>,
    ) -> io::Result<Response> {
        let ask = Ask {
            service,
            operation: operation.to_owned(),
            region: "us-east-1".to_owned(),
            params,
            body: Vec::new(),
        };
        self.signed(&ask, keys)
    }

    fn signed(&self, ask: &Ask, keys: Option<&Keys>) -> io::Result<Response> {
        let mut request = request::build(ask);
        if let Some(keys) = keys {
            let scope = Scope {
                service: ask.service.name(),
                region: &ask.region,
                at: (self.now)(),
            };
            keys::sign(&mut request, keys, scope);
        }
        self.send(&request)
    }

    /// Asks the control address for a change; gives the reply's JSON.
    ///
    /// # Errors
    ///
    /// What the lab says is wrong, or why it cannot be reached.
    pub fn control(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.desk("POST", path, body.to_string().into_bytes())
    }

    /// Asks the control address how things are.
    ///
    /// # Errors
    ///
    /// As [`Wire::control`].
    pub fn read(&self, path: &str) -> Result<Value, String> {
        self.desk("GET", path, Vec::new())
    }

    fn desk(&self, method: &str, path: &str, body: Vec<u8>) -> Result<Value, String> {
        let request = Request {
            method: method.to_owned(),
            path: format!("{PREFIX}{path}"),
            headers: vec![
                ("host".to_owned(), self.host()),
                ("content-type".to_owned(), "application/json".to_owned()),
            ],
            body,
            ..Request::default()
        };
        let response = self.send(&request).map_err(|error| error.to_string())?;
        if response.status >= 400 {
            let answer = Answer::of(&response);
            let text = String::from_utf8_lossy(&response.body).into_owned();
            let said = Some(answer.message).filter(|said| !said.is_empty());
            return Err(said.unwrap_or(text));
        }
        serde_json::from_slice(&response.body).map_err(|error| error.to_string())
    }

    fn host(&self) -> String {
        match self.place {
            Place::Here(_) => "127.0.0.1".to_owned(),
            Place::There(address) => address.to_string(),
        }
    }

    fn send(&self, request: &Request) -> io::Result<Response> {
        match self.place {
            Place::Here(lab) => Ok(lab.handle(request, (self.now)())),
            Place::There(address) => over(address, request),
        }
    }
}

/// One request on a connection of its own.
fn over(address: SocketAddr, request: &Request) -> io::Result<Response> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mark = if request.query.is_empty() { "" } else { "?" };
    let mut head = format!(
        "{} {}{mark}{} HTTP/1.1\r\n",
        request.method, request.path, request.query
    );
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = request.body.len();
    head.push_str(&format!(
        "content-length: {length}\r\nconnection: close\r\n\r\n"
    ));
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parsed(&bytes).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the lab's response cannot be read",
        )
    })
}

/// Takes a whole response apart.
fn parsed(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Response {
        status,
        headers,
        body: bytes.get(end + 4..)?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_taken_apart() {
        let response = parsed(b"HTTP/1.1 403 Forbidden\r\nX-A: b\r\n\r\n<a/>").unwrap();
        assert_eq!(response.status, 403);
        assert_eq!(response.headers, [("x-a".to_owned(), "b".to_owned())]);
        assert_eq!(response.body, b"<a/>");
        assert!(parsed(b"HTTP/1.1 200").is_none());
    }
}
