//! Fitting statements into the room that IAM leaves.
//!
//! Quotas: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. IAM does not count white space.

use super::super::facts::{Account, Facts, Policies};
use super::super::owner::{Owner, OwnerKind};
use super::Subject;
use super::denies::{Target, document};
use crate::time::Timestamp;
use serde_json::Value;

/// Characters of all inline policies of a user together.
const USER_INLINE: usize = 2_048;
/// Characters of all inline policies of a role together.
const ROLE_INLINE: usize = 10_240;
/// Characters of a managed policy.
pub(crate) const MANAGED: usize = 6_144;
/// Managed policies attached to a user or role, unless the quota was raised.
const ATTACHED: usize = 10;
/// Values of `aws:userid` in one managed policy: an id has at most 21 characters, a session name 64.
const IDS_PER_POLICY: usize = 60;

/// Where the denies of a target go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// The inline policy.
    pub(super) inline: Option<Value>,
    /// Managed policies, when the inline one has no room for all.
    pub(super) managed: Vec<Value>,
    /// Sessions are cut off by time only, because their ids have no room.
    pub(super) ids_left_out: bool,
}

/// Characters that IAM counts.
pub(crate) fn size(document: &Value) -> usize {
    document
        .to_string()
        .chars()
        .filter(|c| !c.is_whitespace())
        .count()
}

/// Characters of all inline policies of a user or role together.
pub(crate) fn inline_quota(kind: OwnerKind) -> usize {
    match kind {
        OwnerKind::User | OwnerKind::Root => USER_INLINE,
        OwnerKind::Role => ROLE_INLINE,
    }
}

/// The room for inline policies that is left on a user or role, `except` put anew; all of it where they were not read.
pub(crate) fn inline_room(kind: OwnerKind, held: Option<&Policies>, except: &str) -> usize {
    let inline = held.into_iter().flat_map(|held| &held.inline);
    let used = inline
        .filter(|(name, _)| *name != except)
        .map(|(_, document)| size(document));
    inline_quota(kind).saturating_sub(used.sum())
}

/// How many managed policies a user or role of an account may have, by its own quota where that was read
/// (IAM API Reference, "GetAccountSummary").
pub(crate) fn attached_quota(account: Option<&Account>, kind: OwnerKind) -> usize {
    let name = match kind {
        OwnerKind::User | OwnerKind::Root => "AttachedPoliciesPerUserQuota",
        OwnerKind::Role => "AttachedPoliciesPerRoleQuota",
    };
    let quota = account.and_then(|account| account.summary.get(name));
    let quota = quota.and_then(|&quota| usize::try_from(quota).ok());
    quota.unwrap_or(ATTACHED)
}

/// How many managed policies can still be attached.
pub(crate) fn attachable(facts: &Facts, owner: &Owner) -> usize {
    let account = facts.accounts.get(owner.account.raw());
    let held = facts.policies(owner).map_or(0, |held| held.attached.len());
    attached_quota(account, owner.kind).saturating_sub(held)
}

/// Room on a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) inline: usize,
    pub(super) managed: usize,
}

/// Packs the denies of a target; none if there is room for nothing.
pub(super) fn pack(
    target: &Target,
    subjects: &[Subject],
    cut: Timestamp,
    room: Room,
) -> Option<Packed> {
    let ids: Vec<String> = target.user_ids(subjects).into_iter().collect();
    // A role that is cut off by time has no source identities, so a cut-off never shares a policy with them.
    let time = target.issued_before(cut).into_iter();
    let time: Vec<Value> = time.chain(target.by_source_identity()).collect();
    let with = |ids: &[String]| target.by_user_id(ids);
    let packed = |inline, managed, ids_left_out| {
        Some(Packed {
            inline,
            managed,
            ids_left_out,
        })
    };
    let all = document(&time.iter().cloned().chain(with(&ids)).collect::<Vec<_>>());
    if size(&all) <= room.inline {
        return packed(Some(all), Vec::new(), false);
    }
    let short = document(&time);
    let inline = Some(short.clone()).filter(|short| !time.is_empty() && size(short) <= room.inline);
    let mut managed: Vec<Value> = Vec::new();
    if inline.is_none() && !time.is_empty() {
        managed.push(short);
    }
    let whole = with(&[]);
    if ids.is_empty() && !whole.is_empty() {
        managed.push(document(&whole));
    }
    managed.extend(ids.chunks(IDS_PER_POLICY).map(|ids| document(&with(ids))));
    if managed.len() <= room.managed {
        return packed(inline, managed, false);
    }
    if target.all_identified && inline.is_some() {
        return packed(inline, Vec::new(), false);
    }
    // Too many sessions to name: everyone's are cut off.
    let cut = document(&[super::denies::issued_before(cut)]);
    if size(&cut) <= room.inline {
        return packed(Some(cut), Vec::new(), true);
    }
    (room.managed > 0).then_some(Packed {
        inline: None,
        managed: vec![cut],
        ids_left_out: true,
    })
}

