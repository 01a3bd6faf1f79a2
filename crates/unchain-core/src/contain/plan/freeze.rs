//! The freeze: while a lineage is being contained, nobody in its accounts makes credentials or changes permissions.
//!
//! A deny needs seconds until it is in force everywhere (IAM User Guide, "Troubleshoot IAM", changes that are not
//! immediately visible). In these seconds an attacker who watches strips it, or makes a principal that the plan does
//! not know. A service control policy cannot be stripped from within the account, and it speaks to every principal
//! there, also to those that are made meanwhile. It does not reach the management account, service-linked roles, and
//! who comes in by a provider's token (AWS Organizations User Guide, "Service control policies").

use super::super::owner::Owner;
use super::denies::document;
use super::make::Ground;
use super::scp::{Room, SCP, attach, exempt_arns, is_arn};
use super::steps::{About, Steps};
use super::{Break, Phase, Step};
use crate::text::Untrusted;
use serde_json::{Value, json};

/// The `Sid` of the statement.
pub(crate) const FREEZE_SID: &str = "UnchainFreeze";

/// The calls that make or change credentials and permissions, by the service authorization reference
/// (docs.aws.amazon.com/service-authorization/latest/reference/): every write of IAM, what STS and the sign-in service
/// issue to a caller of the account, Roles Anywhere, Identity Center, the ways to run code under a role of somebody
/// else, and leaving the organization or changing its policies as its delegated administrator.
const FROZEN: [&str; 50] = [
    "iam:Add*",
    "iam:Attach*",
    "iam:ChangePassword",
    "iam:Create*",
    "iam:Deactivate*",
    "iam:Delete*",
    "iam:Detach*",
    "iam:Disable*",
    "iam:Enable*",
    "iam:PassRole",
    "iam:Put*",
    "iam:Remove*",
    "iam:Reset*",
    "iam:Resync*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:Update*",
    "iam:Upload*",
    "sts:AssumeRole",
    "sts:AssumeRoot",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
    "sts:GetWebIdentityToken",
    "signin:AuthorizeOAuth2Access",
    "signin:CreateOAuth2Token",
    "rolesanywhere:Create*",
    "rolesanywhere:Enable*",
    "rolesanywhere:Put*",
    "rolesanywhere:Update*",
    "sso:Attach*",
    "sso:Create*",
    "sso:Provision*",
    "sso:Put*",
    "sso:Update*",
    "identitystore:Create*",
    "identitystore:Update*",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "ec2:ModifyInstanceAttribute",
    "ecs:ExecuteCommand",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ssm:ResumeSession",
    "organizations:LeaveOrganization",
    "organizations:DetachPolicy",
    "organizations:DeletePolicy",
    "organizations:UpdatePolicy",
    "organizations:DisablePolicyType",
    "organizations:MoveAccount",
];

const WHY: &str = "denies need seconds: until all of them are in force, nobody may make credentials or strip policies";

const COST: &str = "nobody but the exempt principals can change IAM, take a role from within the account, ask for \
    session tokens, update functions or open sessions on machines, until the plan is undone";

impl Steps {
    /// The freeze of one account, in front of everything else; says why where there cannot be one. Gives the slots for
    /// service control policies that are left.
    pub(super) fn freeze(
        &mut self,
        ground: &Ground<'_>,
        (account, subjects): (&str, &[u32]),
        room: Room,
    ) -> Room {
        if !ground.settings.freeze {
            return room;
        }
        let levels = ground.facts.scps(account);
        let statement = statement(ground);
        let content = document(std::slice::from_ref(&statement));
        let why = if levels.is_empty() {
            "it cannot be frozen, as no service control policy reaches its account: an attacker who is quicker than a \
             deny can strip it, or make other credentials"
        } else if !has_exempt(ground, account) {
            "its account cannot be frozen: name an exempt principal of that account, or nobody could carry out the rest"
        } else if levels
            .iter()
            .any(|level| level.policies.values().any(|held| holds(held, &statement)))
        {
            return room;
        } else if content.to_string().len() > SCP || room.0 == 0 {
            "no room for a service control policy that freezes its account: detach one first"
        } else {
            let breaks = [Break {
                who: Untrusted::new(account),
                what: COST.to_owned(),
            }];
            let about = About {
                breaks: &breaks,
                ..About::new(Phase::Organization, account, WHY, subjects)
            };
            let name = format!("{}-freeze-{account}", ground.policy_name());
            attach(self, ground, about, (&name, content));
            return Room(room.0 - 1);
        };
        self.leave_open(subjects, ground.subjects, why);
        room
    }
}

/// The deny of all that is frozen, to all but the exempt.
fn statement(ground: &Ground<'_>) -> Value {
    let exempt = exempt_arns(ground);
    json!({"Sid": FREEZE_SID, "Effect": "Deny", "Action": FROZEN.as_slice(), "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": exempt}}})
}

/// Whether who carries out the plan could go on in an account that is frozen.
fn has_exempt(ground: &Ground<'_>, account: &str) -> bool {
    let exempt = ground.settings.exempt.iter().map(Untrusted::raw);
    let mut owners = exempt.filter(|arn| is_arn(arn)).filter_map(Owner::of_arn);
    owners.any(|owner| owner.account.raw() == account)
}

/// Whether a policy that is in force has a statement already.
fn holds(policy: &Value, statement: &Value) -> bool {
    let statements = policy.get("Statement").map(crate::deed::listed);
    statements.is_some_and(|list| list.contains(&statement))
}

/// The account that a step freezes, if it does.
pub(crate) fn frozen(step: &Step) -> Option<&str> {
    let super::Action::Call(call) = &step.action else {
        return None;
    };
    let content = call.parameters.get("Content")?;
    let sid = content.pointer("/Statement/0/Sid").and_then(Value::as_str);
    (sid == Some(FREEZE_SID)).then(|| step.target.raw())
}
