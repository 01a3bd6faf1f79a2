//! `unchain tokens`: the inventory of credentials.

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::input::Input;
use crate::output::table::{Column, room};
use crate::output::words::{count, counted, minute, principal, shown};
use crate::output::{Row, RowFormat, rows};
use crate::when::At;
use clap::Args;
use serde::Serialize;
use unchain_core::lineage::Lineage;
use unchain_core::report::{Report, Token};
use unchain_core::text::Untrusted;

const EXAMPLES: &str = "Examples:
  unchain tokens --alive
      what may still work now
  unchain tokens --at 2026-03-02T11:30:00Z --account 111122223333 --format csv
      one account at an instant, for a spreadsheet";

/// List every credential seen: issued by, expiry and how it is known, status, uses
///
/// Status: alive, nothing in the log ends it and its time is not over; unknown, the log does not show
/// enough; revoked; expired; not-yet-issued. What the log does not hold cannot be seen: read the
/// coverage that `unchain scan` prints.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
pub(crate) struct Tokens {
    #[command(flatten)]
    input: Input,
    /// Only what may still work: status alive or unknown
    #[arg(long)]
    alive: bool,
    #[command(flatten)]
    at: At,
    /// Only this kind, such as long-term-key or temporary-credential; may be repeated
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Only this origin: issued, console, forwarded, service or unseen; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
    /// Only credentials of this account; may be repeated
    #[arg(long, value_name = "ACCOUNT")]
    account: Vec<String>,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: RowFormat,
}

impl Tokens {
    /// Prints the inventory.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let loaded = self.input.load(context)?;
        let lineage = Lineage::build(&loaded.ledger);
        let report = Report::new(&lineage, self.at.instant(context.now));
        let wanted = report
            .credentials()
            .into_iter()
            .filter(|&node| !self.alive || report.may_work(node))
            .map(|node| report.token(node))
            .filter(|token| self.keeps(token))
            .map(Line);
        rows(context.out, (self.format, context.width), wanted)?;
        Ok(loaded.exit)
    }

    fn keeps(&self, token: &Token) -> bool {
        let named = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|wanted| wanted == name)
        };
        named(&self.kind, token.kind)
            && named(&self.origin, token.origin)
            && named(
                &self.account,
                token.account.as_ref().map_or("", Untrusted::raw),
            )
    }
}

/// One credential as a row.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Line(pub(crate) Token);

impl Row for Line {
    const CSV: &'static [&'static str] = &Token::COLUMNS;

    fn csv(&self) -> Vec<String> {
        self.0.cells().into()
    }

    fn columns(width: usize) -> Vec<Column> {
        vec![
            Column::new("CREDENTIAL", room(width, 4, 9 + 16 + 16)).hanging(),
            Column::new("STATUS", 9),
            Column::new("EXPIRES", 16),
            Column::new("LAST USED", 16),
        ]
    }

    fn cells(&self) -> Vec<String> {
        let token = &self.0;
        let name = token.access_key_id.as_ref();
        let mut whose = vec![name.map_or_else(|| token.kind.replace('-', " "), shown)];
        let account = token.account.as_ref().map(shown).unwrap_or_default();
        let whom = token.principal_arn.as_ref().map(principal);
        whose.push(format!("{} {account}", whom.unwrap_or_default()));
        whose.extend(
            token
                .issued_by
                .as_ref()
                .map(|by| format!("from {}", principal(by))),
        );
        let expires = match token.expires_at {
            Some(end) if token.expiry_basis.starts_with("at most") => {
                format!("{}\nat most", minute(end))
            }
            Some(end) => format!("{}\n{}", minute(end), token.expiry_basis),
            None if token.expiry_basis == "unknown" => "unknown".to_owned(),
            None => "never".to_owned(),
        };
        let used = token
            .last_used
            .map_or_else(|| "not seen".to_owned(), minute);
        vec![
            whose.join("\n"),
            format!(
                "{}\n{}",
                token.status.replace("-yet-issued", " yet"),
                token.origin
            ),
            expires,
            format!("{used}\n{}", uses(token.uses)),
        ]
    }
}

fn uses(number: u64) -> String {
    match number {
        0 => String::new(),
        1..=9_999_999 => counted(number, "use"),
        _ => count(number),
    }
}
