//! STS (docs.aws.amazon.com/STS/latest/APIReference).

use crate::value::members;

super::actions! {
    aws_sdk_sts::Client;
    "GetCallerIdentity" get_caller_identity []
        |of| members!(of; "UserId" text user_id, "Account" text account, "Arn" text arn);
}
