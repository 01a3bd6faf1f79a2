//! What all views are built of. Must not know any view.
//!
//! INVARIANT: text of a log enters a page through [`log`], through [`plain`] where there can be no elements, or
//! as a value in an address, and by no other way.

use crate::query::Query;
use maud::{DOCTYPE, Markup, html};
use unchain_core::text::{Untrusted, terminal};
use unchain_core::time::Timestamp;

/// Text of a log longer than this, in characters, is cut; the exports have it whole.
const LONGEST: usize = 300;

/// Text of several lines is cut after so many characters.
const LONG: usize = 40_000;

/// The views in the order of the menu.
const VIEWS: [(&str, &str); 8] = [
    ("/incidents", "Incidents"),
    ("/lineage", "Lineage"),
    ("/timeline", "Time line"),
    ("/tokens", "Tokens"),
    ("/findings", "Findings"),
    ("/principals", "Principals"),
    ("/containment", "Containment"),
    ("/coverage", "Coverage"),
];

/// What every page says besides its own.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// The page's title: words of ours.
    pub(crate) title: &'a str,
    /// The address of the page without its query.
    pub(crate) path: &'a str,
    /// The query.
    pub(crate) query: &'a Query,
    /// The instant that the page speaks of.
    pub(crate) at: Timestamp,
    /// Whether the log warns that something cannot be seen.
    pub(crate) warnings: usize,
    /// Events in the ledger: by this a script knows that the case has grown.
    pub(crate) events: u64,
}

/// A whole page.
pub(crate) fn page(frame: &Frame<'_>, body: &Markup) -> Markup {
    let keep = frame.query.instant();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (frame.title) " · Unchain" }
                link rel="stylesheet" href="/style.css";
                script type="module" src="/script/live.js" {}
            }
            body data-events=(frame.events) {
                a.skip href="#main" { "Skip to the content" }
                header {
                    nav aria-label="Views" {
                        ul {
                            @for (path, name) in VIEWS {
                                li { a href=(keep.link(path)) aria-current=[current(frame.path, path)] { (name) } }
                            }
                        }
                    }
                    (instant(frame))
                }
                div #live role="status" {}
                main #main { h1 { (frame.title) } (body) }
                footer { p { (caution(frame.warnings)) " " a href=(keep.link("/coverage")) { "Coverage" } } }
            }
        }
    }
}

fn current(here: &str, path: &str) -> Option<&'static str> {
    let below = here.strip_prefix(path);
    below
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .map(|_| "page")
}

/// The form for the instant. It keeps what else the view shows, but the page of a list.
fn instant(frame: &Frame<'_>) -> Markup {
    let kept = frame.query.but(&["at", "page"]);
    // What cannot be written as it is into a field is left out.
    let kept = kept.filter(|(_, value)| terminal(value) == *value);
    html! {
        form.instant action=(frame.path) method="get" {
            @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
            label for="at" { "Status at (UTC)" }
            input #at name="at" value=(frame.at) size="21" autocomplete="off" spellcheck="false";
            button { "Show" }
        }
    }
}

fn caution(warnings: usize) -> Markup {
    html! {
        @if warnings == 0 { "What the log does not hold cannot be seen here." }
        @else { "The log has gaps: " (counted(warnings, "warning")) "." }
    }
}

/// Text of a log: controls made visible, cut if very long, and apart from the direction of what surrounds it.
pub(crate) fn log(text: &Untrusted) -> Markup {
    outside(text.raw())
}

/// The same for text of which one is not sure.
pub(crate) fn outside(text: &str) -> Markup {
    html! { bdi { (defused(text)) } }
}

/// Text of a log where there can be no elements: in an attribute, and alone in a text of a drawing.
pub(crate) fn plain(text: &Untrusted) -> String {
    defused(text.raw())
}

