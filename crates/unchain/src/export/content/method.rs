//! How to check a report: what its words mean, and how to get it again.

use super::{chapter, part};
use crate::export::Document;
use crate::export::block::{Block, Line, Span};
use unchain_core::text::Untrusted;

const BASIS: [(&str, &str); 3] = [
    ("recorded", "one record of the log names both credentials."),
    (
        "matched",
        "two records agree on the principal and on the instant of creation.",
    ),
    (
        "inferred",
        "a documented rule of AWS connects them and nothing better; other explanations are possible.",
    ),
];

const STATUS: [(&str, &str); 5] = [
    (
        "alive",
        "its time is not over, and nothing in the log ends it.",
    ),
    (
        "unknown",
        "the log does not show enough to say; treat it as alive.",
    ),
    (
        "revoked",
        "a record shows that it was ended: a deactivated key, a policy that denies older sessions, a deleted principal.",
    ),
    ("expired", "its time is over."),
    (
        "not yet issued",
        "it was issued after the instant asked for.",
    ),
];

const EXPIRY: &str = "An expiry is recorded where the issuing record names it. Otherwise it is the longest time that AWS \
    documents for this kind of credential, and marked “at most”.";

pub(super) fn method(document: &Document<'_>) -> Vec<Block> {
    let options = &document.about.options;
    vec![
        chapter("method", "Method, and how to check this report"),
        Block::Paragraph(how()),
        part("On what a step of the lineage rests"),
        meanings(&BASIS),
        part("What a status means"),
        meanings(&STATUS),
        Block::Paragraph(Line::of(EXPIRY)),
        part("Confidence"),
        Block::Paragraph(Line::of(
            "Severity says how bad a finding is if it is true; confidence says how sure it is that it is true. A finding \
             is a reason to look, not a proof of intent or of who acted.",
        )),
        part("To get it again"),
        Block::Commands(vec![format!(
            "unchain report --format markdown --at {}{options}",
            document.about.at
        )]),
        Block::Paragraph(Line::of(
            "Session tokens are logged in clear by AWS; this report holds none. Times are UTC. Technique numbers are \
             those of MITRE ATT&CK, version 16.1.",
        )),
    ]
}

fn how() -> Line {
    Line::of(
        "CloudTrail records the issue of a temporary credential and its use in different records, and a use does not \
         name the credential that it came from. The lineage is rebuilt by joining these records. Each step and each \
         finding names the records it rests on by their event id (",
    )
    .name(&Untrusted::new("eventID"))
    .words(
        "), so that any of them can be looked up in the log files, in CloudTrail’s event history, or with the command ",
    )
    .name(&Untrusted::new("unchain events"))
    .words(".")
}

fn meanings(of: &[(&str, &str)]) -> Block {
    let line = |(word, means): &(&str, &str)| {
        Line::new()
            .and(Span::Strong(Untrusted::new(*word)))
            .words(format!(": {means}"))
    };
    Block::List(of.iter().map(line).collect())
}
