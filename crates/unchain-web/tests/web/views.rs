//! What the views say of the seed story.

use crate::common::{Site, on, story};
use crate::inspect::inspected;

/// The lines of the inventory that a query keeps.
fn tokens(site: &Site, query: &str) -> Vec<serde_json::Value> {
    let said = site.get(&format!("/tokens.jsonl{query}"));
    assert_eq!(
        said.headers["content-disposition"],
        "attachment; filename=\"tokens.jsonl\""
    );
    said.body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_inventory_of_the_story() {
    on(&story().records(), |site| {
        let body = site.get("/tokens").body;
        insta::assert_snapshot!(body.replace("<tr>", "\n<tr>").replace("<td", "\n  <td"));
    });
}

#[test]
fn a_token_outlives_the_key_that_made_it() {
    let story = story();
    let (a, b) = (story.key("A").unwrap(), story.key("B").unwrap());
    on(&story.records(), |site| {
        let status = |key: &str, at: &str| {
            let found = tokens(site, &format!("?q={key}&at={at}"));
            let found = found.iter().find(|token| token["access_key_id"] == key);
            found.unwrap()["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(status(a, ""), "revoked");
        assert_eq!(status(b, ""), "alive");
        assert_eq!(status(b, "2026-03-09T00:00:00Z"), "expired");
    });
}

#[test]
fn filters_and_order() {
    on(&story().records(), |site| {
        let all = tokens(site, "");
        let alive = tokens(site, "?status=alive");
        assert!(!alive.is_empty() && alive.len() < all.len());
        assert!(alive.iter().all(|token| token["status"] == "alive"));
        let keys = tokens(site, "?kind=long-term-key");
        assert!(!keys.is_empty() && keys.iter().all(|token| token["kind"] == "long-term-key"));
        assert_eq!(
            tokens(site, "?q=no+such+text"),
            Vec::<serde_json::Value>::new()
        );
        let uses = |query: &str| -> Vec<u64> {
            tokens(site, query)
                .iter()
                .map(|token| token["uses"].as_u64().unwrap())
                .collect()
        };
        assert!(
            uses("?sort=uses").is_sorted()
                && uses("?sort=uses&order=desc").is_sorted_by(|a, b| a >= b)
        );
        let page = inspected(&site.get("/tokens?sort=uses&order=desc").body);
        assert_eq!(page.values("th", "aria-sort"), ["descending"]);
    });
}

#[test]
fn the_spreadsheet_has_what_is_shown() {
    on(&story().records(), |site| {
        let csv = site.get("/tokens.csv?status=alive").body;
        let (head, rows) = csv.split_once("\r\n").unwrap();
        assert_eq!(head, unchain_core::report::Token::COLUMNS.join(","));
        assert_eq!(rows.lines().count(), tokens(site, "?status=alive").len());
        assert!(rows.lines().all(|row| row.contains(",alive,")), "{rows}");
    });
}

#[test]
fn what_is_not_there_is_said() {
    on(&[], |site| {
        for (view, words) in [
            ("/incidents", "Nothing in this case"),
            ("/findings", "0 findings"),
            ("/lineage", "The log shows no credential."),
            ("/lineage?q=nobody", "Nothing here is called nobody."),
            ("/tokens", "0 credentials"),
            ("/principals", "0 principals"),
            ("/coverage", "The log has no events"),
        ] {
            let page = inspected(&site.get(view).body);
            assert!(page.text.contains(words), "{view}: {}", page.text);
        }
        assert_eq!(site.get("/nodes/000000000000").status.as_u16(), 404);
    });
}

/// The addresses behind the numbers of a page's rows, with the numbers.
fn numbers(body: &str) -> Vec<(String, usize)> {
    let cells = body.split("<td class=\"number\"><a href=\"").skip(1);
    let cells = cells.filter_map(|cell| {
        let (link, rest) = cell.split_once("\">")?;
        let number = rest.split('<').next()?.parse().ok()?;
        Some((link.replace("&amp;", "&"), number))
    });
    cells.collect()
}

#[test]
fn a_number_leads_to_as_many_credentials() {
    on(&story().records(), |site| {
        for view in ["/incidents", "/principals"] {
            let numbers = numbers(&site.get(view).body);
            let counts = numbers.iter().filter(|(link, _)| !link.contains("sort="));
            let mut seen = 0;
            for (link, number) in counts {
                let rows = tokens(site, link.strip_prefix("/tokens").unwrap());
                assert_eq!(rows.len(), *number, "{link}");
                assert!(
                    inspected(&site.get(link).body).text.contains("All"),
                    "it can be left"
                );
                seen += 1;
            }
            assert!(seen > 1, "{numbers:?}");
        }
        assert_eq!(
            tokens(site, "?incident=i-0"),
            Vec::<serde_json::Value>::new()
        );
    });
}

#[test]
fn an_incident_says_when_its_credentials_were_last_used() {
    on(&story().records(), |site| {
        let page = inspected(&site.get("/incidents").body);
        let id = page
            .values("a", "href")
            .into_iter()
            .find_map(|link| link.strip_prefix("/incidents/"));
        let of = tokens(
            site,
            &format!("?incident={}&sort=used&order=desc", id.unwrap()),
        );
        let last = of[0]["last_used"].as_str().unwrap();
        assert!(page.values("time", "datetime").contains(&last), "{last}");
    });
}
