//! What a report for people says, in which order. Must not know how it is set.

mod credential;
mod finding;
mod incident;
mod lineage;
mod method;
mod scope;

use super::Document;
use super::block::{Block, Line, Span};
use crate::output::words::{count, counted, minute, pasted};
use unchain_core::detect::attack::Technique;
use unchain_core::report::{End, Next};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// The whole report below its title.
pub(super) fn blocks(document: &Document<'_>) -> Vec<Block> {
    let mut blocks = summary(document);
    blocks.extend(incident::incidents(document));
    blocks.extend(finding::findings(document));
    blocks.extend(credential::may_work(document));
    blocks.extend(scope::scope(document));
    blocks.extend(method::method(document));
    blocks
}

/// What stands below the title: of what, when, by what.
pub(super) fn imprint(document: &Document<'_>) -> Line {
    let about = document.about;
    let words = format!(
        "Made {} UTC with unchain {}. Every status is that of {} UTC.",
        minute(about.made_at),
        about.version,
        minute(about.at)
    );
    Line::of(words)
}

fn summary(document: &Document<'_>) -> Vec<Block> {
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
    blocks.extend(incident::overview(document));
    blocks
}

fn figure(number: u64, [one, many]: [&'static str; 2]) -> (String, &'static str) {
    (count(number), if number == 1 { one } else { many })
}

/// The outcome in two sentences that a reader may quote.
fn verdict(document: &Document<'_>) -> Line {
    let found = document.findings;
    let period = period(document.coverage.from, document.coverage.to);
    let Some(worst) = found.worst() else {
        return Line::of(format!(
            "In the logs of {period} no detection found anything that is not expected. That does not show that nothing \
             happened: read the chapters on scope and on method for what such logs cannot show."
        ));
    };
    let about = if found.incidents.is_empty() {
        "no finding is grave enough to be told as an incident".to_owned()
    } else {
        let accounts: std::collections::BTreeSet<&Untrusted> =
            found.incidents.iter().flat_map(|i| &i.accounts).collect();
        format!(
            "{} in {} {} told below",
            counted(found.incidents.len() as u64, "incident"),
            counted(accounts.len() as u64, "account"),
            if found.incidents.len() == 1 {
                "is"
            } else {
                "are"
            },
        )
    };
    let line = Line::of(format!(
        "In the logs of {period} {about}; the worst severity is "
    ))
    .and(Span::Label(worst.name()));
    let may_work: u64 = found.incidents.iter().map(|i| i.may_work).sum();
    if found.incidents.is_empty() {
        return line.words(".");
    }
    if may_work == 0 {
        return line.words(". None of their credentials is known to work any more.");
    }
    line.words(format!(
        ". At {} UTC {} of these incidents may still work.",
        minute(document.about.at),
        counted(may_work, "credential"),
    ))
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
fn period(first: Option<Timestamp>, last: Option<Timestamp>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first == last => format!("{} UTC", minute(first)),
        (Some(first), Some(last)) => format!("{} to {} UTC", minute(first), minute(last)),
        _ => "an unknown time".to_owned(),
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
