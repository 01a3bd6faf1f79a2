//! Forms about plans: only those of this page, approved, begin anything.

use crate::common::{ADDRESS, Site, story};
use crate::inspect::inspected;
use crate::program::{FORM, ORIGIN, at_work};
use unchain_web::{Errand, Order};

#[test]
fn nothing_is_carried_out_where_it_was_not_allowed() {
    at_work(&story().records(), false, |site, program| {
        let path = site.plan();
        let page = site.get(&path).body;
        assert!(inspected(&page).text.contains("--allow-apply"));
        let (token, cookie) = (
            site.token("/containment/new", "/containment/new"),
            site.cookie(),
        );
        let headers = [("host", ADDRESS), ("cookie", &*cookie), ORIGIN, FORM];
        let digest = program.plans.lock().unwrap()[0].digest.clone();
        for what in ["apply", "undo", "look"] {
            let address = format!("{path}/{what}");
            assert!(!page.contains(&format!("action=\"{address}\"")));
            let body = format!("token={token}&approval={digest}");
            let said = site.send("POST", (&address, &body), &headers);
            assert_eq!(said.status.as_u16(), 404, "{what}");
        }
        assert!(program.orders.lock().unwrap().is_empty());
    });
}

#[test]
fn only_an_approved_form_of_this_page_begins_anything() {
    at_work(&story().records(), true, |site, program| {
        let path = site.plan();
        let digest = program.plans.lock().unwrap()[0].digest.clone();
        let apply = format!("{path}/apply");
        assert!(
            !site.get(&path).body.contains(&format!("value=\"{digest}")),
            "never filled in"
        );
        let said = site.post((&path, &apply), "approval=wrong");
        assert_eq!(said.status.as_u16(), 409);
        assert!(inspected(&said.body).text.contains("is not the digest"));
        assert!(program.orders.lock().unwrap().is_empty());
        let said = site.post((&path, &apply), &format!("approval={digest}"));
        assert_eq!(
            (
                said.status.as_u16(),
                said.headers["location"].to_str().unwrap()
            ),
            (303, &*path)
        );
        let order = Order {
            errand: Errand::Apply,
            digest: digest.clone(),
            approval: digest,
        };
        assert_eq!(*program.orders.lock().unwrap(), [order]);
    });
}

/// Sends the form that carries a plan out, with these headers; the status of the answer.
struct Sender<'s> {
    site: &'s Site,
    address: String,
    token: String,
    cookie: String,
}

impl<'s> Sender<'s> {
    fn new(site: &'s Site) -> Self {
        let path = site.plan();
        let address = format!("{path}/apply");
        Self {
            token: site.token(&path, &address),
            cookie: site.cookie(),
            address,
            site,
        }
    }

    fn ours(&self) -> [(&str, &str); 4] {
        [("host", ADDRESS), ("cookie", &*self.cookie), ORIGIN, FORM]
    }

    /// Our headers but for one, and another in its place.
    fn instead<'h>(&'h self, left_out: &str, other: Option<&'h str>) -> Vec<(&'h str, &'h str)> {
        let kept = self.ours().into_iter();
        let name = |known: &str| {
            ["host", "origin", "content-type"]
                .into_iter()
                .find(|name| *name == known)
        };
        kept.filter(|(known, _)| *known != left_out)
            .chain(other.and_then(|value| Some((name(left_out)?, value))))
            .collect()
    }

    fn status(&self, token: &str, headers: &[(&str, &str)]) -> u16 {
        let body = format!("token={token}&approval=x");
        let said = self.site.send("POST", (&self.address, &body), headers);
        said.status.as_u16()
    }
}

#[test]
fn forms_that_are_not_of_this_page_are_refused() {
    at_work(&story().records(), true, |site, program| {
        let form = Sender::new(site);
        let token = form.token.clone();
        let path = form.address.strip_suffix("/apply").unwrap();
        let other = site.token(path, &format!("{path}/look"));
        for wrong in ["", "0", &other, token.get(1..).unwrap()] {
            assert_eq!(form.status(wrong, &form.ours()), 403, "the token {wrong}");
        }
        for left_out in ["cookie", "origin", "content-type"] {
            let headers = form.instead(left_out, None);
            assert_eq!(form.status(&token, &headers), 403, "without {left_out}");
        }
        assert_eq!(form.status(&token, &form.instead("host", None)), 421);
        for origin in [
            "null",
            "http://evil.example",
            "http://127.0.0.1:9",
            "https://127.0.0.1:8080",
            "",
        ] {
            let headers = form.instead("origin", Some(origin));
            assert_eq!(form.status(&token, &headers), 403, "{origin}");
        }
        assert_eq!(
            form.status(&token, &form.instead("host", Some("rebound.example"))),
            421
        );
        assert_eq!(
            form.status(&token, &form.instead("content-type", Some("text/plain"))),
            403
        );
        for more in [("sec-fetch-site", "cross-site"), ORIGIN] {
            let headers = [&form.ours()[..], &[more]].concat();
            assert_eq!(form.status(&token, &headers), 403, "{more:?}");
        }
        assert!(program.orders.lock().unwrap().is_empty());
        let mine = [&form.ours()[..], &[("sec-fetch-site", "same-origin")]].concat();
        assert_eq!(form.status(&token, &mine), 303);
    });
}

#[test]
fn forms_are_small_and_sent_in_one_way() {
    at_work(&story().records(), true, |site, program| {
        let form = Sender::new(site);
        let (token, address) = (&form.token, &form.address);
        let large = format!("token={token}&approval={}", "x".repeat(1 << 20));
        let said = site.send("POST", (address, &large), &form.ours());
        assert_eq!(said.status.as_u16(), 413);
        assert_eq!(site.get(address).status.as_u16(), 405);
        let put = site.send("PUT", (address, &format!("token={token}")), &form.ours());
        assert_eq!(put.status.as_u16(), 405);
        let bearer = form_of_a_program(site);
        let headers = [
            &form.instead("cookie", None)[..],
            &[("authorization", &*bearer)],
        ]
        .concat();
        assert_eq!(form.status(token, &headers), 403, "programs have no forms");
        assert!(program.orders.lock().unwrap().is_empty());
    });
}

/// What a program says to be let in.
fn form_of_a_program(site: &Site) -> String {
    let (_, token) = site.entrance().split_once('=').unwrap();
    format!("Bearer {token}")
}
