//! Plans on the page: made, shown, and handed to whoever carries them out; forms that are not ours are refused.

use crate::common::{ADDRESS, Said, Site, ledger, on, setting, story};
use crate::inspect::inspected;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use unchain_core::contain::{
    Action, Facts, Happened, Receipt, Settings, Undo, Work, check, digest, outside, plan, prove,
    to_json,
};
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_web::{
    Containment, Desk, Ended, Errand, Opinion, Order, PlanRecord, Planned, Question, Run, Wish,
};

const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:8080");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A program that keeps plans and remembers what it was told to do.
#[derive(Default)]
struct Program {
    plans: Mutex<Vec<Arc<PlanRecord>>>,
    orders: Mutex<Vec<Order>>,
    run: Mutex<Option<Run>>,
}

/// What is known of the story's accounts.
fn facts() -> Facts {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../unchain/tests/program/contain"
    );
    let mut facts = Facts::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let account = name
            .split('.')
            .find(|part| part.len() == 12 && part.parse::<u64>().is_ok());
        let Some(account) = account else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        facts.read(&text, Some(account)).unwrap();
    }
    facts
}

fn made(report: &Report<'_, '_>, wish: &Wish) -> PlanRecord {
    let facts = facts();
    let settings = Settings {
        level: wish.level,
        removal: wish.removal,
        freeze: wish.freeze,
        exempt: wish
            .exempt
            .iter()
            .map(|arn| Untrusted::new(arn.as_str()))
            .collect(),
        ..Settings::default()
    };
    let plan = plan(report, &facts, &settings, (&wish.pivot, report.at()));
    let opinion = Opinion {
        at: report.at(),
        notes: check(&plan, report, &facts, report.at()),
        proof: prove(&plan, &facts, &outside(report, &plan, &[])),
    };
    PlanRecord {
        digest: digest(&plan).unwrap(),
        plan: Arc::new(plan),
        receipts: Vec::new(),
        verification: None,
        opinion: Some(Arc::new(opinion)),
    }
}

impl Program {
    fn containment(self: &Arc<Self>, allows: bool) -> Containment {
        let (keeper, plans, starter, runs) =
            (self.clone(), self.clone(), self.clone(), self.clone());
        let start = move |order: Order| {
            if order.approval == "wrong" {
                return Err("`wrong` is not the digest; look at the plan".to_owned());
            }
            starter.orders.lock().unwrap().push(order);
            Ok(())
        };
        let act: Arc<dyn Fn(Order) -> Result<(), String> + Send + Sync> = Arc::new(start);
        Containment {
            plans: Arc::new(move || Ok(plans.plans.lock().unwrap().clone())),
            read: Some(Arc::new(move |question| {
                let keeper = keeper.clone();
                Ok(Box::new(move |report| keeper.answer(report, &question)))
            })),
            verify: Some(act.clone()),
            act: allows.then_some(act),
            run: Arc::new(move || runs.run.lock().unwrap().clone()),
            ..Containment::default()
        }
    }

    fn answer(&self, report: &Report<'_, '_>, question: &Question) -> Result<Planned, String> {
        let mut plans = self.plans.lock().unwrap();
        let record = match question {
            Question::Plan(wish) if wish.pivot.is_empty() => {
                return Err("nothing here is called so; check the spelling".to_owned());
            }
            Question::Plan(wish) => Arc::new(made(report, wish)),
            Question::Opinion(digest) => plans
                .iter()
                .find(|known| known.digest == *digest)
                .unwrap()
                .clone(),
        };
        let kept = !record.plan.pivot.raw().starts_with("mfa/");
        if kept {
            plans.push(record.clone());
        }
        Ok(Planned { record, kept })
    }
}

/// Calls with a site whose program keeps plans.
fn at_work(records: &[Value], allows: bool, ask: impl FnOnce(&Site, &Arc<Program>)) {
    let program = Arc::new(Program::default());
    let desk = Desk::new(program.containment(allows));
    let ledger = ledger(records);
    std::thread::scope(|scope| {
        let (ready, come) = std::sync::mpsc::channel();
        scope.spawn(|| desk.answer(&ledger, setting(), move || ready.send(()).unwrap()));
        come.recv().unwrap();
        let site = Site::new(desk.clone());
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(&site, &program)));
        drop(site);
        desk.close();
        if let Err(panic) = asked {
            std::panic::resume_unwind(panic);
        }
    });
}

impl Site {
    /// What the form of a page holds to be sent to an address.
    fn token(&self, page: &str, address: &str) -> String {
        let body = self.get(page).body;
        let (_, form) = body.split_once(&format!("action=\"{address}\"")).unwrap();
        let (_, token) = form.split_once("name=\"token\" value=\"").unwrap();
        token.split_once('"').unwrap().0.to_owned()
    }

    /// Sends a form as a browser does that was let in.
    fn post(&self, (page, address): (&str, &str), fields: &str) -> Said {
        let token = self.token(page, address);
        let cookie = self.cookie();
        let headers = [("host", ADDRESS), ("cookie", &*cookie), ORIGIN, FORM];
        self.send(
            "POST",
            (address, &format!("token={token}&{fields}")),
            &headers,
        )
    }

    /// Makes a plan for the leaked key of the story; its address.
    fn plan(&self) -> String {
        let story = story();
        let fields = format!(
            "pivot={}&level=contain&exempt=&shared=",
            story.key("A").unwrap()
        );
        let said = self.post(("/containment/new", "/containment/new"), &fields);
        assert_eq!(said.status.as_u16(), 303, "{}", said.body);
        said.headers["location"].to_str().unwrap().to_owned()
    }
}

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

impl Program {
    /// The one plan has come so far.
    fn has_come(&self, receipts: Vec<Receipt>) {
        let mut plans = self.plans.lock().unwrap();
        let record = PlanRecord {
            receipts,
            ..(*plans[0]).clone()
        };
        *plans = vec![Arc::new(record)];
    }
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
