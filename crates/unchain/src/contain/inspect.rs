//! `unchain inspect`: what there is to be contained, and what the accounts lack.

use super::write::{Replace, private};
use super::{Accounts, FactsArgs, Sparing};
use crate::args::Context;
use crate::exit::Exit;
use crate::input::Input;
use crate::output::json;
use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, count, counted, moment, paragraph, principal, shown};
use crate::trace::find;
use crate::when::At;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use unchain_core::contain::{
    Control, Facts, Inspection, Owner, PrincipalRow, Reached, Revocation, inspect,
};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

const EXAMPLES: &str = "Examples:
  unchain inspect --profile responder
      what the account lacks that would have kept credentials from misuse
  unchain inspect AKIAQNZGKIQY56JQ7WML --facts accounts/
      by files: each user and role of a lineage, what it can reach, who else
      uses it, how it is revoked
  unchain inspect --profile responder --save facts.json
      everything that was read as one file, for --facts of the other commands

A folder for --facts holds what the AWS CLI printed of each account:
`aws iam get-account-authorization-details`, `get-credential-report`,
`list-access-keys` and `list-mfa-devices` of each user,
`list-virtual-mfa-devices`, and `aws organizations describe-organization`.

Exit codes: 0 done; 2 an error, or part of the accounts or logs could not be
read.";

/// Things of one kind that are named.
const FEW: usize = 8;

/// Look, before anyone acts: what a lineage can reach, who else uses its roles, how it can be revoked
///
/// Without a pivot: the preventive controls that the accounts lack, each with what mends it. Nothing is
/// changed.
#[derive(Debug, Args)]
#[command(name = "inspect", after_help = EXAMPLES, mut_arg("source", |source| source.num_args(1)))]
pub(crate) struct Inspect {
    /// What is known: a key id, ARN, role, user, session name, address, event id …
    pivot: Option<String>,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    accounts: FactsArgs,
    #[command(flatten)]
    sparing: Sparing,
    /// Also write what was read of the accounts to this file, which must be new
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "save", help_heading = "Output")]
    force: bool,
    #[command(flatten)]
    at: At,
    /// How to write it
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; fits the terminal
    Table,
    /// One JSON object
    Json,
}

/// The answer with what the accounts do not say. The field names are a promise: see docs/output.md.
#[derive(Debug, Serialize)]
struct Inspected {
    at: Timestamp,
    accounts: Vec<String>,
    #[serde(flatten)]
    inspection: Inspection,
    /// The credentials of the lineage that may work.
    alive: BTreeSet<Untrusted>,
}

impl Inspect {
    /// Reads the accounts, asks of the lineage, and tells it.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let accounts = self.accounts.read()?;
        if let Some(path) = &self.save {
            let replace = if self.force {
                Replace::Always
            } else {
                Replace::Never
            };
            let text = serde_json::to_string_pretty(&accounts.facts)? + "\n";
            private(path, &text, replace)?;
        }
        let read = Exit::complete(accounts.facts.unread.is_empty());
        let Some(pivot) = &self.pivot else {
            let ledger = Ledger::default();
            let told = self.inspected((&ledger, &accounts), (None, context.now))?;
            self.tell(context, &told, &accounts.facts)?;
            return Ok(read);
        };
        let loaded = self.input.load(context)?;
        let told = self.inspected((&loaded.ledger, &accounts), (Some(pivot), context.now))?;
        self.tell(context, &told, &accounts.facts)?;
        Ok(read.max(loaded.exit))
    }

    fn inspected(
        &self,
        (ledger, accounts): (&Ledger, &Accounts),
        (pivot, now): (Option<&str>, Timestamp),
    ) -> anyhow::Result<Inspected> {
        let lineage = Lineage::build(ledger);
        let at = self.at.instant(now);
        let report = Report::new(&lineage, at);
        if let Some(pivot) = pivot {
            find(&report, pivot)?;
        }
        let settings = self.sparing.settings(&lineage, accounts)?;
        let pivot = pivot.unwrap_or_default();
        let inspection = inspect(&report, &accounts.facts, &settings, pivot);
        let own: BTreeSet<&Untrusted> = inspection
            .principals
            .iter()
            .flat_map(|row| &row.credentials)
            .collect();
        let alive = report.credentials().into_iter();
        let alive = alive.filter(|&node| report.may_work(node));
        let alive = alive.map(|node| report.label(node));
        Ok(Inspected {
            at,
            accounts: accounts.facts.accounts.keys().cloned().collect(),
            alive: alive.filter(|label| own.contains(label)).collect(),
            inspection,
        })
    }

    fn tell(&self, context: &mut Context<'_>, told: &Inspected, facts: &Facts) -> io::Result<()> {
        let (out, width) = (&mut *context.out, context.width);
        if self.format == Format::Json {
            return json::line(out, told);
        }
        heading(out, width, facts)?;
        if self.pivot.is_some() {
            principals(out, width, told)?;
        }
        controls(out, width, &told.inspection.controls)
    }
}

