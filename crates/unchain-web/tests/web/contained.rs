//! Plans on the page: made, shown, and followed through their stages.

use crate::common::{ADDRESS, Site, ledger, on, setting, story};
use crate::inspect::inspected;
use crate::program::{FORM, ORIGIN, at_work};
use serde_json::Value;
use std::sync::Arc;
use unchain_core::contain::{Action, Happened, Receipt, Undo, Work, to_json};
use unchain_web::{Containment, Desk, Ended, Errand, PlanRecord, Run};

#[test]
fn a_plan_is_made_at_a_node_shown_and_downloaded() {
    at_work(&story().records(), false, |site, program| {
        let incidents = site.get("/incidents").body;
        assert!(!inspected(&incidents).text.contains("planned"));
        let nodes = site.get("/tokens").body;
        let node = nodes
            .split_once("/nodes/")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0;
        let form = site.get(&format!("/containment/new?node={node}"));
        assert!(inspected(&form.body).text.contains("may still work"));
        let path = site.plan();
        let page = inspected(&site.get(&path).body);
        let record = program.plans.lock().unwrap()[0].clone();
        for words in [
            &record.digest,
            "PutUserPolicy",
            "planned, 0 of",
            "denied",
            "UpdateAccessKey",
        ] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let file = site.get(&format!("{path}/plan.json"));
        assert_eq!(file.body, to_json(&record.plan).unwrap());
        assert_eq!(
            file.headers["content-disposition"],
            "attachment; filename=\"plan.json\""
        );
        let step = inspected(&site.get(&format!("{path}/steps/1")).body);
        assert!(step.text.contains("PolicyDocument") && step.text.contains("How it is undone"));
        assert_eq!(
            site.get(&format!("{path}/steps/99999")).status.as_u16(),
            404
        );
        assert!(
            inspected(&site.get("/containment").body)
                .text
                .contains(&record.plan.id)
        );
        assert!(
            inspected(&site.get("/incidents").body)
                .text
                .contains("planned")
        );
        let by_id = site.get(&format!("/containment/{}", record.plan.id));
        assert_eq!(by_id.status.as_u16(), 200);
        assert_eq!(site.get("/containment/0badcafe").status.as_u16(), 404);
    });
}

#[test]
fn what_cannot_be_planned_is_said() {
    at_work(&story().records(), false, |site, program| {
        let new = ("/containment/new", "/containment/new");
        let said = site.post(new, "pivot=");
        assert_eq!(said.status.as_u16(), 409);
        assert!(inspected(&said.body).text.contains("check the spelling"));
        let refused = site.post(new, "pivot=mfa/x");
        assert_eq!(refused.status.as_u16(), 409);
        assert!(inspected(&refused.body).text.contains("is not kept"));
        assert!(program.plans.lock().unwrap().is_empty());
        assert_eq!(
            site.get("/containment/new?node=000000000000")
                .status
                .as_u16(),
            404
        );
    });
    on(&story().records(), |site| {
        let said = site.get("/containment/new?pivot=AKIA");
        assert!(
            inspected(&said.body).text.contains("unchain plan"),
            "it says which command does it"
        );
        assert!(!said.body.contains("method=\"post\""));
        let cookie = site.cookie();
        let headers = [("host", ADDRESS), ("cookie", &*cookie), ORIGIN, FORM];
        let said = site.send("POST", ("/containment/new", "pivot=AKIA"), &headers);
        assert_eq!(said.status.as_u16(), 403);
    });
}

/// A journal in which the first steps of a plan are done.
fn journal(record: &PlanRecord, done: usize) -> Vec<Receipt> {
    let steps = record.plan.steps.iter().take(done);
    let each = steps.flat_map(|step| {
        let happened = match &step.action {
            Action::Call(_) if step.undo == Undo::Nothing => {
                vec![Happened::Done {
                    answer: Value::Null,
                    request_id: None,
                    already: true,
                }]
            }
            Action::Call(_) => vec![
                Happened::Begun {
                    before: Value::Null,
                },
                Happened::Done {
                    answer: Value::Null,
                    request_id: Some("r-1".to_owned()),
                    already: false,
                },
            ],
            Action::Wait(_) => vec![Happened::Waited],
            Action::Verify { .. } => vec![],
        };
        happened.into_iter().map(move |what| (step.number, what))
    });
    let lines = (1..).zip(each).map(|(sequence, (step, what))| Receipt {
        plan: record.digest.clone(),
        sequence,
        at: record.plan.made_at,
        work: Work::Apply,
        step,
        what,
    });
    lines.collect()
}

