//! What the time line shows, and that it stays within its bounds.

use crate::common::{Site, on, story};
use crate::html::Page;
use crate::inspect::inspected;
use serde_json::Value;
use unchain_trail::Trail;

fn page(site: &Site, query: &str) -> Page {
    let said = site.get(&format!("/timeline{query}"));
    assert_eq!(said.status.as_u16(), 200, "{query}: {}", said.body);
    inspected(&said.body)
}

/// A key that takes a role very often.
fn fan(sessions: usize) -> Vec<Value> {
    const AT_ONCE: usize = 2000;
    let mut text = "day 2026-03-02\naccount 111122223333 as shop\nuser alice in shop key A\nrole web in shop\n".to_owned();
    for n in 0..sessions / AT_ONCE {
        text += &format!(
            "00:{n:02}:01 alice A AssumeRole web as job -> S{n} every 60s times {AT_ONCE}\n"
        );
    }
    Trail::parse(&text).unwrap().records()
}

/// The part of a page from one text to another.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let rest = text.split_once(from).unwrap().1;
    rest.split_once(to).unwrap().0
}

/// A place of SVG: whole percent and hundredths.
fn place(text: &str) -> f64 {
    text.strip_suffix('%').unwrap().parse().unwrap()
}

/// Everything that is drawn stands within the width.
fn check_places(page: &Page) {
    let mut drawn = 0;
    for (name, attributes) in &page.tags {
        let at = |name: &str| attributes.get(name).filter(|text| text.ends_with('%'));
        for name in ["x", "x1", "x2"] {
            if let Some(text) = at(name) {
                drawn += 1;
                assert!((0.0..=100.0).contains(&place(text)), "{attributes:?}");
            }
        }
        if name == "rect"
            && let Some((x, width)) = at("x").zip(at("width"))
        {
            // The shortest bar is still seen.
            assert!(
                place(x) + place(width) <= 100.2 && place(width) > 0.0,
                "{attributes:?}"
            );
        }
    }
    assert!(drawn > 0);
}

#[test]
fn the_time_line_of_the_story() {
    on(&story().records(), |site| {
        let body = site.get("/timeline").body;
        check_places(&inspected(&body));
        let lanes = between(&body, "<div class=\"timeline\"", "<details>");
        let lines = lanes.replace("<li", "\n<li").replace("<svg", "\n  <svg");
        insta::assert_snapshot!(
            lines
                .replace("<rect", "\n    <rect")
                .replace("<text", "\n    <text")
        );
    });
}

#[test]
fn a_bar_tells_that_a_token_outlives_the_key_that_made_it() {
    let story = story();
    let status = |site: &Site, key: &str, at: &str| {
        let body = site.get(&format!("/timeline?at={at}&q={key}")).body;
        let lanes = body.split("<li class=\"lane\" data-status=\"").skip(1);
        let mut lanes = lanes.filter(|lane| between(lane, "<bdi>", "</bdi>") == key);
        lanes.next().unwrap().split('"').next().unwrap().to_owned()
    };
    let (a, b) = (story.key("A").unwrap(), story.key("B").unwrap());
    on(&story.records(), |site| {
        assert_eq!(status(site, a, "2026-03-02T11:04:59Z"), "alive");
        assert_eq!(status(site, a, "2026-03-02T11:05:00Z"), "revoked");
        assert_eq!(status(site, b, "2026-03-02T11:05:00Z"), "alive");
        assert_eq!(status(site, b, "2026-03-02T09:19:59Z"), "not-yet-issued");
        assert_eq!(status(site, b, "2026-03-03T21:20:00Z"), "expired");
    });
}

#[test]
fn what_a_script_is_told_is_what_the_server_says() {
    on(&story().records(), |site| {
        for at in [
            "2026-03-02T09:25:00Z",
            "2026-03-02T11:10:00Z",
            "2026-03-02T11:41:00Z",
            "2026-03-04T00:00:00Z",
        ] {
            let page = page(site, &format!("?at={at}"));
            let at: i64 = page.values("div", "data-at")[0].parse().unwrap();
            let (said, states) = (
                page.values("li", "data-status"),
                page.values("li", "data-states"),
            );
            assert_eq!(said.len(), states.len());
            for (said, states) in said.iter().zip(states) {
                let states = states
                    .split(' ')
                    .map(|state| state.split_once(':').unwrap());
                let held = states
                    .rev()
                    .find(|(from, _)| from.parse::<i64>().unwrap() <= at);
                assert_eq!(held.unwrap().1, *said);
            }
        }
    });
}

