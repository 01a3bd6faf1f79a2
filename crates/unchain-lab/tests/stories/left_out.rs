//! The lines that the lab does not play, each with its reason. A line that is not listed has to be played.

use unchain_lab::story::{LeftOut, Story};

/// Story, a part of the line, and why the lab cannot play it.
const LISTED: [(&str, &str, &str); 22] = [
    (
        "console-and-switch-role",
        "S SwitchRole shop/operator denied",
        "AWS does not document the page of a switch that is refused",
    ),
    ("federation", "GetCredentialsForIdentity", COGNITO),
    ("federation", "APP GetObject", COGNITO),
    ("role-chain", "reissues R2", REISSUED),
    ("role-chain", "NEW ListBuckets", REISSUED),
    (
        "whack-a-mole",
        "cloudtrail.amazonaws.com GetBucketAcl",
        "CloudTrail checks its bucket where a trail has one; the story's trail is not in its accounts",
    ),
    (
        "whack-a-mole",
        "via cloudformation.amazonaws.com",
        FORWARDED,
    ),
    ("workloads", "CreateTrustAnchor", ANYWHERE),
    ("workloads", "TASK Query", "the lab's tables have no Query"),
    ("workloads", "AssumeRoleForPodIdentity", PODS),
    ("workloads", "POD GetItem", PODS),
    ("workloads", "POD AssumeRole", PODS),
    ("workloads", "HP ListBuckets", PODS),
    ("workloads", "certificate build-host-1", ANYWHERE),
    ("workloads", "RA PutObject", ANYWHERE),
    ("workloads", "RA CreateSession", ANYWHERE),
    ("workloads", "EX GetObject", ANYWHERE),
    ("workloads", "RA GetDataAccess", ANYWHERE),
    ("workloads", "DA GetObject", ANYWHERE),
    ("workloads", "CreateStack shop via", FORWARDED),
    ("workloads", "Decrypt alias/shop via", FORWARDED),
    ("workloads", "GenerateDataKey alias/shop via", FORWARDED),
];

const COGNITO: &str = "the lab has no Cognito";
const REISSUED: &str = "AWS gives an id out again when it likes; no client can ask for it";
const FORWARDED: &str =
    "no client can ask a service to forward its call; services do it for their own work";
const ANYWHERE: &str = "the lab has no certificates, and this is what a certificate's session does";
const PODS: &str = "the lab hands a pod its credentials, but has no EKS that logs the agent's call";

/// Lines that were left out and are not listed, and listed ones that were played.
pub(crate) fn differences(story: &Story, left_out: &[LeftOut]) -> Vec<String> {
    let lines: Vec<&str> = story.text.lines().collect();
    let listed = |out: &&LeftOut| {
        let line = lines.get(out.line - 1).copied().unwrap_or_default();
        let fits =
            |(name, part, _): &(&str, &str, &str)| *name == story.name && line.contains(part);
        !LISTED.iter().any(fits)
    };
    let unlisted = left_out.iter().filter(listed);
    let line =
        |out: &LeftOut| format!("{}: line {} is left out: {}", story.name, out.line, out.why);
    let played = |(name, part, _): &&(&str, &str, &str)| {
        let fits = |out: &LeftOut| {
            lines
                .get(out.line - 1)
                .is_some_and(|line| line.contains(part))
        };
        *name == story.name && !left_out.iter().any(fits)
    };
    let stale = LISTED.iter().filter(played);
    let stale = stale.map(|(name, part, _)| format!("{name}: `{part}` is listed, and is played"));
    unlisted.map(line).chain(stale).collect()
}

#[test]
fn every_listed_line_is_one_of_its_story() {
    for (name, part, why) in LISTED {
        let story = Story::named(name).unwrap();
        assert!(
            story.text.lines().any(|line| line.contains(part)),
            "{name}: {part}"
        );
        assert!(why.len() > 20 && !why.ends_with('.'), "{name}: {why}");
    }
}