#[test]
fn what_is_under_way_is_told_and_nothing_beside_it_offered() {
    at_work(&story().records(), true, |site, program| {
        let path = site.plan();
        let record = program.plans.lock().unwrap()[0].clone();
        let text = || inspected(&site.get(&path).body).text;
        let with = |receipts| program.has_come(receipts);
        with(journal(&record, 2));
        assert!(text().contains("stopped, 2 of") && text().contains("Go on with it"));
        let run = |ended| {
            let (errand, digest) = (Errand::Apply, record.digest.clone());
            *program.run.lock().unwrap() = Some(Run {
                errand,
                digest,
                ended,
            });
        };
        run(None);
        assert!(text().contains("being applied, 2 of") && text().contains("is under way"));
        assert!(
            !site.get(&path).body.contains(&format!("{path}/apply\"")),
            "nothing beside it"
        );
        let said = "DONE  7 steps \u{1b}[31m<script>".to_owned();
        run(Some(Ended { well: false, said }));
        let body = site.get(&path).body;
        assert!(
            inspected(&body)
                .text
                .contains("DONE  7 steps \\u{1b}[31m<script>")
        );
    });
}

#[test]
fn a_plan_is_followed_through_its_stages() {
    at_work(&story().records(), true, |site, program| {
        let path = site.plan();
        let record = program.plans.lock().unwrap()[0].clone();
        let text = || inspected(&site.get(&path).body).text;
        let with = |receipts| program.has_come(receipts);
        let mut all = journal(&record, record.plan.steps.len());
        with(all.clone());
        assert!(text().contains(": applied, ") && text().contains("Undo this plan"));
        assert!(
            inspected(&site.get("/incidents").body)
                .text
                .contains("applied")
        );
        let last = all.last().unwrap().clone();
        all.push(Receipt {
            sequence: last.sequence + 1,
            what: Happened::Verified,
            ..last.clone()
        });
        with(all.clone());
        assert!(text().contains(": verified, "));
        let back = record
            .plan
            .steps
            .iter()
            .filter(|step| matches!(step.undo, Undo::Calls(_)));
        let undone = back.map(|step| Receipt {
            work: Work::Undo,
            step: step.number,
            what: Happened::Done {
                answer: Value::Null,
                request_id: None,
                already: false,
            },
            ..last.clone()
        });
        with(all.into_iter().chain(undone).collect());
        assert!(
            text().contains(": undone, ") && text().contains("Make a new plan"),
            "{}",
            text()
        );
    });
}

/// Markup, quotes, escapes and a right-to-left override.
const EVIL: &str = "</bdi></pre></td><script>alert(1)</script>\"'`&amp;\u{1b}[2J\u{202e}\n";

/// Adds hostile text to whatever a plan tells.
fn poisoned(record: &PlanRecord) -> PlanRecord {
    let mut plan: Value = serde_json::to_value(&*record.plan).unwrap();
    fn poison(value: &mut Value) {
        match value {
            Value::String(text) if text.parse::<u64>().is_err() && !text.contains("T1") => {
                text.push_str(EVIL)
            }
            Value::Array(items) => items.iter_mut().for_each(poison),
            Value::Object(members) => {
                const KEPT: [&str; 15] = [
                    "level",
                    "removal",
                    "phase",
                    "made_at",
                    "valid_until",
                    "cut_off",
                    "last",
                    "issued_at",
                    "kind",
                    "expires_at",
                    "after",
                    "until",
                    "owner",
                    "undo",
                    "account",
                ];
                let told = members
                    .iter_mut()
                    .filter(|(name, _)| !KEPT.contains(&name.as_str()));
                told.for_each(|(_, member)| poison(member));
            }
            _ => {}
        }
    }
    poison(&mut plan);
    PlanRecord {
        plan: Arc::new(serde_json::from_value(plan).unwrap()),
        ..record.clone()
    }
}

#[test]
fn hostile_text_in_a_plan_stays_text() {
    at_work(&story().records(), true, |site, program| {
        let path = site.plan();
        let record = program.plans.lock().unwrap()[0].clone();
        *program.plans.lock().unwrap() = vec![Arc::new(poisoned(&record))];
        for page in [
            "/containment",
            &path,
            &format!("{path}/steps/1"),
            "/incidents",
        ] {
            let said = site.get(page);
            assert_eq!(said.status.as_u16(), 200, "{page}");
            let page = inspected(&said.body);
            assert!(
                !page
                    .text
                    .contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}'))
            );
            assert_eq!(page.values("script", "src"), ["/script/live.js"]);
        }
        let text = inspected(&site.get(&path).body).text;
        assert!(text.contains("<script>alert(1)</script>") && text.contains("\\u{202e}"));
    });
}

#[test]
fn where_no_plan_can_be_read_the_rest_of_the_page_is_there() {
    let containment = Containment {
        plans: Arc::new(|| Err("the case is damaged; scan again".to_owned())),
        ..Containment::default()
    };
    let desk = Desk::new(containment);
    std::thread::scope(|scope| {
        let ledger = ledger(&story().records());
        let (ready, come) = std::sync::mpsc::channel();
        let answering = desk.clone();
        scope.spawn(move || answering.answer(&ledger, setting(), move || ready.send(()).unwrap()));
        come.recv().unwrap();
        let site = Site::new(desk.clone());
        let (list, incidents) = (site.get("/containment"), site.get("/incidents"));
        drop(site);
        desk.close();
        assert_eq!(list.status.as_u16(), 409);
        assert!(inspected(&list.body).text.contains("scan again"));
        assert_eq!(incidents.status.as_u16(), 200);
    });
}
