//! The stories under `scenarios/`: expanding them to the files that the repository carries, and checking
//! that those are still what the stories say.
//!
//! Must not know what any program makes of a story: it compares bytes that the trail language wrote.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use unchain_trail::Trail;

/// What to do with the stories.
#[derive(Debug, Args)]
pub(crate) struct ScenarioArgs {
    /// Expand, check, or begin a story
    #[command(subcommand)]
    pub(crate) what: ScenarioChore,
    /// The folder of the stories
    #[arg(long, default_value = "scenarios", global = true)]
    pub(crate) folder: PathBuf,
}

/// The chores.
#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioChore {
    /// Write `truth.json` of every story, and the records of those that have a `trail` folder
    Expand,
    /// Compare the files with what the stories say, byte for byte
    Check,
    /// Play every story in the lab: its records and truth as the lab gives them, in a folder of their own
    Play {
        /// Where they go; a story's older ones are replaced
        #[arg(long, default_value = "target/played")]
        out: PathBuf,
    },
    /// Begin a story
    New {
        /// Its name: lower case, words joined by hyphens
        name: String,
        /// Keep its records in the repository too, not only their truth
        #[arg(long)]
        records: bool,
    },
}

/// The files that follow from one story, by their path inside its folder.
type Files = BTreeMap<PathBuf, String>;

/// Runs one chore.
///
/// # Errors
///
/// A story that cannot be read, a file that cannot be written, or, on `check`, files that differ.
pub(crate) fn run(args: &ScenarioArgs) -> anyhow::Result<()> {
    match &args.what {
        ScenarioChore::Expand => expand(&args.folder),
        ScenarioChore::Check => check(&args.folder),
        ScenarioChore::Play { out } => play(&args.folder, out),
        ScenarioChore::New { name, records } => begin(&args.folder, name, *records),
    }
}

fn expand(folder: &Path) -> anyhow::Result<()> {
    for story in stories(folder)? {
        let files = files_of(&story)?;
        let trail = story.join("trail");
        if trail.is_dir() {
            std::fs::remove_dir_all(&trail)
                .with_context(|| format!("cannot empty `{}`", trail.display()))?;
        }
        for (path, text) in &files {
            let path = story.join(path);
            let parent = path.parent().unwrap_or(&story);
            std::fs::create_dir_all(parent)
                .with_context(|| format!("cannot make `{}`", parent.display()))?;
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        say(&format!("{}: {} files", story.display(), files.len()))?;
    }
    Ok(())
}

fn check(folder: &Path) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    let stories = stories(folder)?;
    for story in &stories {
        let files = files_of(story)?;
        for (path, text) in &files {
            let path = story.join(path);
            match std::fs::read(&path) {
                Ok(found) if found == text.as_bytes() => {}
                Ok(_) => wrong.push(format!("`{}` differs", path.display())),
                Err(_) => wrong.push(format!("`{}` is missing", path.display())),
            }
        }
        for path in crate::files(&story.join("trail")).unwrap_or_default() {
            let inside = path.strip_prefix(story).unwrap_or(&path);
            if !files.contains_key(inside) {
                wrong.push(format!(
                    "`{}` belongs to no record of the story",
                    path.display()
                ));
            }
        }
    }
    if wrong.is_empty() {
        return say(&format!(
            "{} scenarios are what their stories say",
            stories.len()
        ));
    }
    bail!(
        "{}\nhint: run `cargo xtask scenario expand` and look at the difference",
        wrong.join("\n")
    );
}

fn play(folder: &Path, out: &Path) -> anyhow::Result<()> {
    let program = crate::built()?;
    for story in stories(folder)? {
        let name = story.file_name().context("a story without a name")?;
        let played = out.join(name);
        if played.is_dir() {
            std::fs::remove_dir_all(&played)
                .with_context(|| format!("cannot empty `{}`", played.display()))?;
        }
        std::fs::create_dir_all(&played)
            .with_context(|| format!("cannot make `{}`", played.display()))?;
        let mut command = std::process::Command::new(&program);
        command.args(["lab", "play"]).arg(story.join("story.trail"));
        command.arg("--logs").arg(played.join("trail"));
        command.arg("--truth").arg(played.join("truth.json"));
        command.stdout(std::process::Stdio::null());
        crate::must(&mut command)?;
        say(&format!("{}", played.display()))?;
    }
    Ok(())
}

