//! Benign background: people at work and a pipeline, in the first account and the time of a story.

use unchain_core::time::Timestamp;
use unchain_trail::{Script, Trail};

/// The calls of an ordinary day that change nothing.
const OFFICE: [&str; 4] = [
    "GetCallerIdentity",
    "DescribeInstances",
    "ListBuckets",
    "DescribeRegions",
];

/// A story with about `times` as many background records as its own, as one text.
///
/// # Errors
///
/// The text is no trail.
pub fn with_noise(text: &str, times: u32) -> Result<String, unchain_trail::ParseError> {
    let trail = Trail::parse(text)?;
    let script = trail.script();
    let count = i64::try_from(trail.records().len()).unwrap_or(i64::MAX);
    let wanted = count.saturating_mul(i64::from(times));
    let (Some(span), Some(account)) = (
        span(&script),
        script.cast.accounts.iter().find(|a| a.logged),
    ) else {
        return Ok(text.to_owned());
    };
    if wanted == 0 {
        return Ok(text.to_owned());
    }
    let mut out = format!("{text}\n# Background.\n");
    let pipeline = (wanted * 2 / 5).max(1);
    out.push_str(&pipeline_lines(&account.name, span, pipeline));
    out.push_str(&office_lines(&account.name, span, wanted - pipeline));
    Ok(out)
}

/// First instant and length, seconds; at least an hour.
fn span(script: &Script) -> Option<(i64, i64)> {
    let (first, last) = (script.steps.first()?.at, script.steps.last()?.at);
    Some((first, (last - first).max(3_600)))
}

/// A pipeline that takes its role every hour and uploads with it.
fn pipeline_lines(account: &str, (start, length): (i64, i64), count: i64) -> String {
    let hours = (length / 3_600).clamp(1, 2_000);
    let mut out = format!(
        "user background-pipeline in {account} key BACKGROUND-PIPELINE from 192.0.2.200 agent \"Boto3/1.40.44 md/Botocore#1.40.44\"\n\
         role background-deploy in {account} max 2h\n\
         {} BACKGROUND-PIPELINE AssumeRole background-deploy as release -> BACKGROUND-RELEASE for 2h every 1h times {hours}\n",
        moment(start)
    );
    let uploads = (count - hours).max(1);
    let call = "PutObject s3://background-artifacts/app.zip";
    let range = (start + 60, hours * 3_600 - 120);
    repeat(&mut out, ("BACKGROUND-RELEASE", call), range, uploads);
    out
}

/// People who look at what there is.
fn office_lines(account: &str, (start, length): (i64, i64), count: i64) -> String {
    const EACH: i64 = 400;
    let people = (count / EACH + 1).min(50);
    let mut out = String::new();
    for person in 1..=people {
        let (name, key) = (
            format!("background-{person}"),
            format!("BACKGROUND-{person}"),
        );
        out.push_str(&format!(
            "user {name} in {account} key {key} from 192.0.2.{} agent \"aws-cli/2.31.4 md/Botocore#1.40.44\"\n",
            200 + person
        ));
        for (turn, call) in (0_i64..).zip(OFFICE) {
            let share = count / people / 4 + i64::from(turn < count / people % 4);
            let range = (start + person * 7 + turn * 11, length - 60);
            repeat(&mut out, (&key, call), range, share);
        }
    }
    out
}

/// Lines that make a call `count` times, evenly over a range of time.
fn repeat(out: &mut String, (who, call): (&str, &str), (start, length): (i64, i64), count: i64) {
    const MOST: i64 = 2_000;
    if count <= 0 {
        return;
    }
    let step = (length / count).max(1);
    let mut left = count;
    let mut at = start;
    while left > 0 {
        let times = left.min(MOST);
        out.push_str(&format!(
            "{} {who} {call} every {step}s times {times}\n",
            moment(at)
        ));
        left -= times;
        // More calls than seconds: another round over the same time.
        at = if at + step * times >= start + length {
            start
        } else {
            at + step * times
        };
    }
}

/// `2026-03-02T09:00:30`.
fn moment(at: i64) -> String {
    let text = Timestamp::from_seconds(at).to_string();
    text.trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "day 2026-03-02\naccount 111122223333 as shop\nuser alice in shop key A\n\
        09:00 A ListBuckets every 1m times 40\n15:30 A ListUsers";

    #[test]
    fn noise_is_as_much_as_asked_for_and_within_the_time_of_the_story() {
        for times in [1, 10, 300] {
            let text = with_noise(STORY, times).unwrap();
            let records = Trail::parse(&text).unwrap().records();
            let noise = records.len() - 41;
            let wanted = usize::try_from(times).unwrap() * 41;
            assert!(
                noise.abs_diff(wanted) <= wanted / 20 + 2,
                "{times}: {noise}"
            );
            let last = records.last().unwrap()["eventTime"].as_str().unwrap();
            assert!(last < "2026-03-02T15:35", "{last}");
        }
        assert_eq!(with_noise(STORY, 0).unwrap(), STORY);
    }
}
