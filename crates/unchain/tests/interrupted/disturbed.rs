//! Runs that are disturbed, each at another request, and gone on with.

use super::front::{Fault, Seen};
use super::stage::{Room, Said, Stage};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Most of a run is waiting, for the denies or before a call is sent again.
const WORKERS: usize = 16;

/// Faults that do not kill. Each request meets one of them, each call that changes something all.
const OTHERS: [Fault; 7] = [
    Fault::Throttled,
    Fault::ClosedBefore,
    Fault::ClosedAfter,
    Fault::FailedAfter,
    Fault::Failing,
    Fault::Denied,
    Fault::Interrupted,
];

/// What one command does where nothing disturbs it.
struct Work<'s> {
    /// `apply` or `undo`.
    what: &'static str,
    /// Before it.
    room: Room<'s>,
    /// The accounts after it.
    state: Value,
    /// What it asked for.
    seen: Vec<Seen>,
}

impl<'s> Work<'s> {
    fn of(what: &'static str, room: Room<'s>) -> (Self, Room<'s>) {
        let mut after = room.copy();
        let said = after.run(what, None);
        assert!(said.ended(), "{what}: {}", said.err);
        let work = Self {
            what,
            room,
            state: after.state(),
            seen: said.seen,
        };
        (work, after)
    }

    fn changes(&self) -> Vec<Seen> {
        let changes = self.seen.iter().filter(|seen| seen.changes());
        changes.cloned().collect()
    }

    /// Every request, killed before it; every change, killed after it.
    fn kills(&self) -> Vec<(usize, Fault)> {
        let each = self.seen.iter().enumerate();
        let faults = each.flat_map(|(place, seen)| {
            let after = seen.changes().then_some((place, Fault::KilledAfter));
            [(place, Fault::KilledBefore)].into_iter().chain(after)
        });
        faults.collect()
    }

    fn others(&self) -> Vec<(usize, Fault)> {
        let each = self.seen.iter().enumerate();
        let faults = each.flat_map(|(place, seen)| {
            let all = OTHERS.iter().enumerate();
            let some = all
                .filter(move |(i, _)| seen.changes() || i % OTHERS.len() == place % OTHERS.len());
            some.map(move |(_, fault)| (place, *fault))
        });
        faults.collect()
    }

    /// What is not as it should be after a fault and, where it stopped, another run.
    fn wrong(&self, (place, fault): (usize, Fault)) -> Vec<String> {
        let mut room = self.room.copy();
        let first = room.run(self.what, Some((place, fault)));
        let mut wrong = Vec::new();
        let met = first.seen.len() > place;
        if let Some(why) = self.misread((fault, met), &first) {
            wrong.push(format!("{why}: {:?} {}", first.code, first.err));
        }
        if !first.ended() {
            let next = room.run(self.what, None);
            if !next.ended() {
                wrong.push(format!("not gone on with: {:?} {}", next.code, next.err));
            }
        }
        if room.state() != self.state {
            wrong.push("the accounts are not as after an undisturbed run".to_owned());
        }
        let mut changes = room.changes.clone();
        if matches!(fault, Fault::ClosedAfter | Fault::FailedAfter) {
            // The SDK sends again what makes no difference the second time.
            changes.dedup();
        }
        if changes != self.changes() {
            let made: Vec<&str> = changes.iter().map(|seen| seen.action.as_str()).collect();
            wrong.push(format!("other changes: {made:?}"));
        }
        let seen = self
            .seen
            .get(place)
            .map_or("-", |seen| seen.action.as_str());
        let about = format!("{} {fault:?} at request {place}, {seen}", self.what);
        wrong
            .into_iter()
            .map(|why| format!("{about}: {why}"))
            .collect()
    }

