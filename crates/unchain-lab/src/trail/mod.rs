//! CloudTrail: what is written down of every call, and how it is delivered. [`record`] makes the records of a call
//! and [`emit`] takes one that is no call's (sign-in, services); from there each goes to the event history and to
//! every trail that wants it. It must not know what an operation does.

pub mod api;
mod bucket_check;
mod deliver;
mod digest;
pub mod draft;
pub mod elements;
mod history;
pub mod identity;
mod keys;
mod lookup;
mod place;
mod record;
mod selector;
mod trails;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Call, Fault, Reply};
use crate::world::World;

pub use api::OPERATIONS;
pub use deliver::{Buffer, deliver_all, deliver_due};
pub use digest::{Chain, LogFile, Previous};
pub use draft::Draft;
pub use history::History;
pub use keys::{Key, Keys};
pub use trails::{Place, Status, Trail};

/// Stands in place of the ARN of the lab's own trail.
const OWN: &str = "lab";

/// Trails, what is waiting to be delivered, and the event history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// Trails by ARN; the lab's own is among them under a name that is no ARN.
    trails: BTreeMap<String, Trail>,
    /// What waits to be delivered.
    buffers: BTreeMap<String, Buffer>,
    /// When something is due next, virtual seconds since 1970; `i64::MAX`: nothing waits.
    due: i64,
    /// What digests are signed with.
    keys: Keys,
    /// What `LookupEvents` finds. It is not kept in the state's file: it begins anew with the program.
    #[serde(skip)]
    history: History,
}

impl Default for State {
    fn default() -> Self {
        Self {
            trails: BTreeMap::new(),
            buffers: BTreeMap::new(),
            due: i64::MAX,
            keys: Keys::default(),
            history: History::default(),
        }
    }
}

/// Sets the folder that the lab's own trail delivers to, besides the trails that accounts create. It takes the
/// events of all accounts and regions and cannot be stopped by them.
pub fn deliver_to(world: &mut World, folder: Option<PathBuf>) {
    match folder {
        None => world.trail.trails.remove(OWN),
        Some(folder) => {
            let trail = Trail::of_folder(folder);
            world.trail.trails.insert(OWN.to_owned(), trail)
        }
    };
}

/// Answers the control address: `path` is what follows `/_lab/trail/`. `deliver`: all that waits is delivered now;
/// `folder`: the lab's own trail goes to the `folder` of `body`, or with none nowhere.
///
/// # Errors
///
/// Any other path.
pub fn control(world: &mut World, path: &str, body: &Value) -> Result<Value, Fault> {
    match path.trim_matches('/') {
        "deliver" => deliver_all(world),
        "folder" => {
            let folder = body.get("folder").and_then(Value::as_str);
            deliver_to(world, folder.map(PathBuf::from));
        }
        _ => {
            return Err(Fault::api(
                404,
                "NotFound",
                "`deliver` and `folder` are known",
            ));
        }
    }
    Ok(serde_json::json!({"waiting": world.trail.buffers.len()}))
}

/// Writes the records of a call.
pub fn record(world: &mut World, call: &Call<'_>, outcome: &Result<Reply, Fault>) {
    let happened = record::Happened { call, outcome };
    for draft in record::drafts(world, &happened) {
        emit(world, draft);
    }
}

/// Writes one record.
pub fn emit(world: &mut World, mut draft: Draft) {
    if !world.accounts.contains_key(&draft.account) {
        return;
    }
    if !is_region(&draft.region) {
        "us-east-1".clone_into(&mut draft.region);
    }
    let event_id = world.ids.guid();
    let record = draft.write(&event_id, world.time());
    let at = draft.at.unwrap_or(world.time()).seconds();
    let text = record.to_string();
    deliver::accept(world, &draft, (at, &text));
    if draft.category == draft::Category::Management {
        world.trail.history.add(&record, (at, text));
    }
}

/// Whether text has the form of a region: what a client signs for becomes part of a path.
fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(place), Some(number)) = (parts.next(), parts.next_back()) else {
        return false;
    };
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 24
        && word(place)
        && parts.clone().count() >= 1
        && parts.all(word)
        && number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
