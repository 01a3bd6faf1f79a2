//! What the path of a file in CloudTrail's S3 layout says about its content, before it is opened.
//!
//! `[prefix/]AWSLogs/[o-orgid/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/` followed by
//! `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_unique.json.gz`
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html).
//! Copies lose parts of it, so every part is optional. Must not open files.

use std::path::Path;
use unchain_core::time::Timestamp;

/// The tree of a trail that a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// `CloudTrail`: log files.
    Logs,
    /// `CloudTrail-NetworkActivity`: log files about VPC endpoints.
    NetworkActivity,
    /// `CloudTrail-Digest`: hashes of log files.
    Digest,
    /// `CloudTrail-Insight`: unusual activity, as statistics.
    Insight,
    /// `CloudTrail-Aggregated`: summaries of data events.
    Aggregated,
}

/// The parts of the layout that a path shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The tree.
    pub tree: Tree,
    /// The account that received the events, where the path shows exactly one.
    pub account: Option<String>,
    /// The region, where the path shows exactly one.
    pub region: Option<String>,
    /// The first and last instant that the name may stand for: one minute, or a day where only the
    /// folders show it. The time of writing the file; its events are earlier.
    pub written: Option<(Timestamp, Timestamp)>,
    /// Whether both the folder and the file's name show the tree.
    pub sure: bool,
}

impl Layout {
    /// Reads a path; `None` if nothing in it follows the layout.
    pub fn of(path: &Path) -> Option<Self> {
        let parts: Vec<&str> = path
            .iter()
            .map(|part| part.to_str().unwrap_or_default())
            .collect();
        let (name, folders) = parts.split_last()?;
        let name = NameParts::of(name);
        let folder = FolderParts::of(folders);
        let tree = folder.tree.or(name.tree)?;
        Some(Self {
            tree,
            account: agreed(folder.account, name.account),
            region: agreed(folder.region, name.region),
            written: name
                .minute
                .map(|t| (t, t.plus(59)))
                .or(folder.day.map(|t| (t, t.plus(86_399)))),
            sure: folder.tree.is_some() && folder.tree == name.tree,
        })
    }
}

/// What two sources say, unless they contradict each other.
fn agreed(one: Option<&str>, other: Option<&str>) -> Option<String> {
    match (one, other) {
        (Some(a), Some(b)) if a != b => None,
        (a, b) => a.or(b).map(str::to_owned),
    }
}

#[derive(Default)]
struct FolderParts<'a> {
    tree: Option<Tree>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    day: Option<Timestamp>,
}

impl<'a> FolderParts<'a> {
    fn of(folders: &[&'a str]) -> Self {
        let Some(at) = folders.iter().rposition(|part| tree(part).is_some()) else {
            return Self::default();
        };
        let part = |offset: usize| folders.get(at + offset).copied();
        Self {
            tree: part(0).and_then(tree),
            account: at
                .checked_sub(1)
                .and_then(|i| folders.get(i))
                .copied()
                .filter(|p| is_account(p)),
            region: part(1).filter(|p| is_region(p)),
            day: day(part(2), part(3), part(4)),
        }
    }
}

#[derive(Default)]
struct NameParts<'a> {
    tree: Option<Tree>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    minute: Option<Timestamp>,
}

impl<'a> NameParts<'a> {
    fn of(name: &'a str) -> Self {
        let mut parts = name.split('_');
        let account = parts.next().filter(|p| is_account(p));
        let Some(tree) = parts.next().and_then(tree) else {
            return Self::default();
        };
        Self {
            tree: Some(tree),
            account,
            region: parts.next().filter(|p| is_region(p)),
            minute: parts.find_map(minute),
        }
    }
}

