//! PLACE.

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// The state of the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {}

/// Its operations.
pub const OPERATIONS: &[Operation] = &[];
