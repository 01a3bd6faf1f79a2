//! Stories contained: nothing of the lineage works afterwards, and who is not of it goes on.

use super::actuator::Stage;
use super::apply::Run;
use super::probe::{Replies, Reply, is_read, probe, works};
use super::scene::{Scene, Setting};
use std::collections::BTreeSet;
use unchain_core::contain::{
    Containment, Evidence, Level, Note, Plan, Proof, Receipt, Removal, Settings, Severity,
    Verification, check, outside, plan, prove, verify,
};

/// A plan with what is said of it.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) notes: Vec<Note>,
    pub(crate) proof: Proof,
}

/// A plan around a key, from the logs and accounts as they are.
pub(crate) fn planned(scene: &Scene, pivot: &str, settings: &Settings) -> Planned {
    let facts = scene.facts();
    scene.report(|report| {
        let now = scene.now();
        let plan = plan(report, &facts, settings, (pivot, now));
        let notes = check(&plan, report, &facts, now);
        let proof = prove(&plan, &facts, &outside(report, &plan, &[]));
        Planned { plan, notes, proof }
    })
}

/// What fresh facts and logs say of a plan that was carried out.
pub(crate) fn verified(scene: &Scene, plan: &Plan, receipts: &[Receipt]) -> Verification {
    let facts = scene.facts();
    scene.report(|report| {
        let evidence = Evidence {
            facts: Some(&facts),
            report: Some(report),
            receipts,
            replies: &[],
        };
        verify(plan, evidence, scene.now())
    })
}

/// The story's names of the credentials in a plan.
pub(crate) fn members<'s>(scene: &'s Scene, plan: &Plan) -> BTreeSet<&'s str> {
    let subjects = plan
        .subjects
        .iter()
        .filter_map(|s| s.access_key_id.as_ref());
    let ids: BTreeSet<&str> = subjects.map(|id| id.raw()).collect();
    let held = scene
        .held
        .iter()
        .filter(|(_, keys)| ids.contains(keys.id.as_str()));
    held.map(|(label, _)| label.as_str()).collect()
}

/// A story, when it is cut short, a credential to begin with, and what becomes of the others.
struct Case {
    story: &'static str,
    until: (i64, i64),
    pivot: &'static str,
    /// These end.
    ends: &'static [&'static str],
    /// These can read afterwards whatever they could before.
    stays: &'static [&'static str],
    /// Whether the lineage leads into an account that is not ours.
    leaves: bool,
}

const CASES: [Case; 11] = [
    Case {
        story: "whack-a-mole",
        until: (12, 5),
        pivot: "A",
        ends: &["A", "B", "BM", "C", "C2", "D", "SPARE", "X"],
        stays: &["AUDIT", "BOB", "BUILD", "OLIVIA", "REL", "WEB"],
        leaves: false,
    },
    Case {
        story: "whack-a-mole",
        until: (16, 0),
        pivot: "SPARE",
        ends: &["A", "B", "BM", "C", "C2", "D", "MOLE", "SPARE", "X"],
        stays: &["BOB", "BUILD", "OLIVIA", "WEB"],
        leaves: false,
    },
    Case {
        story: "cross-account-chain",
        until: (9, 30),
        pivot: "THREE",
        ends: &["A", "ONE", "TWO", "THREE", "FOUR"],
        stays: &["OLIVIA"],
        leaves: false,
    },
    Case {
        story: "federation-token",
        until: (11, 35),
        pivot: "A",
        ends: &["A", "F", "CON", "HELP"],
        stays: &["OLIVIA"],
        leaves: false,
    },
    Case {
        story: "mfa-registration",
        until: (9, 50),
        pivot: "V",
        ends: &["A", "BM", "V"],
        stays: &["OLIVIA"],
        leaves: false,
    },
    Case {
        story: "oidc-backdoor",
        until: (11, 15),
        pivot: "A",
        ends: &["A", "BACK"],
        stays: &["OLIVIA"],
        leaves: false,
    },
    Case {
        story: "role-juggling",
        until: (10, 0),
        pivot: "R2",
        ends: &["A", "R1", "R2"],
        stays: &["OLIVIA"],
        leaves: false,
    },
    Case {
        story: "spare-users",
        until: (13, 30),
        pivot: "S1",
        ends: &["A", "C", "S1", "S2", "MOLE"],
        stays: &["BOB", "OLIVIA"],
        leaves: false,
    },
    Case {
        story: "stripped-quarantine",
        until: (9, 20),
        pivot: "C",
        ends: &["A", "A2", "C"],
        stays: &["OLIVIA"],
        leaves: false,
    },
    Case {
        story: "instance-theft",
        until: (9, 40),
        pivot: "W",
        ends: &["W"],
        stays: &["OLIVIA"],
        leaves: false,
    },
    Case {
        story: "role-chain",
        until: (11, 56),
        pivot: "R1",
        ends: &["A", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "T1", "T2"],
        stays: &[],
        leaves: true,
    },
];