#[cfg(test)]
mod tests {
    use super::super::denies::Width;
    use super::*;
    use crate::text::Untrusted;

    /// So many sessions of one role, with names as long as AWS allows.
    fn crowd(count: usize) -> (Target, Vec<Subject>) {
        let subject = |n: usize| Subject {
            kind: Untrusted::new("temporary-credential"),
            access_key_id: None,
            principal_arn: None,
            user_id: Some(Untrusted::new(format!("AROAEXAMPLEEXAMPLE000:{n:064}"))),
            source_identity: None,
            account: None,
            owner: None,
            credential: true,
            by_lineage: false,
            long_term: false,
            issued_at: None,
            expires_at: None,
            status: Untrusted::new("alive"),
            actions: Vec::new(),
            evidence: Vec::new(),
        };
        let target = Target {
            owner: Owner::of_arn("arn:aws:iam::111122223333:role/app").unwrap(),
            id: None,
            width: Width::Sessions,
            identities: ["eve".to_owned()].into(),
            all_identified: false,
            subjects: (0..u32::try_from(count).unwrap()).collect(),
            breaks: Vec::new(),
        };
        (target, (0..count).map(subject).collect())
    }

    fn packed(count: usize, inline: usize, managed: usize) -> Option<Packed> {
        let (target, subjects) = crowd(count);
        pack(
            &target,
            &subjects,
            Timestamp::from_seconds(0),
            Room { inline, managed },
        )
    }

    #[test]
    fn what_fits_inline_stays_inline() {
        let packed = packed(3, ROLE_INLINE, ATTACHED).unwrap();
        assert!(packed.managed.is_empty() && !packed.ids_left_out);
        assert!(size(&packed.inline.unwrap()) <= ROLE_INLINE);
    }

    #[test]
    fn many_sessions_are_spread_and_none_is_lost() {
        let packed = packed(400, ROLE_INLINE, ATTACHED).unwrap();
        assert!(
            packed.managed.len() <= ATTACHED && packed.managed.iter().all(|d| size(d) <= MANAGED)
        );
        let text: String = packed.managed.iter().map(Value::to_string).collect();
        assert!((0..400).all(|n| text.contains(&format!(":{n:064}\""))));
        let inline = packed.inline.unwrap().to_string();
        assert!(inline.contains(r#""aws:SourceIdentity":["eve"]"#));
    }

    #[test]
    fn too_many_to_name_are_all_cut_off() {
        let packed = packed(2_000, ROLE_INLINE, ATTACHED).unwrap();
        assert!(packed.ids_left_out && packed.managed.is_empty());
        assert!(
            packed
                .inline
                .unwrap()
                .to_string()
                .contains("aws:TokenIssueTime")
        );
    }

    #[test]
    fn too_many_to_name_are_told_apart_by_their_source_identity_if_all_have_one() {
        let (mut target, subjects) = crowd(2_000);
        target.all_identified = true;
        let room = Room {
            inline: ROLE_INLINE,
            managed: ATTACHED,
        };
        let packed = pack(&target, &subjects, Timestamp::from_seconds(0), room).unwrap();
        assert!(!packed.ids_left_out && packed.managed.is_empty());
        let inline = packed.inline.unwrap().to_string();
        assert!(inline.contains("aws:SourceIdentity") && !inline.contains("aws:TokenIssueTime"));
    }

    #[test]
    fn without_room_there_is_no_deny() {
        assert_eq!(packed(3, 10, 0), None);
    }
}
