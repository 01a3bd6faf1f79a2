//! Stories: trails in the trail language, played against a lab through real API calls. The language says what each
//! line asks; the answers are the lab's, and are compared with what the line says of them.
//!
//! What it must not know: how the lab decides. It reaches a lab only as its clients and its operator do, but for the
//! stage, which stands before the first call.

mod answer;
mod assertion;
mod cli;
mod cut;
mod desk;
mod keys;
mod known;
mod library;
mod logs;
mod machines;
mod noise;
mod params;
mod player;
mod request;
mod stage;
mod told;
mod trust;
mod wire;

pub use cut::{LeftOut, playable};
pub use keys::Keys;
pub use library::{STORIES, Story};
pub use noise::with_noise;
pub use player::Player;
pub use told::Told;
pub use wire::{Client, Place, Wire};

use serde_json::Value;
use unchain_trail::Trail;

use crate::call::Fault;
use crate::world::World;

/// What the control address offers to players: `cast` sets up what the story in `story` takes for granted, and gives
/// secrets of its keys and seeds of its devices.
///
/// # Errors
///
/// A story that cannot be read, or set up.
pub fn control(world: &mut World, path: &str, body: &Value) -> Result<Value, Fault> {
    if path != "cast" {
        return Err(Fault::api(
            404,
            "NotFound",
            format!("stories have no `{path}`"),
        ));
    }
    let text = body
        .get("story")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let trail = Trail::parse(text).map_err(|error| Fault::validation(error.to_string()))?;
    let stage = stage::set(world, &trail.script())?;
    serde_json::to_value(stage).map_err(|error| Fault::validation(error.to_string()))
}
