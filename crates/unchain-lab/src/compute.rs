//! PLACE.

use crate::operation::Operation;

/// EC2's operations.
pub const EC2: &[Operation] = &[];
/// Lambda's operations.
pub const LAMBDA: &[Operation] = &[];
/// DynamoDB's operations.
pub const DYNAMODB: &[Operation] = &[];
/// Secrets Manager's operations.
pub const SECRETS_MANAGER: &[Operation] = &[];