fn begin(folder: &Path, name: &str, records: bool) -> anyhow::Result<()> {
    let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(lawful) {
        bail!("`{name}` is no name for a scenario\nhint: lower case, words joined by hyphens");
    }
    let story = folder.join(name);
    if story.exists() {
        bail!("`{}` exists already", story.display());
    }
    let made = if records {
        story.join("trail")
    } else {
        story.clone()
    };
    std::fs::create_dir_all(&made).with_context(|| format!("cannot make `{}`", made.display()))?;
    let path = story.join("story.trail");
    std::fs::write(&path, FIRST_LINES)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    say(&format!(
        "`{}` waits for its story; then run `cargo xtask scenario expand`",
        path.display()
    ))
}

const FIRST_LINES: &str = "\
# What happens here, in one sentence.
account 111122223333 as shop
user alice in shop key A

09:00 A GetCallerIdentity
";

/// The folders that hold a story, in order of name.
fn stories(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the scenarios in `{}`", folder.display()))?;
    let mut stories = Vec::new();
    for entry in entries {
        let path = entry.context("cannot list the scenarios")?.path();
        if path.join("story.trail").is_file() {
            stories.push(path);
        }
    }
    stories.sort();
    Ok(stories)
}

/// Everything that follows from the story in `folder`; its records only when it has a `trail` folder.
fn files_of(folder: &Path) -> anyhow::Result<Files> {
    let path = folder.join("story.trail");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let trail = Trail::parse(&text).with_context(|| format!("in `{}`", path.display()))?;
    let mut files = Files::new();
    let mut truth =
        serde_json::to_string_pretty(&trail.truth()).context("cannot write the truth")?;
    truth.push('\n');
    files.insert(PathBuf::from("truth.json"), truth);
    if folder.join("trail").is_dir() {
        files.extend(log_files(&trail.records())?);
    }
    Ok(files)
}

/// The records as CloudTrail delivers them: one file for every account, region and five minutes.
fn log_files(records: &[Value]) -> anyhow::Result<Files> {
    let mut groups: BTreeMap<PathBuf, Vec<&Value>> = BTreeMap::new();
    for record in records {
        groups.entry(log_path(record)?).or_default().push(record);
    }
    let mut files = Files::new();
    for (path, records) in groups {
        let text = serde_json::to_string(&serde_json::json!({ "Records": records }))
            .context("cannot write records")?;
        files.insert(path, text);
    }
    Ok(files)
}

pub(crate) fn log_path(record: &Value) -> anyhow::Result<PathBuf> {
    let field = |name: &str| {
        let value = record.get(name).and_then(Value::as_str);
        value.with_context(|| format!("a record has no `{name}`"))
    };
    let (account, region) = (field("recipientAccountId")?, field("awsRegion")?);
    let time: jiff::Timestamp = field("eventTime")?
        .parse()
        .context("an `eventTime` is no time")?;
    // A file is delivered at the end of the five minutes that it holds.
    let delivered = (time.as_second().div_euclid(300) + 1) * 300;
    let delivered = jiff::Timestamp::from_second(delivered).context("a time out of range")?;
    let (day, minute) = (
        delivered.strftime("%Y/%m/%d"),
        delivered.strftime("%Y%m%dT%H%MZ"),
    );
    let mark = file_mark(&format!("{account}{region}{minute}"));
    let name = format!("{account}_CloudTrail_{region}_{minute}_{mark}.json");
    Ok(PathBuf::from(format!(
        "trail/AWSLogs/{account}/CloudTrail/{region}/{day}/{name}"
    )))
}

/// The sixteen characters at the end of a file's name, from what is before them.
fn file_mark(name: &str) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut mark = String::new();
    for _ in 0..16 {
        for byte in name.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let digit = u8::try_from((state >> 40) % 36).unwrap_or(0);
        mark.push(char::from(if digit < 10 {
            b'0' + digit
        } else {
            b'A' + digit - 10
        }));
    }
    mark
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("cannot write to the terminal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_goes_to_the_file_of_its_five_minutes() {
        let record = serde_json::json!({
            "recipientAccountId": "111122223333",
            "awsRegion": "eu-west-1",
            "eventTime": "2026-03-02T23:57:10Z",
        });
        let path = log_path(&record).unwrap();
        let text = path.to_str().unwrap();
        let start = "trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/03/\
                     111122223333_CloudTrail_eu-west-1_20260303T0000Z_";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(text.len(), start.len() + 16 + ".json".len());
    }

    #[test]
    fn the_scenarios_are_what_their_stories_say() {
        check(&crate::workspace().join("scenarios")).unwrap();
    }
}
