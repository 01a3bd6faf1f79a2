//! A case that grows while it is shown: others take over, nobody is left without an answer, and pages are told.

use crate::common::{ADDRESS, Site, ledger, setting, story};
use std::sync::mpsc::channel;
use std::thread::{Scope, scope};
use unchain_core::ledger::Ledger;
use unchain_web::{Containment, Desk};

/// Has a thread answer from a ledger; comes back when it does.
fn answer<'s>(scope: &'s Scope<'s, '_>, desk: &'s Desk, ledger: Ledger) {
    let (ready, come) = channel();
    scope.spawn(move || desk.answer(&ledger, setting(), move || ready.send(()).unwrap()));
    come.recv().unwrap();
}

fn events(site: &Site) -> u64 {
    let body = site.get("/tokens").body;
    let (_, said) = body.split_once("data-events=\"").unwrap();
    said.split_once('"').unwrap().0.parse().unwrap()
}

#[test]
fn who_asks_after_the_case_has_grown_sees_all_of_it() {
    let records = story().records();
    let desk = Desk::new(Containment::default());
    scope(|scope| {
        let site = Site::new(desk.clone());
        let early = site.get("/tokens");
        assert_eq!(early.status.as_u16(), 503, "nobody is there yet");
        answer(scope, &desk, ledger(&records[..10]));
        assert_eq!(events(&site), 10);
        answer(scope, &desk, ledger(&records));
        assert_eq!(events(&site), records.len() as u64);
        drop(site);
        desk.close();
    });
    scope(|scope| {
        let late =
            scope.spawn(|| desk.answer(&Ledger::default(), setting(), || panic!("it is closed")));
        assert!(
            late.join().is_ok(),
            "who comes to a closed desk leaves at once"
        );
    });
}

#[test]
fn questions_in_hand_are_answered_while_others_take_over() {
    let records = story().records();
    let desk = Desk::new(Containment::default());
    scope(|scope| {
        answer(scope, &desk, ledger(&records[..10]));
        let askers: Vec<_> = (0..4)
            .map(|_| {
                let desk = desk.clone();
                scope.spawn(move || {
                    let site = Site::new(desk);
                    (0..20)
                        .map(|_| site.get("/tokens.csv").status.as_u16())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for end in 11..20 {
            answer(scope, &desk, ledger(&records[..end]));
        }
        for asker in askers {
            assert_eq!(asker.join().unwrap(), [200; 20]);
        }
        desk.close();
    });
}

#[test]
fn news_need_the_cookie_and_end_with_the_server() {
    let desk = Desk::new(Containment::default());
    let site = Site::new(desk.clone());
    let refused = site.ask("GET", "/live", &[("host", ADDRESS)]);
    assert_eq!(refused.status.as_u16(), 403);
    // The whole answer can be read only because it ends.
    desk.close();
    let said = site.get("/live");
    assert_eq!(said.headers["content-type"], "text/event-stream");
    assert_eq!((said.status.as_u16(), &*said.body), (200, ""));
}
