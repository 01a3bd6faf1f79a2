//! ATT&CK techniques by their number: name, tactics, page. Facts: attack.mitre.org/versions/v16, since
//! later versions split the tactic Defense Evasion in two. Must not know any detection.

/// The version of ATT&CK that names and tactics are taken from.
pub const VERSION: &str = "16.1";

/// Why an adversary does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tactic {
    /// TA0001.
    InitialAccess,
    /// TA0002.
    Execution,
    /// TA0003.
    Persistence,
    /// TA0004.
    PrivilegeEscalation,
    /// TA0005.
    DefenseEvasion,
    /// TA0006.
    CredentialAccess,
    /// TA0007.
    Discovery,
    /// TA0008.
    LateralMovement,
    /// TA0009.
    Collection,
    /// TA0010.
    Exfiltration,
    /// TA0040.
    Impact,
}

impl Tactic {
    /// Its number, such as `TA0003` (attack.mitre.org/tactics/enterprise).
    pub fn id(self) -> &'static str {
        self.words().0
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::InitialAccess => ("TA0001", "Initial Access"),
            Self::Execution => ("TA0002", "Execution"),
            Self::Persistence => ("TA0003", "Persistence"),
            Self::PrivilegeEscalation => ("TA0004", "Privilege Escalation"),
            Self::DefenseEvasion => ("TA0005", "Defense Evasion"),
            Self::CredentialAccess => ("TA0006", "Credential Access"),
            Self::Discovery => ("TA0007", "Discovery"),
            Self::LateralMovement => ("TA0008", "Lateral Movement"),
            Self::Collection => ("TA0009", "Collection"),
            Self::Exfiltration => ("TA0010", "Exfiltration"),
            Self::Impact => ("TA0040", "Impact"),
        }
    }
}

/// How an adversary does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Technique {
    /// Its number; one with a dot is a sub-technique.
    pub id: &'static str,
    /// Its own name, without that of the technique above it.
    pub name: &'static str,
    /// Its tactics.
    pub tactics: &'static [Tactic],
}

impl Technique {
    /// The technique with this number.
    pub fn find(id: &str) -> Option<&'static Self> {
        TECHNIQUES.iter().find(|technique| technique.id == id)
    }

    /// The technique of which this is a part; none if it is whole.
    pub fn parent(&self) -> Option<&'static Self> {
        let (above, _) = self.id.split_once('.')?;
        Self::find(above)
    }

    /// Its name with that of the technique above it, as ATT&CK writes it.
    pub fn full_name(&self) -> String {
        match self.parent() {
            Some(parent) => format!("{}: {}", parent.name, self.name),
            None => self.name.to_owned(),
        }
    }

    /// Its page, as of [`VERSION`].
    pub fn url(&self) -> String {
        let path = self.id.replace('.', "/");
        format!("https://attack.mitre.org/versions/v16/techniques/{path}/")
    }
}

const fn technique(id: &'static str, name: &'static str, tactics: &'static [Tactic]) -> Technique {
    Technique { id, name, tactics }
}

use Tactic::{
    Collection, CredentialAccess, DefenseEvasion, Discovery, Execution, Exfiltration, Impact,
    InitialAccess, LateralMovement, Persistence, PrivilegeEscalation,
};

const VALID: &[Tactic] = &[
    InitialAccess,
    Persistence,
    PrivilegeEscalation,
    DefenseEvasion,
];
const ACCOUNT: &[Tactic] = &[Persistence, PrivilegeEscalation];
const ELEVATE: &[Tactic] = &[PrivilegeEscalation, DefenseEvasion];
const MATERIAL: &[Tactic] = &[DefenseEvasion, LateralMovement];
const PROCESS: &[Tactic] = &[Persistence, DefenseEvasion, CredentialAccess];