/// How much was read of each account.
fn heading(out: &mut dyn Write, width: usize, facts: &Facts) -> io::Result<()> {
    let accounts = counted(facts.accounts.len() as u64, "account");
    writeln!(out, "ACCOUNTS  {accounts} read")?;
    for (id, account) in &facts.accounts {
        let (users, roles) = (account.users.len() as u64, account.roles.len() as u64);
        let (users, roles) = (counted(users, "user"), counted(roles, "role"));
        let (policies, groups) = (account.policies.len(), account.groups.len());
        let policies = counted(policies as u64, "managed policy").replace("policys", "policies");
        let groups = counted(groups as u64, "group");
        let whole = if account.authorization_details {
            ""
        } else {
            "; its authorization details were not read whole"
        };
        let text = format!(
            "{}: {users}, {roles}, {groups}, {policies}{whole}",
            clipped(id)
        );
        paragraph(out, width, ("  ", "    "), &text)?;
    }
    let organization = match &facts.organization {
        Some(of) => format!("management account {}", clipped(&of.management_account)),
        None => "not read: what service control policies deny is not known".to_owned(),
    };
    paragraph(out, width, ("  organization: ", "    "), &organization)
}

fn principals(out: &mut dyn Write, width: usize, told: &Inspected) -> io::Result<()> {
    let rows = &told.inspection.principals;
    writeln!(
        out,
        "\nPRINCIPALS  {} of the lineage, at {} UTC",
        rows.len(),
        moment(told.at)
    )?;
    for row in rows {
        row_of(out, width, (row, &told.alive))?;
    }
    Ok(())
}

fn row_of(
    out: &mut dyn Write,
    width: usize,
    (row, alive): (&PrincipalRow, &BTreeSet<Untrusted>),
) -> io::Result<()> {
    let account = Owner::of_arn(row.arn.raw()).map(|owner| shown(&owner.account));
    let account = account.unwrap_or_default();
    writeln!(out, "{} in {account}", principal(&row.arn))?;
    let mut lines = vec![
        ("credentials", credentials(row, alive)),
        (
            "seen",
            listed(row.seen.iter().map(|action| clipped(action))),
        ),
        ("reaches", reaches(row)),
        ("used by", used_by(row)),
        ("revoked", revoked(row.revocation).to_owned()),
        ("room", space(row)),
    ];
    if !row.grants.is_empty() {
        let actions = listed(row.grants.keys().map(|action| (*action).to_owned()));
        lines.push(("may give", format!("itself any permission, by {actions}")));
    }
    if !row.policies_unread.is_empty() {
        let policies = listed(row.policies_unread.iter().map(principal));
        lines.push((
            "not read",
            format!("{policies}: what they allow is not known"),
        ));
    }
    if let Some(seconds) = row.max_session {
        let hours = counted(u64::from(seconds / 3600), "hour");
        lines.push(("sessions", format!("of up to {hours}")));
    }
    for (name, text) in lines {
        paragraph(
            out,
            width,
            (&format!("  {name:<11}  "), "               "),
            &text,
        )?;
    }
    Ok(())
}

fn credentials(row: &PrincipalRow, alive: &BTreeSet<Untrusted>) -> String {
    let working: Vec<&Untrusted> = row.credentials.intersection(alive).collect();
    let all = counted(row.credentials.len() as u64, "credential");
    if working.is_empty() {
        return format!("{all}, none may still work");
    }
    let names = listed(working.iter().map(|name| principal(name)));
    format!("{all}, {} may still work: {names}", working.len())
}

