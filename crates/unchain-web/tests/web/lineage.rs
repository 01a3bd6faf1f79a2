//! What the drawing of a lineage shows, and where it leads.

use crate::common::{NOON, Site, on, story};
use crate::html::Page;
use crate::inspect::inspected;
use std::collections::BTreeSet;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::plain;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;
use unchain_trail::Trail;

fn page(site: &Site, path: &str) -> Page {
    let said = site.get(path);
    assert_eq!(said.status.as_u16(), 200, "{path}");
    inspected(&said.body)
}

/// The cards of a page: what they say to who does not see them, and where they lead.
fn cards(page: &Page) -> Vec<(&str, &str)> {
    let cards = page.tags.iter().filter(|(name, _)| name == "a");
    let of_svg = cards.filter(|(_, attributes)| attributes.contains_key("transform"));
    of_svg
        .map(|(_, attributes)| (&*attributes["aria-label"], &*attributes["href"]))
        .collect()
}

/// The one card that says all of these.
fn card<'p>(page: &'p Page, words: &[&str]) -> (&'p str, &'p str) {
    let mut found = cards(page);
    found.retain(|(spoken, _)| words.iter().all(|word| spoken.contains(word)));
    assert_eq!(
        found.len(),
        1,
        "{words:?}: {found:#?} of {:#?}",
        cards(page)
    );
    found[0]
}

/// Sessions of one role that a service took, in thousands, and one that made something.
fn fleet(thousands: usize) -> Vec<serde_json::Value> {
    let mut story = "day 2026-03-01\naccount 111122223333 as shop\nrole web in shop max 12h\nrole admin in shop\n\
                     23:00 ec2.amazonaws.com AssumeRole web as instance:web-1 -> BAD\n\
                     23:01 BAD AssumeRole admin as up -> ADMIN\n23:02 ADMIN ListUsers\n"
        .to_owned();
    for n in 0..thousands {
        let line = "ec2.amazonaws.com AssumeRole web as instance:web-1 ->";
        story.push_str(&format!(
            "{:02}:00 {line} WEB{n} every 3s times 1000\n",
            2 + n
        ));
    }
    Trail::parse(&story).unwrap().records()
}

#[test]
fn the_drawing_of_the_story() {
    let story = story();
    on(&story.records(), |site| {
        let body = site
            .get(&format!("/lineage?q={}", story.key("A").unwrap()))
            .body;
        let start = body.find("<div class=\"canvas\"").unwrap();
        let end = body.find("<ul class=\"legend\"").unwrap();
        insta::assert_snapshot!(
            body.get(start..end)
                .unwrap()
                .replace('<', "\n<")
                .replace("\n</", "</")
        );
    });
}

#[test]
fn on_paper_it_leads_nowhere_and_has_its_legend() {
    let mut ledger = Ledger::default();
    for record in story().records() {
        ledger.apply(&plain(&record).unwrap());
    }
    ledger.settle();
    let lineage = Lineage::build(&ledger);
    let report = Report::new(&lineage, Timestamp::parse(NOON).unwrap());
    let key = story().key("B").unwrap().to_owned();
    let node = lineage.find(&key)[0].node;
    let svg = unchain_web::drawing(&report, node, 100);
    assert!(svg.starts_with("<svg class=\"drawing\"") && svg.contains(&key));
    assert!(svg.contains("inferred: circumstances fit"));
    assert!(svg.contains("Status at 2026-03-02T12:05:00Z, times of 2026-03-02, UTC"));
    for link in ["href", " id=", "style", "url(", "<a"] {
        assert!(!svg.contains(link), "{link}");
    }
    assert_eq!(
        svg,
        unchain_web::drawing(&report, node, 100),
        "the same every time"
    );
}

#[test]
fn each_instant_has_its_own_words() {
    let story = story();
    let (a, b) = (story.key("A").unwrap(), story.key("B").unwrap());
    on(&story.records(), |site| {
        let status = |key: &str, at: &str| {
            let page = page(site, &format!("/lineage?q={a}&at={at}"));
            let (spoken, link) = card(&page, &[&format!(", {key},")]);
            assert!(
                link.starts_with("/nodes/") && link.contains("at=2026"),
                "{link}"
            );
            spoken.split(", ").nth(1).unwrap().to_owned()
        };
        assert_eq!(status(a, "2026-03-02T11:00:00Z"), "alive");
        assert_eq!(status(a, NOON), "revoked");
        assert_eq!(status(b, "2026-03-02T09:00:00Z"), "not yet");
        assert_eq!(status(b, NOON), "alive");
        assert_eq!(status(b, "2026-03-09T00:00:00Z"), "expired");
    });
}

#[test]
fn what_a_credential_made_and_what_crosses_accounts_is_drawn() {
    let story = story();
    on(&story.records(), |site| {
        let page = page(site, &format!("/lineage?q={}", story.key("A").unwrap()));
        card(
            &page,
            &[
                "user, ",
                "svc-backup",
                "by CreateUser at 2026-03-02 12:02:00 UTC, recorded",
            ],
        );
        card(
            &page,
            &["login profile", "svc-backup", "by CreateLoginProfile"],
        );
        card(&page, &["backup-reader/report", "cross-account"]);
        // Two calls made the device: one line says so.
        card(
            &page,
            &[
                "mfa device",
                "alice-2",
                "by CreateVirtualMFADevice and 1 more call",
            ],
        );
        assert!(page.text.contains("all drawn"), "{}", page.text);
        assert!(page.values("script", "src").contains(&"/script/lineage.js"));
        let list = page.tags.iter().filter(|(name, _)| name == "li").count();
        assert!(list >= cards(&page).len(), "the list has every card");
    });
}

