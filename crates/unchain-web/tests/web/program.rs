//! A program that makes and keeps plans, behind a page; nobody is contained by it.

use crate::common::{ADDRESS, Said, Site, ledger, setting, story};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use unchain_core::contain::{Facts, Receipt, Settings, check, digest, outside, plan, prove};
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_web::{
    Containment, Desk, Opinion, Order, PlanRecord, Planned, Question, Run, Starting, Wish,
};

/// The origin of the page.
pub(crate) const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:8080");
/// What a form is sent as.
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A program that keeps plans and remembers what it was told to do.
#[derive(Default)]
pub(crate) struct Program {
    pub(crate) plans: Mutex<Vec<Arc<PlanRecord>>>,
    pub(crate) orders: Mutex<Vec<Order>>,
    pub(crate) run: Mutex<Option<Run>>,
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
        let act: Starting = Arc::new(start);
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
pub(crate) fn at_work(records: &[Value], allows: bool, ask: impl FnOnce(&Site, &Arc<Program>)) {
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
    pub(crate) fn token(&self, page: &str, address: &str) -> String {
        let body = self.get(page).body;
        let (_, form) = body.split_once(&format!("action=\"{address}\"")).unwrap();
        let (_, token) = form.split_once("name=\"token\" value=\"").unwrap();
        token.split_once('"').unwrap().0.to_owned()
    }

    /// Sends a form as a browser does that was let in.
    pub(crate) fn post(&self, (page, address): (&str, &str), fields: &str) -> Said {
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
    pub(crate) fn plan(&self) -> String {
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

impl Program {
    /// The one plan has come so far.
    pub(crate) fn has_come(&self, receipts: Vec<Receipt>) {
        let mut plans = self.plans.lock().unwrap();
        let record = PlanRecord {
            receipts,
            ..(*plans[0]).clone()
        };
        *plans = vec![Arc::new(record)];
    }
}