fn defused(text: &str) -> String {
    let mut rest = text.char_indices().skip(LONGEST);
    match rest.next() {
        Some((end, _)) => terminal(text.get(..end).unwrap_or_default()).into_owned() + "…",
        None => terminal(text).into_owned(),
    }
}

/// Text of several lines of which one is not sure: its lines stay, all else is as in [`outside`].
pub(crate) fn lines(text: &str) -> Markup {
    let kept: String = text.chars().take(LONG).collect();
    let cut = kept.len() < text.len();
    html! {
        pre tabindex="0" {
            @for line in kept.lines() { (terminal(line)) "\n" }
            @if cut { "…" }
        }
    }
}

/// Text of a log that may not be there.
pub(crate) fn maybe(text: Option<&Untrusted>) -> Markup {
    html! { @if let Some(text) = text { (log(text)) } @else { (nothing()) } }
}

/// Where there is nothing to say.
pub(crate) fn nothing() -> Markup {
    html! { span.nothing { "–" } }
}

/// An instant, UTC.
pub(crate) fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (moment(at)) } }
}

/// `2026-03-02 09:20:00` of an instant, UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_string().replace('T', " ").replace('Z', "")
}

/// An instant that may not be known.
pub(crate) fn maybe_time(at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { (time(at)) } @else { (nothing()) } }
}

/// A word of ours that has a colour; the word says it, the colour only repeats it.
pub(crate) fn word(name: &str) -> Markup {
    html! { span.word data-word=(name) { (name.replace('-', " ")) } }
}

/// `1 use`, `2 uses`.
pub(crate) fn counted(number: usize, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {one}{s}")
}

/// `1 step`, or that only so many of them are shown.
pub(crate) fn first(shown: usize, number: usize, one: &str) -> String {
    if number <= shown {
        return counted(number, one);
    }
    format!("the first {shown} of {}", counted(number, one))
}

/// A table that scrolls by itself where it is wider than the page.
pub(crate) fn table(caption: &str, head: &Markup, rows: &Markup) -> Markup {
    html! {
        div.scroll role="group" aria-label=(caption) tabindex="0" {
            table { caption { (caption) } thead { tr { (head) } } tbody { (rows) } }
        }
    }
}

/// The heading of a column.
pub(crate) fn column(name: &str) -> Markup {
    html! { th scope="col" { (name) } }
}

/// A choice among names; nothing chosen means all.
pub(crate) fn select(query: &Query, (id, label): (&str, &str), names: &[&str]) -> Markup {
    let chosen = query.get(id);
    html! {
        label for=(id) { (label) }
        select id=(id) name=(id) {
            option value="" { "all" }
            @for name in names {
                option value=(name) selected[chosen == Some(*name)] { (name.replace('-', " ")) }
            }
        }
    }
}

/// Links to the other pages of a list.
pub(crate) fn pager(query: &Query, path: &str, (page, pages): (usize, usize)) -> Markup {
    let link = |page: usize| query.with("page", &page.to_string()).link(path);
    html! {
        @if pages > 1 {
            nav.pager aria-label="Pages" {
                @if page > 1 { a href=(link(page - 1)) rel="prev" { "Previous" } }
                span { "Page " (page) " of " (pages) }
                @if page < pages { a href=(link(page + 1)) rel="next" { "Next" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_text_is_only_text() {
        let hostile = Untrusted::new("</bdi><script>\"'&\u{202e}\u{1b}[2J");
        let shown = log(&hostile).into_string();
        assert_eq!(
            shown,
            "<bdi>&lt;/bdi&gt;&lt;script&gt;&quot;'&amp;\\u{202e}\\u{1b}[2J</bdi>"
        );
    }

    #[test]
    fn very_long_text_is_cut_between_characters() {
        let shown = log(&Untrusted::new("é".repeat(100_000))).into_string();
        assert_eq!(shown.chars().filter(|&c| c == 'é').count(), LONGEST);
        assert!(shown.ends_with("…</bdi>"));
    }
}