fn tree(part: &str) -> Option<Tree> {
    match part {
        "CloudTrail" => Some(Tree::Logs),
        "CloudTrail-NetworkActivity" => Some(Tree::NetworkActivity),
        "CloudTrail-Digest" => Some(Tree::Digest),
        "CloudTrail-Insight" => Some(Tree::Insight),
        "CloudTrail-Aggregated" => Some(Tree::Aggregated),
        _ => None,
    }
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit())
}

/// `us-east-1`, `us-gov-west-1`, `ap-isob-east-1`: lower-case words and one number at the end.
fn is_region(part: &str) -> bool {
    let mut words = part.split('-');
    let number = words.next_back().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    (2..=4).contains(&words.len())
        && words
            .iter()
            .all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn day(year: Option<&str>, month: Option<&str>, day: Option<&str>) -> Option<Timestamp> {
    let (year, month, day) = (year?, month?, day?);
    let sized = year.len() == 4 && month.len() == 2 && day.len() == 2;
    sized.then(|| Timestamp::parse(&format!("{year}-{month}-{day}T00:00:00Z")))?
}

/// `20230710T1220Z`; digests and some copies add seconds.
fn minute(part: &str) -> Option<Timestamp> {
    let part = part.split('.').next()?;
    let digits = part.strip_suffix('Z')?;
    let (date, time) = digits.split_once('T')?;
    if date.len() != 8 || !matches!(time.len(), 4 | 6) {
        return None;
    }
    Timestamp::parse(&format!("{date}T{time:0<6}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(path: &str) -> Layout {
        Layout::of(Path::new(path)).expect(path)
    }

    #[test]
    fn the_whole_layout_with_prefix_and_organization() {
        let found = layout(
            "backup/AWSLogs/o-abc/111122223333/CloudTrail/us-gov-west-1/2024/02/29/111122223333_CloudTrail_us-gov-west-1_20240229T0305Z_AbCdEfGhIjKlMnOp.json.gz",
        );
        assert_eq!(found.tree, Tree::Logs);
        assert_eq!(found.account.as_deref(), Some("111122223333"));
        assert_eq!(found.region.as_deref(), Some("us-gov-west-1"));
        let minute = Timestamp::parse("2024-02-29T03:05:00Z").expect("a time");
        assert_eq!(found.written, Some((minute, minute.plus(59))));
        assert!(found.sure);
    }

    #[test]
    fn a_file_moved_out_of_its_folders_still_tells() {
        let found = layout("111122223333_CloudTrail_eu-west-1_20240229T0305Z_x.json");
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        assert!(!found.sure);
    }

    #[test]
    fn a_renamed_file_has_the_day_of_its_folders() {
        let found = layout("AWSLogs/111122223333/CloudTrail/us-east-1/2024/01/31/part-0.json");
        let day = Timestamp::parse("2024-01-31T00:00:00Z").expect("a time");
        assert_eq!(found.written, Some((day, day.plus(86_399))));
    }

    #[test]
    fn contradictions_say_nothing() {
        let found = layout(
            "AWSLogs/111122223333/CloudTrail/us-east-1/999988887777_CloudTrail_eu-west-1_20240101T0000Z_x.json.gz",
        );
        assert_eq!(found.account, None);
        assert_eq!(found.region, None);
    }

    #[test]
    fn sibling_trees() {
        let digest = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2024/01/01/111122223333_CloudTrail-Digest_us-east-1_main_us-east-1_20240101T000000Z.json.gz";
        assert_eq!(
            (layout(digest).tree, layout(digest).sure),
            (Tree::Digest, true)
        );
        assert_eq!(
            layout("x/CloudTrail-Insight/us-east-1/a.json.gz").tree,
            Tree::Insight
        );
        assert_eq!(
            layout("x/CloudTrail-Aggregated/us-east-1/a.json.gz").tree,
            Tree::Aggregated
        );
        assert_eq!(
            layout("x/CloudTrail-NetworkActivity/us-east-1/a.json.gz").tree,
            Tree::NetworkActivity
        );
        assert_eq!(Layout::of(Path::new("logs/august.json")), None);
    }
}
