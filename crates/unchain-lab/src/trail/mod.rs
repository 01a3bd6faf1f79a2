//! PLACE.

use serde::{Deserialize, Serialize};

use crate::call::{Call, Fault, Reply};
use crate::operation::Operation;
use crate::world::World;

/// Trails, what is waiting to be delivered, and the event history.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {}

/// CloudTrail's own operations.
pub const OPERATIONS: &[Operation] = &[];

/// Writes the record of a call.
pub fn record(_world: &mut World, _call: &Call<'_>, _outcome: &Result<Reply, Fault>) {}

/// Delivers what is due at the world's time.
pub fn deliver_due(_world: &mut World) {}