/// Some names, and how many more there are.
fn listed(names: impl Iterator<Item = String>) -> String {
    listed_by(" ", names)
}

/// The same of names that hold blanks.
fn listed_by(between: &str, names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    match all.len() {
        0 => "nothing".to_owned(),
        more if more > FEW => {
            let few: Vec<String> = all.into_iter().take(FEW).collect();
            format!("{} and {} more", few.join(between), more - FEW)
        }
        _ => all.join(between),
    }
}

fn reaches(row: &PrincipalRow) -> String {
    if !row.read {
        return "not known: it was not read".to_owned();
    }
    let direct = row.reaches.iter().filter(|r| r.through.is_empty()).count();
    let chained = row.reaches.len() - direct;
    let text = match row.reaches.len() {
        0 => "no role".to_owned(),
        all => {
            let roles = counted(all as u64, "role");
            let names = listed_by("; ", row.reaches.iter().map(way));
            format!("{roles}, {direct} directly and {chained} by others: {names}")
        }
    };
    if row.reach_complete {
        text
    } else {
        format!("{text}; not all were looked at")
    }
}

/// A role, and how it is come by.
fn way(reached: &Reached) -> String {
    let mut text = principal(&reached.role);
    let by = reached.through.last().map(principal);
    let services = reached.services.iter().map(|service| (*service).to_owned());
    let by: Vec<String> = by.into_iter().chain(services).collect();
    if !by.is_empty() {
        text.push_str(&format!(" (by {})", by.join(", ")));
    }
    if !reached.depends_on.is_empty() {
        let keys: Vec<&str> = reached.depends_on.iter().map(String::as_str).collect();
        text.push_str(&clipped(&format!(" (if {})", keys.join(" "))));
    }
    if reached.can_grant {
        text.push_str(" (can give permissions)");
    }
    text
}

fn used_by(row: &PrincipalRow) -> String {
    let others = row.others.iter().chain(&row.services).map(principal);
    if row.others.is_empty() && row.services.is_empty() {
        return "nobody else that is known".to_owned();
    }
    let count = row.others.len() as u64;
    let (others_count, services) = (
        counted(count, "other credential"),
        row.services.len() as u64,
    );
    let services = counted(services, "service");
    format!("{others_count} and {services}: {}", listed(others))
}

fn revoked(revocation: Revocation) -> &'static str {
    match revocation {
        Revocation::UserPolicy => "by a deny on the user, and by making its keys inactive",
        Revocation::RolePolicy => "by a deny on the role, by time of issue or by session",
        Revocation::IdentityCenter => {
            "not in IAM: by a deny in its permission set, or by a service control policy"
        }
        Revocation::ServiceLinked => "not at all: it is a service's own role",
        Revocation::Root => "as the root user; its tokens by a service control policy",
    }
}

fn space(row: &PrincipalRow) -> String {
    let inline = count(row.inline_room as u64);
    let managed = row.attachable;
    let organization = match (row.organization_can_deny, row.scp_room) {
        (false, _) => "the organization cannot deny it, as far as is known".to_owned(),
        (true, None) => "the organization can deny it".to_owned(),
        (true, Some(room)) => format!("the organization can deny it, by {room} more policies"),
    };
    format!("{inline} characters of inline policy, {managed} managed policies; {organization}")
}

fn controls(out: &mut dyn Write, width: usize, controls: &[Control]) -> io::Result<()> {
    if controls.is_empty() {
        return writeln!(out, "\nCONTROLS  none is missing that can be seen here");
    }
    let missing = counted(controls.len() as u64, "missing control");
    writeln!(out, "\nCONTROLS  {missing}")?;
    let columns = vec![
        Column::new("ABOUT", 28).hanging(),
        Column::new("MISSING, AND WHAT MENDS IT", room(width, 2, 28)).hanging(),
    ];
    let mut table = Table::new(out, columns);
    for control in controls {
        let about = format!("{}\n{}", principal(&control.about), control.code);
        let mut text = format!("{}\n{}", control.missing, control.fix);
        if !control.names.is_empty() {
            text.push_str(&format!(
                "\n{}",
                listed(control.names.iter().map(principal))
            ));
        }
        table.row(&[about, text])?;
    }
    table.finish()
}