    /// How a disturbed run must end, where this one did not. One that is quicker than the undisturbed one does not meet a
    /// fault at its last request.
    fn misread(&self, (fault, met): (Fault, bool), said: &Said) -> Option<&'static str> {
        let first = said.seen.len() == 1;
        let code = if said.ended() { Some(0) } else { said.code };
        match (fault, code) {
            (_, Some(0)) if !met => None,
            (Fault::KilledBefore | Fault::KilledAfter, None) => None,
            (Fault::KilledBefore | Fault::KilledAfter, _) => Some("it was not killed"),
            // Nothing is listened to before it is known who calls.
            (Fault::Interrupted, None) if first => None,
            (Fault::Interrupted, Some(2)) => {
                let hint = format!(
                    "stopped as asked, between two calls\nhint: go on with `unchain {} plan.json --role-name break-glass",
                    self.what
                );
                (!said.err.contains(&hint)).then_some("it does not say how it is gone on with")
            }
            (Fault::Denied, Some(0)) => Some("it goes on where it may not"),
            (_, Some(0)) => None,
            (Fault::Throttled, _) => Some("one refusal of many calls stops it"),
            (Fault::ClosedAfter | Fault::FailedAfter, _) => Some("it stops though all was done"),
            (_, Some(2)) if said.err.contains("\nhint: ") => None,
            (_, Some(2)) => Some("it does not say what to do next"),
            _ => Some("its exit code"),
        }
    }

    /// What is left of a run that was disturbed and then undone instead of gone on with.
    fn left(&self, (place, fault): (usize, Fault)) -> Vec<String> {
        let mut room = self.room.copy();
        let first = room.run(self.what, Some((place, fault)));
        let undone = room.run("undo", None);
        let nothing = undone.err.contains("has nothing that this plan did");
        let mut wrong = Vec::new();
        if !nothing && undone.code != Some(0) {
            wrong.push(format!(
                "not undone: {:?} {}{}",
                undone.code, undone.out, undone.err
            ));
        }
        if room.state() != self.room.state() {
            wrong.push(format!(
                "something is left: {} then {}",
                first.err, undone.err
            ));
        }
        let about = format!("undone after {fault:?} at request {place}");
        wrong
            .into_iter()
            .map(|why| format!("{about}: {why}"))
            .collect()
    }

    /// What is not as it should be after a run that is killed again and again, each time later.
    fn again_and_again(&self) -> Vec<String> {
        let mut room = self.room.copy();
        let mut places = (2..).step_by(5);
        let ended = places.find(|&place| {
            room.run(self.what, Some((place, Fault::KilledAfter)))
                .ended()
        });
        let runs = ended.map_or(0, |place| place / 5);
        let same = room.state() == self.state && room.changes == self.changes() && runs > 3;
        let what = format!(
            "{} is not the same after {runs} kills: {:?}",
            self.what, room.changes
        );
        (!same).then_some(what).into_iter().collect()
    }

    /// Tries all faults, several at a time.
    fn try_all(&self, faults: &[(usize, Fault)]) {
        all(faults, |fault| self.wrong(fault));
    }
}

/// Asks that nothing is wrong with any fault, several at a time.
fn all(faults: &[(usize, Fault)], wrong: impl Fn((usize, Fault)) -> Vec<String> + Sync) {
    let (next, list) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(&fault) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let found = wrong(fault);
                    list.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = list.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        faults.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_run_that_is_killed_or_refused_anywhere_is_gone_on_with_and_undone() {
    let stage = Stage::new(&["--freeze"]);
    let room = stage.room();
    let before = room.state();
    let (apply, after) = Work::of("apply", room);
    let (undo, _) = Work::of("undo", after);
    assert_ne!(apply.state, before);
    assert_eq!(undo.state, before, "undoing gives back what was there");
    for work in [&apply, &undo] {
        let mut faults = work.others();
        faults.extend(work.kills());
        work.try_all(&faults);
        let wrong = work.again_and_again();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
    let mut faults = apply.others();
    // After the others it comes to its end, or has waited long.
    faults.retain(|(_, fault)| matches!(fault, Fault::ClosedBefore | Fault::Denied));
    faults.extend(apply.kills());
    all(&faults, |fault| apply.left(fault));
}

#[test]
fn what_cannot_be_undone_is_done_once() {
    let stage = Stage::new(&["--level", "evict", "--remove"]);
    let (eviction, mut after) = Work::of("apply", stage.room());
    after.verified();
    let (removal, _) = Work::of("apply", after);
    for work in [&eviction, &removal] {
        let deletes = |seen: &Seen| seen.action.starts_with("De");
        let deletes = work.changes().iter().filter(|seen| deletes(seen)).count();
        assert!(deletes > 2, "{:?}", work.seen);
        work.try_all(&work.kills());
    }
    removal.try_all(&removal.others());
}

#[test]
fn of_two_runs_at_once_one_ends_before_it_does_anything() {
    let stage = Stage::new(&["--freeze"]);
    let mut room = stage.room();
    for (what, place) in [("apply", 30), ("undo", 10)] {
        let (said, mut others) = (Arc::new(Mutex::new(Vec::new())), Vec::new());
        for other in ["apply", "undo"] {
            // With a lab of its own: what this one is asked waits until the request in hand is answered.
            let elsewhere = room.copy();
            let (mut command, said) = (elsewhere.command(other), Arc::clone(&said));
            command.current_dir(room.path());
            others.push(elsewhere);
            room.meanwhile(Box::new(move || {
                let output = command.output().unwrap();
                let err = String::from_utf8(output.stderr).unwrap();
                said.lock().unwrap().push((output.status.code(), err));
            }));
        }
        let before = room.state();
        let first = room.run(what, Some((place, Fault::Meanwhile)));
        assert_eq!(first.code, Some(0), "{}", first.err);
        let said = said.lock().unwrap();
        assert_eq!(said.len(), 2);
        for (code, err) in said.iter() {
            assert_eq!(*code, Some(2));
            assert!(err.contains("is at work by `unchain.case`"), "{err}");
        }
        assert!(others.iter().all(|other| other.state() == before), "{what}");
    }
}
