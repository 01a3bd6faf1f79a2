//! Who may ask.

use crate::common::{ADDRESS, on, story};

#[test]
fn only_who_has_the_token_is_let_in() {
    on(&story().records(), |site| {
        let cookie = site.cookie();
        let other = format!("unchain-8080={}", "0".repeat(64));
        let status =
            |path: &str, headers: &[(&str, &str)]| site.ask("GET", path, headers).status.as_u16();
        for path in [
            "/",
            "/tokens",
            "/tokens.csv",
            "/coverage",
            "/style.css",
            "/no-such-page",
        ] {
            assert_eq!(
                status(path, &[("host", ADDRESS)]),
                403,
                "{path} without a cookie"
            );
            assert_eq!(
                status(path, &[("host", ADDRESS), ("cookie", &other)]),
                403,
                "{path}"
            );
        }
        for cookies in [
            cookie.clone(),
            format!("a=b; {cookie}"),
            format!("unchain-8080=x; {cookie}"),
        ] {
            assert_eq!(
                status("/tokens", &[("host", ADDRESS), ("cookie", &cookies)]),
                200,
                "{cookies}"
            );
        }
        for path in [
            "/enter",
            "/enter?token=",
            "/enter?token=00",
            "/enter?tokens=a&token=%ff",
        ] {
            let said = site.ask("GET", path, &[("host", ADDRESS)]);
            assert_eq!(said.status.as_u16(), 403, "{path}");
            assert!(!said.headers.contains_key("set-cookie"));
        }
    });
}

#[test]
fn the_cookie_stays_with_the_browser_and_the_site() {
    on(&story().records(), |site| {
        let said = site.ask("GET", site.entrance(), &[("host", ADDRESS)]);
        let cookie = said.headers["set-cookie"].to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.split("; ").any(|known| known == part), "{cookie}");
        }
        let (_, token) = site.entrance().split_once('=').unwrap();
        assert!(!cookie.contains(token) && token.len() == 64);
    });
}

#[test]
fn names_and_sites_of_others_are_refused() {
    on(&story().records(), |site| {
        let cookie = site.cookie();
        let status = |headers: &[(&str, &str)]| {
            let all: Vec<_> = headers
                .iter()
                .copied()
                .chain([("cookie", &*cookie)])
                .collect();
            site.ask("GET", "/tokens", &all).status.as_u16()
        };
        assert_eq!(
            status(&[("host", "localhost:9000")]),
            200,
            "a port forwarded by SSH"
        );
        assert_eq!(status(&[]), 421, "no Host");
        assert_eq!(status(&[("host", "rebound.example:8080")]), 421);
        assert_eq!(
            status(&[("host", ADDRESS), ("host", "rebound.example")]),
            421
        );
        assert_eq!(
            status(&[("host", ADDRESS), ("origin", "http://127.0.0.1:8080")]),
            200
        );
        for origin in [
            "null",
            "http://evil.example",
            "http://127.0.0.1:9",
            "https://127.0.0.1:8080",
            "",
        ] {
            assert_eq!(
                status(&[("host", ADDRESS), ("origin", origin)]),
                403,
                "{origin}"
            );
        }
        // A rebound name agrees with its own origin, which helps it nothing.
        let rebound = [
            ("host", "rebound.example"),
            ("origin", "http://rebound.example"),
        ];
        assert_eq!(status(&rebound), 421);
    });
}

#[test]
fn nothing_can_be_changed() {
    on(&story().records(), |site| {
        let cookie = site.cookie();
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let said = site.ask(method, "/tokens", &[("host", ADDRESS), ("cookie", &cookie)]);
            assert_eq!(said.status.as_u16(), 405, "{method}");
        }
        let said = site.ask("HEAD", "/tokens", &[("host", ADDRESS), ("cookie", &cookie)]);
        assert_eq!((said.status.as_u16(), &*said.body), (200, ""));
    });
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    on(&story().records(), |site| {
        let refused = site.ask("GET", "/tokens", &[("host", "evil.example")]);
        for said in [
            refused,
            site.get("/tokens"),
            site.get("/tokens.csv"),
            site.get("/no-such-page"),
        ] {
            let header = |name: &str| said.headers[name].to_str().unwrap().to_owned();
            let policy = header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; style-src 'self'; "),
                "{policy}"
            );
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("referrer-policy"), "same-origin");
            assert_eq!(header("cache-control"), "no-store");
        }
    });
}
