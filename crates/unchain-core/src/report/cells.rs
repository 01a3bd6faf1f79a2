//! Rows as the cells of a table for programs, not yet escaped.

use super::Token;
use crate::text::Untrusted;
use crate::time::Timestamp;

impl Token {
    /// The names of the columns, in the order of [`Token::cells`].
    pub const COLUMNS: [&'static str; 19] = [
        "access_key_id",
        "kind",
        "principal_arn",
        "account",
        "issued_at",
        "issued_by",
        "issued_with",
        "issued_basis",
        "expires_at",
        "expiry_basis",
        "status",
        "reason",
        "reason_event_id",
        "origin",
        "first_used",
        "last_used",
        "uses",
        "addresses",
        "root",
    ];

    /// One line of cells as logged: a writer escapes them for its format. What is not known is empty;
    /// instants are RFC 3339 in UTC.
    pub fn cells(&self) -> [String; 19] {
        let text = |field: &Option<Untrusted>| field.as_ref().map_or("", Untrusted::raw).to_owned();
        let time = |field: Option<Timestamp>| field.map(|t| t.to_string()).unwrap_or_default();
        let addresses: Vec<&str> = self.addresses.iter().map(Untrusted::raw).collect();
        [
            text(&self.access_key_id),
            self.kind.to_owned(),
            text(&self.principal_arn),
            text(&self.account),
            time(self.issued_at),
            text(&self.issued_by),
            text(&self.issued_with),
            self.issued_basis.unwrap_or_default().to_owned(),
            time(self.expires_at),
            self.expiry_basis.to_owned(),
            self.status.to_owned(),
            self.reason.unwrap_or_default().to_owned(),
            text(&self.reason_event_id),
            self.origin.to_owned(),
            time(self.first_used),
            time(self.last_used),
            self.uses.to_string(),
            addresses.join(" "),
            text(&self.root),
        ]
    }
}
