//! PLACE.

use crate::operation::Operation;

/// Its operations.
pub const OPERATIONS: &[Operation] = &[];
