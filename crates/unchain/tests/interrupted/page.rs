//! Containment through the page, against a lab: without the option nothing can be changed; with it, what is approved is
//! carried out, gone on with, and undone.

use super::browser::Browser;
use super::stage::{Room, Stage, hurried};
use unchain_case::Case;
use unchain_core::contain::{Stage as Reached, digest, from_json, progress};

/// A plan of the lineage, made by the page, whose wait was made short; its address and digest.
fn planned(browser: &Browser, room: &Room<'_>) -> (String, String) {
    let plan = room.plan();
    let exempt: Vec<&str> = plan.settings.exempt.iter().map(|arn| arn.raw()).collect();
    let exempt = exempt.join("%0A").replace(':', "%3A").replace('/', "%2F");
    let fields = format!(
        "pivot={}&level=contain&freeze=on&exempt={exempt}",
        plan.pivot.raw()
    );
    let new = ("/containment/new", "/containment/new");
    let made = browser.send(new, &fields);
    assert_eq!(made.status, 303, "{}", made.body);
    let path = made.header("location").unwrap();
    let mut plan = from_json(&browser.get(&format!("{path}/plan.json")).body).unwrap();
    hurried(&mut plan);
    let mut case = Case::open_existing(&room.path().join("unchain.case")).unwrap();
    let digest = case.add_plan(&plan).unwrap();
    (format!("/containment/{}", begin(&digest, 12)), digest)
}

/// The first digits of a digest.
fn begin(digest: &str, digits: usize) -> &str {
    digest.get(..digits).unwrap()
}

/// Sends a form for a plan, and waits until what it began has come to its end; what the page says then.
fn done(browser: &Browser, (path, what): (&str, &str), approval: &str) -> String {
    let mut news = browser.news();
    let begun = browser.send(
        (path, &format!("{path}/{what}")),
        &format!("approval={approval}"),
    );
    assert_eq!(begun.status, 303, "{what}: {}", begun.body);
    loop {
        assert!(news.next().is_some(), "the program goes on");
        let page = browser.get(path).body;
        if !page.contains("is under way") {
            return page;
        }
    }
}

#[test]
fn without_leave_no_address_of_the_page_changes_an_account() {
    let stage = Stage::new(&["--freeze"]);
    let room = stage.room();
    let before = room.state();
    let browser = Browser::open(&mut room.serving(&[]));
    let (path, digest) = planned(&browser, &room);
    assert!(browser.get(&path).body.contains("--allow-apply"));
    for what in ["apply", "undo", "look"] {
        let address = format!("{path}/{what}");
        let said = browser.send((&path, &address), &format!("approval={digest}"));
        assert_eq!(said.status, 404, "{what}");
    }
    let checked = browser.send((&path, &format!("{path}/check")), "");
    assert_eq!(checked.status, 303, "{}", checked.body);
    assert_eq!(room.state(), before);
    assert_eq!(browser.stop(), Some(0));
}

#[test]
fn what_is_approved_on_the_page_is_carried_out_verified_and_undone() {
    let stage = Stage::new(&["--freeze"]);
    let room = stage.room();
    let before = room.state();
    let browser = Browser::open(&mut room.serving(&["--allow-apply"]));
    let (path, digest) = planned(&browser, &room);
    let apply = format!("{path}/apply");
    for wrong in ["", "0123456789ab", begin(&digest, 11)] {
        let said = browser.send((&path, &apply), &format!("approval={wrong}"));
        assert_eq!(said.status, 409, "{wrong}");
        assert!(
            said.body.contains("is not the digest of this plan"),
            "{}",
            said.body
        );
    }
    let unsigned = browser.post(&apply, &format!("token=none&approval={digest}"));
    assert_eq!((unsigned.status, browser.get(&apply).status), (403, 405));
    let looked = done(&browser, (&path, "look"), "");
    assert!(looked.contains("nothing was changed"), "{looked}");
    assert_eq!(room.state(), before);
    let applied = done(&browser, (&path, "apply"), begin(&digest, 12));
    assert!(applied.contains("came to its end"), "{applied}");
    assert!(applied.contains("data-word=\"applied\""), "{applied}");
    assert_ne!(room.state(), before);
    let verified = done(&browser, (&path, "verify"), "");
    assert!(verified.contains("Policies in the accounts"), "{verified}");
    let undone = done(&browser, (&path, "undo"), &digest);
    assert!(undone.contains("data-word=\"undone\""), "{undone}");
    assert_eq!(room.state(), before);
}

#[test]
fn a_run_that_ends_with_the_program_is_gone_on_with_by_the_next() {
    let stage = Stage::new(&["--freeze"]);
    let room = stage.room();
    let browser = Browser::open(&mut room.serving(&["--allow-apply"]));
    let (path, digest_of_plan) = planned(&browser, &room);
    let apply = format!("{path}/apply");
    let begun = browser.send((&path, &apply), &format!("approval={digest_of_plan}"));
    assert_eq!(begun.status, 303);
    let again = browser.post(&apply, "token=none");
    assert_eq!(
        again.status, 403,
        "and no form for it is there while it runs"
    );
    assert!(browser.stop().is_some(), "it ends by itself");
    let case = Case::open_existing(&room.path().join("unchain.case")).unwrap();
    let plan = case.plan(&digest_of_plan).unwrap().unwrap();
    assert_eq!(digest(&plan).unwrap(), digest_of_plan);
    let reached = |case: &Case| progress(&plan, &case.receipts(&digest_of_plan).unwrap()).stage;
    assert!(matches!(reached(&case), Reached::Planned | Reached::Begun));
    let browser = Browser::open(&mut room.serving(&["--allow-apply"]));
    let applied = done(&browser, (&path, "apply"), &digest_of_plan);
    assert!(applied.contains("data-word=\"applied\""), "{applied}");
    assert_eq!(reached(&case), Reached::Applied);
}