/// What detections of credential abuse refer to, by number.
pub const TECHNIQUES: &[Technique] = &[
    technique("T1021", "Remote Services", &[LateralMovement]),
    technique("T1021.007", "Cloud Services", &[LateralMovement]),
    technique("T1069", "Permission Groups Discovery", &[Discovery]),
    technique("T1069.003", "Cloud Groups", &[Discovery]),
    technique("T1078", "Valid Accounts", VALID),
    technique("T1078.001", "Default Accounts", VALID),
    technique("T1078.004", "Cloud Accounts", VALID),
    technique("T1087", "Account Discovery", &[Discovery]),
    technique("T1087.004", "Cloud Account", &[Discovery]),
    technique("T1098", "Account Manipulation", ACCOUNT),
    technique("T1098.001", "Additional Cloud Credentials", ACCOUNT),
    technique("T1098.003", "Additional Cloud Roles", ACCOUNT),
    technique("T1098.005", "Device Registration", ACCOUNT),
    technique("T1110", "Brute Force", &[CredentialAccess]),
    technique("T1110.001", "Password Guessing", &[CredentialAccess]),
    technique(
        "T1111",
        "Multi-Factor Authentication Interception",
        &[CredentialAccess],
    ),
    technique("T1119", "Automated Collection", &[Collection]),
    technique("T1136", "Create Account", &[Persistence]),
    technique("T1136.003", "Cloud Account", &[Persistence]),
    technique("T1199", "Trusted Relationship", &[InitialAccess]),
    technique("T1484", "Domain or Tenant Policy Modification", ELEVATE),
    technique("T1484.002", "Trust Modification", ELEVATE),
    technique("T1485", "Data Destruction", &[Impact]),
    technique("T1486", "Data Encrypted for Impact", &[Impact]),
    technique("T1496", "Resource Hijacking", &[Impact]),
    technique("T1526", "Cloud Service Discovery", &[Discovery]),
    technique(
        "T1528",
        "Steal Application Access Token",
        &[CredentialAccess],
    ),
    technique("T1530", "Data from Cloud Storage", &[Collection]),
    technique("T1531", "Account Access Removal", &[Impact]),
    technique("T1537", "Transfer Data to Cloud Account", &[Exfiltration]),
    technique("T1538", "Cloud Service Dashboard", &[Discovery]),
    technique("T1539", "Steal Web Session Cookie", &[CredentialAccess]),
    technique("T1548", "Abuse Elevation Control Mechanism", ELEVATE),
    technique("T1548.005", "Temporary Elevated Cloud Access", ELEVATE),
    technique("T1550", "Use Alternate Authentication Material", MATERIAL),
    technique("T1550.001", "Application Access Token", MATERIAL),
    technique("T1550.004", "Web Session Cookie", MATERIAL),
    technique("T1552", "Unsecured Credentials", &[CredentialAccess]),
    technique(
        "T1552.005",
        "Cloud Instance Metadata API",
        &[CredentialAccess],
    ),
    technique(
        "T1555",
        "Credentials from Password Stores",
        &[CredentialAccess],
    ),
    technique(
        "T1555.006",
        "Cloud Secrets Management Stores",
        &[CredentialAccess],
    ),
    technique("T1556", "Modify Authentication Process", PROCESS),
    technique("T1556.006", "Multi-Factor Authentication", PROCESS),
    technique("T1562", "Impair Defenses", &[DefenseEvasion]),
    technique("T1562.001", "Disable or Modify Tools", &[DefenseEvasion]),
    technique(
        "T1562.008",
        "Disable or Modify Cloud Logs",
        &[DefenseEvasion],
    ),
    technique("T1566", "Phishing", &[InitialAccess]),
    technique(
        "T1578",
        "Modify Cloud Compute Infrastructure",
        &[DefenseEvasion],
    ),
    technique("T1580", "Cloud Infrastructure Discovery", &[Discovery]),
    technique("T1606", "Forge Web Credentials", &[CredentialAccess]),
    technique("T1606.002", "SAML Tokens", &[CredentialAccess]),
    technique("T1619", "Cloud Storage Object Discovery", &[Discovery]),
    technique(
        "T1621",
        "Multi-Factor Authentication Request Generation",
        &[CredentialAccess],
    ),
    technique("T1651", "Cloud Administration Command", &[Execution]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::REGISTRY;

    #[test]
    fn every_technique_of_a_detection_is_known() {
        for detection in REGISTRY {
            for id in detection.techniques {
                assert!(Technique::find(id).is_some(), "{}: {id}", detection.id);
            }
        }
    }

    #[test]
    fn techniques_stand_once_in_order_below_their_parents() {
        let ids: Vec<&str> = TECHNIQUES.iter().map(|t| t.id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for technique in TECHNIQUES {
            assert_eq!(
                technique.parent().is_some(),
                technique.id.contains('.'),
                "{}",
                technique.id
            );
            assert!(!technique.tactics.is_empty());
        }
    }

    #[test]
    fn a_part_is_named_with_its_whole() {
        let technique = Technique::find("T1078.004").unwrap();
        assert_eq!(technique.full_name(), "Valid Accounts: Cloud Accounts");
        assert_eq!(
            technique.url(),
            "https://attack.mitre.org/versions/v16/techniques/T1078/004/"
        );
        assert_eq!(
            Technique::find("T1538").unwrap().full_name(),
            "Cloud Service Dashboard"
        );
    }
}