#[test]
fn the_steps_lead_through_the_story_and_back() {
    let rel = |page: &Page, wanted: &str| {
        let links = page.tags.iter().filter(|(name, _)| name == "a");
        let mut links =
            links.filter(|(_, attributes)| attributes.get("rel").is_some_and(|rel| rel == wanted));
        links
            .next()
            .map(|(_, attributes)| attributes["href"].clone())
    };
    on(&story().records(), |site| {
        let mut at = "/timeline?at=2026-03-02T00:00:00Z".to_owned();
        let mut seen = Vec::new();
        while let Some(next) = rel(&inspected(&site.get(&at).body), "next") {
            at = next;
            seen.push(at.clone());
            assert!(seen.len() < 500, "it ends");
        }
        assert!(seen.len() > 20, "{seen:?}");
        let times: Vec<&str> = seen.iter().map(|link| between(link, "at=", "Z")).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        let back = rel(&inspected(&site.get(&at).body), "prev").unwrap();
        assert_eq!(between(&back, "at=", "Z"), times[times.len() - 2]);
    });
}

#[test]
fn a_lineage_a_pivot_and_an_incident() {
    let story = story();
    on(&story.records(), |site| {
        let whole = page(site, "").values("li", "data-status").len();
        let d = page(site, &format!("?q={}", story.key("D").unwrap()));
        let shown = d.values("li", "data-status").len();
        assert!(shown > 2 && shown < whole / 2, "{shown} of {whole}");
        assert!(
            d.text.contains(story.key("A").unwrap())
                && d.text.contains(story.key("SPARE").unwrap())
        );
        assert!(
            !d.text.contains(story.key("C").unwrap()),
            "C came of B, not of D"
        );
        let nothing = page(site, "?q=nobody");
        assert!(nothing.text.contains("0 lines"));
        let incidents = inspected(&site.get("/incidents").body);
        let links = incidents.values("a", "href");
        let id = links
            .iter()
            .find_map(|link| link.strip_prefix("/incidents/"))
            .unwrap();
        let one = page(site, &format!("?incident={id}"));
        assert!(one.text.contains(story.key("C").unwrap()));
        assert!(!one.text.contains(story.key("BUILD").unwrap()));
        let node = d.values("a", "href");
        let name = node
            .iter()
            .find_map(|link| link.strip_prefix("/nodes/"))
            .unwrap();
        assert!(
            page(site, &format!("?of={name}"))
                .values("li", "data-status")
                .len()
                > 2
        );
        for gone in ["?of=000000000000", "?incident=i-0"] {
            assert_eq!(site.get(&format!("/timeline{gone}")).status.as_u16(), 404);
        }
    });
}

#[test]
fn any_instant_and_any_window() {
    let instants = [
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-03-02T09:20:00Z",
        "2026-03-02T09:20:01Z",
        "9999-12-31T23:59:59Z",
    ];
    on(&story().records(), |site| {
        for at in instants {
            check_places(&page(site, &format!("?at={at}")));
            for (from, to) in instants
                .iter()
                .flat_map(|from| instants.map(|to| (from, to)))
            {
                check_places(&page(site, &format!("?at={at}&from={from}&to={to}")));
            }
        }
        // What cannot be read is as if it were not there.
        assert_eq!(
            page(site, "?from=yesterday&to=9").values("div", "data-from"),
            page(site, "").values("div", "data-from")
        );
    });
}

#[test]
fn a_case_without_credentials_says_so() {
    on(&[], |site| {
        assert!(
            page(site, "")
                .text
                .contains("The log shows no credential here")
        );
    });
}

#[test]
fn very_many_sessions_are_one_line_until_somebody_asks() {
    const SESSIONS: usize = 20_000;
    on(&fan(SESSIONS), |site| {
        let said = site.get("/timeline");
        assert!(said.body.len() < 60_000, "{} bytes", said.body.len());
        let shut = inspected(&said.body);
        assert_eq!(shut.values("li", "class"), ["lane", "lane many"]);
        assert!(shut.text.contains("20000 temporary credentials"));
        let links = shut.values("a", "href");
        let open = links
            .iter()
            .find(|link| link.starts_with("/timeline?open="))
            .unwrap();
        let said = site.get(open);
        assert!(said.body.len() < 500_000, "{} bytes", said.body.len());
        let opened = inspected(&said.body);
        assert_eq!(opened.values("li", "data-status").len(), 199);
        assert!(opened.text.contains("Page 1 of 101"));
        assert!(
            opened.values("a", "href").contains(&"/timeline"),
            "it can be shut again"
        );
        check_places(&opened);
        let last = inspected(&site.get(&format!("{open}&page=101")).body);
        assert_eq!(
            last.values("li", "data-status").len(),
            SESSIONS + 2 - 100 * 200
        );
    });
}