#[test]
fn a_pivot_leads_to_a_drawing_to_a_choice_or_to_nothing() {
    let story = story();
    on(&story.records(), |site| {
        let choice = page(site, "/lineage?q=deploy");
        assert!(cards(&choice).is_empty() && choice.text.contains("Choose one"));
        let links = choice.values("a", "href");
        let links: Vec<_> = links
            .into_iter()
            .filter(|link| link.starts_with("/lineage?of="))
            .collect();
        assert!(links.len() > 1);
        for link in links {
            card(
                &page(site, link),
                &[link
                    .strip_prefix("/lineage?of=")
                    .map_or("", |_| "deploy/release")],
            );
        }
        let none = page(site, "/lineage?q=%3Cb%3E");
        assert!(
            none.text.contains("Nothing here is called <b>."),
            "{}",
            none.text
        );
        assert_eq!(site.get("/lineage?of=000000000000").status.as_u16(), 404);
    });
}

#[test]
fn without_a_question_the_worst_incident_is_drawn_and_every_root_is_named() {
    on(&story().records(), |site| {
        let page = page(site, "/lineage");
        card(&page, &["long term key", story().key("A").unwrap()]);
        assert!(page.text.contains("Incidents") && page.text.contains("roots"));
    });
}

#[test]
fn thousands_alike_are_one_card() {
    on(&fleet(5), |site| {
        let first = page(site, "/lineage?at=2026-03-01T04:00:00Z");
        assert_eq!(cards(&first).len(), 4, "{:#?}", cards(&first));
        let (spoken, link) = card(&first, &["5000 temporary credentials"]);
        assert!(
            spoken.contains("show them") && spoken.contains(" alive, "),
            "{spoken}"
        );
        // Who made something stands by itself.
        card(&first, &["temporary credential, ", "web/i-", "23:00:00"]);
        card(
            &first,
            &["admin/up", "by AssumeRole at 2026-03-01 23:01:00"],
        );
        let open = page(site, link);
        assert_eq!(cards(&open).len(), 105);
        card(&open, &["4900 further"]);
    });
}

#[test]
fn what_is_alike_opens_in_slices_and_folds_again() {
    on(&fleet(1), |site| {
        let mut path = card(&page(site, "/lineage"), &["1000 temporary", "show them"])
            .1
            .to_owned();
        let mut seen = BTreeSet::new();
        for slice in 0..10 {
            let slice_page = page(site, &path);
            let is_member =
                |spoken: &str| spoken.contains("web/i-") && !spoken.contains("23:00:00");
            let shown = cards(&slice_page);
            let members: Vec<_> = shown
                .iter()
                .filter(|(spoken, _)| is_member(spoken))
                .collect();
            assert_eq!(members.len(), 100, "slice {slice}");
            seen.extend(members.iter().map(|(_, link)| (*link).to_owned()));
            if slice > 0 {
                card(&slice_page, &[&format!("{} earlier", slice * 100)]);
            }
            if slice < 9 {
                let further = format!("{} further", 900 - slice * 100);
                path = card(&slice_page, &[&further]).1.to_owned();
            }
        }
        assert_eq!(seen.len(), 1_000, "each stands in one slice");
        let last = page(site, &path);
        assert!(
            cards(&last)
                .iter()
                .all(|(spoken, _)| !spoken.contains("further"))
        );
        let folded = card(&last, &["1000 temporary", "fold them"]).1.to_owned();
        assert_eq!(cards(&page(site, &folded)).len(), 4);
    });
}

#[test]
fn a_long_chain_is_bounded_and_can_be_walked() {
    let mut story =
        "day 2026-03-01\naccount 111122223333 as shop\nuser eve in shop key K0\nrole r in shop\n"
            .to_owned();
    for n in 0..600 {
        let (hour, minute, second) = (n / 3600, n / 60 % 60, n % 60);
        story.push_str(&format!(
            "{hour:02}:{minute:02}:{second:02} K{n} AssumeRole r as s{n} -> K{}\n",
            n + 1
        ));
    }
    let trail = Trail::parse(&story).unwrap();
    on(&trail.records(), |site| {
        let from_root = page(site, &format!("/lineage?q={}", trail.key("K0").unwrap()));
        assert!(cards(&from_root).len() <= 400);
        let (_, beyond) = card(&from_root, &["What came of it"]);
        let next = page(site, beyond);
        card(&next, &[trail.key("K600").unwrap()]);
        let (_, between) = card(&next, &["generations", "between"]);
        assert!(!cards(&page(site, between)).is_empty());
        assert!(
            cards(&next)
                .iter()
                .any(|(spoken, _)| spoken.contains(trail.key("K0").unwrap())),
            "the root is drawn"
        );
    });
}

#[test]
fn credentials_that_made_each_other_are_drawn_once() {
    let story = "day 2026-03-01\naccount 111122223333 as shop\nuser eve in shop key A\nrole r in shop\n\
                 09:00 A AssumeRole r as one -> B\n09:01 B AssumeRole r as two -> C\n09:02 C AssumeRole r as three -> D\n";
    let trail = Trail::parse(story).unwrap();
    let (a, d) = (trail.key("A").unwrap(), trail.key("D").unwrap());
    // The last of the chain gets the key id of the first: they made each other.
    let records: Vec<serde_json::Value> = trail
        .records()
        .iter()
        .map(|record| serde_json::from_str(&record.to_string().replace(d, a)).unwrap())
        .collect();
    on(&records, |site| {
        for key in ["A", "B", "C"] {
            let path = format!("/lineage?q={}", trail.key(key).unwrap());
            let page = page(site, &path);
            let links: Vec<_> = cards(&page).into_iter().map(|(_, link)| link).collect();
            let once: BTreeSet<_> = links.iter().collect();
            assert_eq!(links.len(), once.len(), "{path}");
        }
    });
}
