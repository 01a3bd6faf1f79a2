//! What a report for people says, in which order. Must not know how it is set.

mod containment;
mod credential;
mod finding;
mod incident;
mod lineage;
mod method;
mod scope;

use super::Document;
use super::block::{Block, Line, Span};
use crate::output::words::{count, counted, minute, pasted};
use std::collections::BTreeSet;
use unchain_core::detect::attack::Technique;
use unchain_core::report::{End, Next};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_web::View;

/// How a report shows what the page shows too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Written out.
    Text,
    /// By the page's views.
    Views,
}

/// The whole report below its title.
pub(super) fn blocks(document: &Document<'_>, form: Form) -> Vec<Block> {
    let mut blocks = summary(document, form);
    blocks.extend(incident::incidents(document, form));
    blocks.extend(containment::containment(document, form));
    blocks.extend(finding::findings(document, form));
    blocks.extend(match form {
        Form::Text => credential::may_work(document),
        Form::Views => credential::views(document),
    });
    blocks.extend(scope::scope(document, form));
    blocks.extend(method::method(document));
    blocks
}

/// What stands below the title: of what, when, by what.
pub(super) fn imprint(document: &Document<'_>) -> Line {
    let about = document.about;
    Line::of("Made ")
        .time(minute(about.made_at))
        .words(format!(
            " UTC with unchain {}. Every status is that of ",
            about.version
        ))
        .time(minute(about.at))
        .words(" UTC.")
}

fn summary(document: &Document<'_>, form: Form) -> Vec<Block> {
    let found = document.findings;
    let unexpected = found.findings.iter().filter(|f| f.allowed_by.is_none());
    let credentials: u64 = found.incidents.iter().map(|i| i.credentials).sum();
    let may_work: u64 = found.incidents.iter().map(|i| i.may_work).sum();
    let mut blocks = vec![
        chapter("summary", "Summary"),
        Block::Paragraph(verdict(document)),
        Block::Figures(vec![
            figure(found.incidents.len() as u64, ["incident", "incidents"]),
            figure(unexpected.count() as u64, ["finding", "findings"]),
            figure(
                credentials,
                ["credential of incidents", "credentials of incidents"],
            ),
            figure(
                may_work,
                ["of these may still work", "of these may still work"],
            ),
        ]),
    ];
    if !document.about.complete {
        blocks.push(Block::Warning(Line::of(
            "Not all of the input could be read, so this report may be incomplete. What was refused or damaged is told \
             by the scan that read it.",
        )));
    }
    let warnings = document.coverage.warnings.iter();
    blocks.extend(warnings.map(|warning| Block::Warning(Line::of(sentence(warning)))));
    match form {
        Form::Text => blocks.extend(incident::overview(document)),
        Form::Views => blocks.push(Block::View(View::Incidents)),
    }
    blocks
}

fn figure(number: u64, [one, many]: [&'static str; 2]) -> (String, &'static str) {
    (count(number), if number == 1 { one } else { many })
}

/// The outcome in two sentences that a reader may quote.
fn verdict(document: &Document<'_>) -> Line {
    let found = document.findings;
    let read = period(document.coverage.from, document.coverage.to);
    let line = Line::of("In the logs of ").then(read);
    let Some(worst) = found.worst() else {
        return line.words(
            " no detection found anything that is not expected. That does not show that nothing happened: the chapters \
             on scope and on method say what such logs cannot show.",
        );
    };
    let worst = Span::Label(worst.name());
    if found.incidents.is_empty() {
        let words = " no finding is grave enough to be told as an incident; the worst severity is ";
        return line.words(words).and(worst).words(".");
    }
    line.words(format!(
        " {} found; the worst severity is ",
        incidents_were(document)
    ))
    .and(worst)
    .words(". ")
    .then(still(document))
}

/// `2 incidents in 1 account were`.
fn incidents_were(document: &Document<'_>) -> String {
    let found = &document.findings.incidents;
    let accounts: BTreeSet<&Untrusted> = found.iter().flat_map(|i| &i.accounts).collect();
    format!(
        "{} in {} {}",
        counted(found.len() as u64, "incident"),
        counted(accounts.len() as u64, "account"),
        if found.len() == 1 { "was" } else { "were" },
    )
}

/// How much of what belongs to incidents may still work.
fn still(document: &Document<'_>) -> Line {
    let number: u64 = document.findings.incidents.iter().map(|i| i.may_work).sum();
    let line = Line::of("At ")
        .time(minute(document.about.at))
        .words(" UTC ");
    match number {
        0 => line.words("none of the credentials concerned was known to work."),
        1 => line.words("one of the credentials concerned might still work."),
        many => line.words(format!(
            "{} of the credentials concerned might still work.",
            count(many)
        )),
    }
}

fn chapter(id: &str, words: &str) -> Block {
    Block::Heading(2, id.to_owned(), Line::of(words))
}

fn section(id: &str, words: impl Into<Box<str>>) -> Block {
    Block::Heading(3, id.to_owned(), Line::of(words))
}

/// A heading that needs no id.
fn part(words: &str) -> Block {
    Block::Heading(4, String::new(), Line::of(words))
}

/// From when to when, to the minute.
fn period(first: Option<Timestamp>, last: Option<Timestamp>) -> Line {
    match (first.map(minute), last.map(minute)) {
        (Some(first), Some(last)) if first == last => Line::new().time(first).words(" UTC"),
        (Some(first), Some(last)) => Line::new()
            .time(first)
            .words(" to ")
            .time(last)
            .words(" UTC"),
        _ => Line::of("an unknown time"),
    }
}

/// An end: its key id or what it is, then whose it is.
fn end(end: &End) -> Line {
    let line = match end.access_key_id.as_ref().or(end.workload.as_ref()) {
        Some(name) => Line::new()
            .name(name)
            .words(format!(" {}", plain(end.kind))),
        None => Line::of(plain(end.kind)),
    };
    match &end.principal_arn {
        Some(principal) => line.words(" of ").name(principal),
        None => line,
    }
}

/// A name of ours with blanks for its hyphens.
fn plain(name: &str) -> String {
    name.replace('-', " ")
}

/// Techniques with their names and pages.
fn techniques(ids: &[&'static str]) -> Line {
    let mut line = Line::new();
    for (n, id) in ids.iter().enumerate() {
        line = if n > 0 { line.words("; ") } else { line };
        line = match Technique::find(id) {
            Some(known) => line.and(Span::Page(
                format!("{id} {}", known.full_name()),
                known.url(),
            )),
            None => line.words(*id),
        };
    }
    line
}

/// The command that leads on, if its pivot can be pasted.
fn command(document: &Document<'_>, next: &Next) -> Option<String> {
    let pivot = pasted(next.pivot.raw())?;
    let options = &document.about.options;
    Some(format!("unchain {} {pivot}{options}", next.command))
}

/// The words with a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut rest = words.chars();
    let first: String = rest
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let stop = if words.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", rest.as_str())
}

/// Says how many are left out, if any.
fn rest(all: usize, shown: usize, what: &str) -> Option<Block> {
    let more = all.checked_sub(shown).filter(|more| *more > 0)?;
    let words = format!("{} more not shown; {what}.", count(more as u64));
    Some(Block::Paragraph(Line::of(words)))
}