impl Case {
    fn scene(&self, organized: bool) -> Scene {
        let setting = Setting {
            organized,
            guarded: organized,
            until: Some(self.until),
        };
        Scene::of(self.story, setting)
    }

    /// All that is not as it should be, when the story is contained.
    fn wrong(&self, organized: bool) -> Vec<String> {
        let scene = self.scene(organized);
        let before = scene.copy();
        let settings = Settings {
            level: Level::Evict,
            removal: Removal::Remove,
            exempt: scene.exempt(),
            freeze: organized,
            ..Settings::default()
        };
        let planned = planned(&scene, &scene.held[self.pivot].id, &settings);
        let mut wrong: Vec<String> = refusals(&planned.notes);
        let known = members(&scene, &planned.plan);
        // What the console would make is not in the log until it is used.
        let silent = |label: &&&str| !known.contains(**label) && !["CON", "MOLE"].contains(*label);
        wrong.extend(
            self.ends
                .iter()
                .filter(silent)
                .map(|l| format!("{l} is not in the plan")),
        );
        if planned.proof.holds() == self.leaves {
            wrong.push(format!("not proven: {:?}", planned.proof));
        }
        let mut stage = Stage::new(&scene);
        let mut run = Run::of(&planned.plan);
        wrong.extend(run.go(&mut stage).err().map(|stop| format!("{stop:?}")));
        let mut lived = 0;
        for label in self.ends {
            let then = probe(&before, &before.held[*label]);
            lived += works(&then).len();
            wrong.extend(ended(label, &then, &probe(&scene, &scene.held[*label])));
        }
        if lived == 0 {
            wrong.push("nothing worked before the plan either".to_owned());
        }
        wrong.extend(
            self.stays
                .iter()
                .flat_map(|label| stayed(label, &before, &scene)),
        );
        let verification = verified(&scene, &planned.plan, &run.journal);
        let wanted = match self.leaves {
            true => Containment::Incomplete,
            false => Containment::Contained,
        };
        if verification.outcome != wanted {
            wrong.push(format!(
                "{:?} {:#?}",
                verification.outcome, verification.snapshot.conclusion
            ));
        }
        run.verified(&mut stage);
        wrong.extend(run.go(&mut stage).err().map(|stop| format!("{stop:?}")));
        wrong
            .into_iter()
            .map(|line| format!("{} {organized}: {line}", self.story))
            .collect()
    }
}

fn refusals(notes: &[Note]) -> Vec<String> {
    let grave = notes
        .iter()
        .filter(|note| note.severity == Severity::Refuse);
    grave.map(|note| format!("{note:?}")).collect()
}

/// What worked before has to be refused by a statement, or its key is dead.
fn ended(label: &str, then: &Replies, now: &Replies) -> Vec<String> {
    let lives = now
        .iter()
        .filter(|(call, reply)| match (then.get(*call), reply) {
            (Some(Reply::Works), reply) => !matches!(reply, Reply::Dead | Reply::Denied),
            (_, reply) => **reply == Reply::Works,
        });
    lives
        .map(|(call, reply)| format!("{label} {call}: {reply:?}"))
        .collect()
}

/// A freeze keeps others from new credentials, and from nothing else.
fn stayed(label: &str, before: &Scene, scene: &Scene) -> Vec<String> {
    let (then, now) = (
        probe(before, &before.held[label]),
        probe(scene, &scene.held[label]),
    );
    let reads = then
        .iter()
        .filter(|(call, reply)| **reply == Reply::Works && is_read(call));
    let lost = reads.filter(|(call, _)| now.get(*call) != Some(&Reply::Works));
    lost.map(|(call, _)| format!("{label} lost {call}: {:?}", now.get(call)))
        .collect()
}

#[test]
fn nothing_of_a_story_works_after_its_plan_and_the_others_go_on() {
    let mut wrong = Vec::new();
    for case in &CASES {
        for organized in [false, true] {
            wrong.extend(case.wrong(organized));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
