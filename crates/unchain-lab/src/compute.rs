//! PLACE.

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// The state of the services.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {}

/// EC2's operations.
pub const EC2: &[Operation] = &[];
/// Lambda's operations.
pub const LAMBDA: &[Operation] = &[];
/// DynamoDB's operations.
pub const DYNAMODB: &[Operation] = &[];
/// Secrets Manager's operations.
pub const SECRETS_MANAGER: &[Operation] = &[];
