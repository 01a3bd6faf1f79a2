//! Plays a text in a lab of its own and reads what was delivered, as any log is read.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use unchain_core::ledger::Ledger;
use unchain_core::record::plain;
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::story::{Client, LeftOut, Place, Player, Told, Wire, playable};
use unchain_lab::trail::deliver_to;
use unchain_lab::world::{Settings, World};
use unchain_trail::Truth;

/// A host clock that stands: the story turns the lab's.
fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_000_000)
}

/// A story that was played.
pub(crate) struct Played {
    /// Its truth, under the lab's identifiers.
    pub(crate) truth: Truth,
    /// What went otherwise than told.
    pub(crate) wrong: Vec<String>,
    /// The lines that were not played.
    pub(crate) left_out: Vec<LeftOut>,
    /// The accounts whose trails are in our hands.
    pub(crate) logged: Vec<String>,
    /// What the delivered logs say.
    pub(crate) ledger: Ledger,
}

/// Plays a text.
pub(crate) fn play(text: &str, settings: Settings) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let (trail, left_out) = playable(text).unwrap();
    let accounts = trail.script().cast.accounts;
    let logged = accounts.into_iter().filter(|account| account.logged);
    let logged: Vec<String> = logged.map(|account| account.number).collect();
    let lab = Lab::new(World::new(7, settings));
    deliver_to(&mut lab.world(), Some(folder.path().to_owned()));
    let wire = Wire {
        place: Place::Here(&lab),
        client: Client::Own,
        now,
    };
    let mut player = Player::new(wire, &trail).unwrap();
    let mut wrong = Vec::new();
    let mut say = |told: &Told| {
        wrong.extend(told.trouble.as_ref().map(|_| told.to_string()));
        Ok(())
    };
    player.play(&mut say).unwrap();
    let (truth, differences) = player.truth(Some(folder.path())).unwrap();
    wrong.extend(differences);
    let ledger = ledger(folder.path(), &logged);
    Played {
        truth,
        wrong,
        left_out,
        logged,
        ledger,
    }
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("CloudTrail-Digest") {
            files(&path, out);
        } else if path.to_string_lossy().ends_with(".json.gz") {
            out.push(path);
        }
    }
}

/// What the logs of those accounts say.
fn ledger(logs: &Path, logged: &[String]) -> Ledger {
    let mut found = Vec::new();
    files(logs, &mut found);
    let mut ledger = Ledger::default();
    for path in found {
        let mut text = String::new();
        let file = std::fs::File::open(path).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let log: serde_json::Value = serde_json::from_str(&text).unwrap();
        for record in log.get("Records").unwrap().as_array().unwrap() {
            let recipient = record.get("recipientAccountId").unwrap().as_str().unwrap();
            if logged.iter().any(|account| account == recipient) {
                ledger.apply(&plain(record).unwrap());
            }
        }
    }
    ledger.settle();
    ledger
}
