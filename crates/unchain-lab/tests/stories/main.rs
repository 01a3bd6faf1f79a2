//! Every story is played in the lab, call by call, and what the lab delivered is read as any log would be: the
//! lineage has to be the story's own truth, and the detections have to see what the story is about.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

mod findings;
mod left_out;
mod lineage;
mod play;

use play::Played;
use unchain_lab::story::{STORIES, Story, with_noise};
use unchain_lab::world::Settings;

/// Fails with all that is wrong.
fn nothing(wrong: &[String]) {
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} wrong:\n{}", wrong.join("\n"));
}

/// Everything that differs from a story in what was played of it.
fn differences(name: &str, played: &Played) -> Vec<String> {
    let lineage = lineage::differences(played);
    let wrong = played.wrong.iter().chain(&lineage);
    wrong.map(|line| format!("{name}: {line}")).collect()
}

#[test]
fn every_story_plays_as_told_and_its_logs_give_its_truth() {
    let mut wrong = Vec::new();
    for story in STORIES {
        let played = play::play(story.text, Settings::default());
        wrong.extend(differences(story.name, &played));
        wrong.extend(findings::differences(story.name, &played.ledger));
        wrong.extend(left_out::differences(story, &played.left_out));
    }
    nothing(&wrong);
}

#[test]
fn a_truth_that_is_changed_is_not_the_one_of_the_logs() {
    let story = Story::named("spare-users").unwrap();
    let mut played = play::play(story.text, Settings::default());
    assert_eq!(lineage::differences(&played).len(), 0);
    let truth = played.truth.clone();
    let changes: [fn(&mut unchain_trail::Truth); 6] = [
        |truth| {
            truth
                .edges
                .iter_mut()
                .for_each(|edge| edge.event_ids.clear())
        },
        |truth| {
            truth
                .edges
                .iter_mut()
                .for_each(|edge| edge.cross_account = true)
        },
        |truth| drop(truth.edges.pop()),
        |truth| drop(truth.made.pop()),
        |truth| drop(truth.ended.pop()),
        |truth| truth.tokens.iter_mut().for_each(|token| token.uses += 1),
    ];
    for (number, change) in changes.iter().enumerate() {
        played.truth = truth.clone();
        change(&mut played.truth);
        assert_ne!(lineage::differences(&played).len(), 0, "change {number}");
    }
}

#[test]
fn disorder_repetition_and_noise_change_nothing() {
    let story = Story::named("spare-users").unwrap();
    let settings = Settings {
        out_of_order: true,
        duplicates: 20,
        ..Settings::default()
    };
    let text = with_noise(story.text, 10).unwrap();
    let played = play::play(&text, settings);
    nothing(&differences(story.name, &played));
}
