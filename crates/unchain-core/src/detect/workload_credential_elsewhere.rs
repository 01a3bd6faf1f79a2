//! The session of an instance, function, task or pod, used from another place than its workload.

use super::visit::{addresses, records, told};
use super::workloads::{Stray, Tell, strays};
use super::{Detection, Scene};
use crate::finding::{Confidence, Draft, Severity};

/// Workload credentials used elsewhere.
pub(super) const DETECTION: Detection = Detection {
    id: "workload-credential-elsewhere",
    title: "Workload credential used elsewhere",
    severity: Severity::High,
    techniques: &["T1552.005", "T1550.001", "T1078.004"],
    finds: "A role session of an EC2 instance, function, task or pod is used from a network that is not the \
        workload's, while the workload goes on at home; or with a program for macOS; or from where somebody had \
        just sent the instance a command. All sessions of one workload are judged together.",
    matters: "The credential was read from the workload's metadata service or memory. Whoever has it acts with the \
        workload's role until it expires, and can fetch the next one for as long as the way in is open.",
    evaded: "Use through the workload itself or its network, or a workload that the log does not show at home. \
        The user agent of an agent such as that of Systems Manager makes any network look like a home.",
    false_positives: &[
        "A workload that moves as a whole, and a second address of the same machine (VPC endpoint, IPv6): let through.",
        "A network from which agents of other machines report, or that three keys of the workload used: its own.",
        "Another address with the same user agent, such as a second NAT gateway: low.",
    ],
    references: &[
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html",
        "https://hackingthe.cloud/aws/exploitation/ec2-metadata-ssrf/",
    ],
    run,
};

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    found.extend(strays(scene).iter().filter_map(|stray| draft(scene, stray)));
}

fn draft(scene: &Scene<'_, '_>, stray: &Stray<'_>) -> Option<Draft> {
    let begin = stray.away.first()?;
    let confidence = match stray.tell {
        Tell::Program => Confidence::High,
        Tell::System | Tell::Commanded(_) | Tell::Version => Confidence::Medium,
        Tell::Network => Confidence::Low,
    };
    let calls = told(
        scene,
        stray.away.iter().flat_map(|v| v.uses.iter().copied()),
    );
    let from = addresses(scene, &stray.away);
    let what = format!(
        "{} was used from {from} with {}{}: {calls}",
        scene.label(begin.node),
        begin.text,
        why(scene, stray),
    );
    let network = scene.networks.name(begin.network);
    let draft = Draft::new(begin.node, what)
        .distinct(network)
        .severity(stray.tell.severity())
        .confidence(confidence)
        .also(stray.away.iter().chain(&stray.home).map(|visit| visit.node))
        .seen_in(records(scene, &stray.away));
    Some(match stray.tell {
        Tell::System => draft.not_visible(
            "Whether the address is the workload's: only the user agent tells, and it can be set at will.",
        ),
        Tell::Commanded(_) => draft.from(begin.symbol(scene)).not_visible(
            "From where the workload itself calls: no other use of its credentials is logged.",
        ),
        Tell::Program | Tell::Version | Tell::Network => draft.from(begin.symbol(scene)),
    })
}

/// What makes it odd, in words.
fn why(scene: &Scene<'_, '_>, stray: &Stray<'_>) -> String {
    match stray.tell {
        Tell::System if stray.home.is_empty() => ", a program for macOS".to_owned(),
        Tell::System => format!(
            ", a program for macOS, while the workload is at {}",
            addresses(scene, &stray.home)
        ),
        Tell::Commanded(who) => format!(
            ", where {} had just sent a command to an instance",
            scene.label(who)
        ),
        Tell::Program | Tell::Version | Tell::Network => {
            format!(
                ", while the workload went on at {}",
                addresses(scene, &stray.home)
            )
        }
    }
}
